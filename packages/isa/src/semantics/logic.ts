import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
export const AND: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const OR: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const XOR: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
export const NOT: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
