// SDM vol. 1, "Decimal Arithmetic Instructions", as encodings. They do not exist in 64-bit mode.
// The grammar of these lines is in form.ts.

import {AAA, AAD, AAM, AAS, DAA, DAS, SALC} from '../semantics/decimal.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const DECIMAL: readonly OpcodeForm[] = [
  op('37', 'AAA', AAA, 'i64', 'byte'),
  op('3F', 'AAS', AAS, 'i64', 'byte'),
  op('27', 'DAA', DAA, 'i64', 'byte'),
  op('2F', 'DAS', DAS, 'i64', 'byte'),
  op('D4 ib', 'AAM imm8', AAM, 'i64', 'byte'),
  op('D5 ib', 'AAD imm8', AAD, 'i64', 'byte'),
  // Without a base: ten.
  op('D4 0A', 'AAM', AAM, 'i64', 'byte', 'alias'),
  op('D5 0A', 'AAD', AAD, 'i64', 'byte', 'alias'),
  op('D6', 'SALC', SALC, 'i64', 'byte'),
];
