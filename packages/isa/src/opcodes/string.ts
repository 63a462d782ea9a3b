// SDM vol. 1, "String Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {MOVS, CMPS, STOS, LODS, SCAS} from '../semantics/string.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const STRING: readonly OpcodeForm[] = [
  op('A4', 'MOVSB', MOVS, 'byte', 'rep'),
  op('A5', 'MOVSW', MOVS, 'os16', 'rep'),
  op('A5', 'MOVSD', MOVS, 'os32', 'rep'),
  op('A5', 'MOVSQ', MOVS, 'os64', 'rep'),
  op('A6', 'CMPSB', CMPS, 'byte', 'repcc'),
  op('A7', 'CMPSW', CMPS, 'os16', 'repcc'),
  op('A7', 'CMPSD', CMPS, 'os32', 'repcc'),
  op('A7', 'CMPSQ', CMPS, 'os64', 'repcc'),
  op('AA', 'STOSB', STOS, 'byte', 'rep'),
  op('AB', 'STOSW', STOS, 'os16', 'rep'),
  op('AB', 'STOSD', STOS, 'os32', 'rep'),
  op('AB', 'STOSQ', STOS, 'os64', 'rep'),
  op('AC', 'LODSB', LODS, 'byte', 'rep'),
  op('AD', 'LODSW', LODS, 'os16', 'rep'),
  op('AD', 'LODSD', LODS, 'os32', 'rep'),
  op('AD', 'LODSQ', LODS, 'os64', 'rep'),
  op('AE', 'SCASB', SCAS, 'byte', 'repcc'),
  op('AF', 'SCASW', SCAS, 'os16', 'repcc'),
  op('AF', 'SCASD', SCAS, 'os32', 'repcc'),
  op('AF', 'SCASQ', SCAS, 'os64', 'repcc'),
];
