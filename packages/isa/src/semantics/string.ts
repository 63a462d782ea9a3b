import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
export const MOVS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const CMPS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const STOS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const LODS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const SCAS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
