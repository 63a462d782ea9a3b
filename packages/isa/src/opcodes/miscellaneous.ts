// SDM vol. 1, "Miscellaneous Instructions", and the fences, as encodings.
// The grammar of these lines is in form.ts.

import {LEA, NOP, PAUSE, XLATB, CPUID, UNDEFINED, FENCE} from '../semantics/miscellaneous.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const MISCELLANEOUS: readonly OpcodeForm[] = [
  op('8D /r', 'LEA rV, m', LEA),
  op('90', 'NOP', NOP),
  op('0F 1F /0', 'NOP r/mV', NOP),
  op('F3 90', 'PAUSE', PAUSE),
  // Without control-flow enforcement (CR4.CET) they are NOPs; compilers put them at the start of every function.
  op('F3 0F 1E FA', 'ENDBR64', NOP),
  op('F3 0F 1E FB', 'ENDBR32', NOP),
  op('D7', 'XLATB', XLATB, 'byte'),
  op('0F A2', 'CPUID', CPUID),
  op('0F 0B', 'UD2', UNDEFINED),
  op('0F B9 /r', 'UD1 rV, r/mV', UNDEFINED),
  op('0F FF /r', 'UD0 rV, r/mV', UNDEFINED),
  op('NP 0F AE /5r', 'LFENCE', FENCE),
  op('NP 0F AE /6r', 'MFENCE', FENCE),
  op('NP 0F AE /7r', 'SFENCE', FENCE),
];
