import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
export const LOAD_FAR_POINTER: Semantics = i => assert(false, `${i.mnemonic}: meaning not written yet`);
