// SDM vol. 1, "Miscellaneous Instructions", and the fences, as encodings.
// The grammar of these lines is in form.ts.

import {
  LEA,
  NOP,
  PAUSE,
  WAIT,
  XLATB,
  CPUID,
  UNDEFINED,
  FENCE,
  PREFETCH,
  FLUSH_LINE,
  RDRAND,
  RDSEED,
} from '../semantics/miscellaneous.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const MISCELLANEOUS: readonly OpcodeForm[] = [
  op('8D /r', 'LEA rV, m', LEA),
  op('90', 'NOP', NOP),
  op('0F 1F /0', 'NOP r/mV', NOP, 'needs p6'),
  op('F3 90', 'PAUSE', PAUSE),
  // Without control-flow enforcement (CR4.CET) they are NOPs; compilers put them at the start of every function.
  op('F3 0F 1E FA', 'ENDBR64', NOP, 'needs p6'),
  op('F3 0F 1E FB', 'ENDBR32', NOP, 'needs p6'),
  op('9B', 'WAIT', WAIT),
  op('D7', 'XLATB', XLATB, 'byte'),
  op('0F A2', 'CPUID', CPUID, 'needs cpuid'),
  op('0F 0B', 'UD2', UNDEFINED),
  op('0F B9 /r', 'UD1 rV, r/mV', UNDEFINED),
  op('0F FF /r', 'UD0 rV, r/mV', UNDEFINED),
  op('NP 0F AE /5r', 'LFENCE', FENCE, 'needs sse2'),
  op('NP 0F AE /6r', 'MFENCE', FENCE, 'needs sse2'),
  op('NP 0F AE /7r', 'SFENCE', FENCE, 'needs sse'),
  // Hints: nothing is cached here, so there is nothing to fetch early.
  op('0F 18 /0', 'PREFETCHNTA m8', PREFETCH, 'needs p6'),
  op('0F 18 /1', 'PREFETCHT0 m8', PREFETCH, 'needs p6'),
  op('0F 18 /2', 'PREFETCHT1 m8', PREFETCH, 'needs p6'),
  op('0F 18 /3', 'PREFETCHT2 m8', PREFETCH, 'needs p6'),
  op('0F 0D /0', 'PREFETCH m64', PREFETCH, 'needs prefetchw'),
  op('0F 0D /1', 'PREFETCHW m64', PREFETCH, 'needs prefetchw'),
  // Encodings that later instructions were made of, and that do nothing on processors without them: hint NOPs.
  op('0F 18 /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 0D /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs prefetchw'),
  op('0F 19 /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1A /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1B /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1C /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1D /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1E /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('0F 1F /r', 'NOP r/mV, rV', NOP, 'redundant', 'needs p6'),
  op('NP 0F AE /7', 'CLFLUSH m', FLUSH_LINE, 'needs clflush'),
  op('66 0F AE /7', 'CLFLUSHOPT m', FLUSH_LINE, 'needs clflushopt'),
  op('66 0F AE /6', 'CLWB m', FLUSH_LINE, 'needs clwb'),
  op('0F C7 /6', 'RDRAND regV', RDRAND, 'needs rdrand'),
  op('0F C7 /7', 'RDSEED regV', RDSEED, 'needs rdseed'),
];
