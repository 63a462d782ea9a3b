import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
export const LEA: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const NOP: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const PAUSE: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const XLATB: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const CPUID: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const UNDEFINED: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const FENCE: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
