// SDM vol. 1, "Segment Register Instructions", as encodings. (MOV, PUSH and POP of segment registers are data transfers.)
// The grammar of these lines is in form.ts.

import {LOAD_FAR_POINTER} from '../semantics/segment.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const SEGMENT: readonly OpcodeForm[] = [
  op('C5 /r', 'LDS rV, m16:V', LOAD_FAR_POINTER, 'i64'),
  op('C4 /r', 'LES rV, m16:V', LOAD_FAR_POINTER, 'i64'),
  op('0F B2 /r', 'LSS rV, m16:V', LOAD_FAR_POINTER),
  op('0F B4 /r', 'LFS rV, m16:V', LOAD_FAR_POINTER),
  op('0F B5 /r', 'LGS rV, m16:V', LOAD_FAR_POINTER),
];
