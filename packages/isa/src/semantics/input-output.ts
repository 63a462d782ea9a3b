import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
export const IN: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const OUT: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const INS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const OUTS: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
