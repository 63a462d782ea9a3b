// SDM vol. 1, "Flag Control (EFLAG) Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {CLC, STC, CMC, CLD, STD, LAHF, SAHF, PUSHF, POPF, CLI, STI} from '../semantics/flag-control.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const FLAG_CONTROL: readonly OpcodeForm[] = [
  op('F8', 'CLC', CLC),
  op('F9', 'STC', STC),
  op('F5', 'CMC', CMC),
  op('FC', 'CLD', CLD),
  op('FD', 'STD', STD),
  op('9F', 'LAHF', LAHF, 'i64'),
  op('9E', 'SAHF', SAHF, 'i64'),
  // The first processors with 64-bit mode lacked them there.
  op('9F', 'LAHF', LAHF, 'o64', 'needs lahf64'),
  op('9E', 'SAHF', SAHF, 'o64', 'needs lahf64'),
  op('9C', 'PUSHF', PUSHF, 'd64', 'os16'),
  op('9C', 'PUSHFD', PUSHF, 'd64', 'os32'),
  op('9C', 'PUSHFQ', PUSHF, 'd64', 'os64'),
  op('9D', 'POPF', POPF, 'd64', 'os16'),
  op('9D', 'POPFD', POPF, 'd64', 'os32'),
  op('9D', 'POPFQ', POPF, 'd64', 'os64'),
  op('FA', 'CLI', CLI),
  op('FB', 'STI', STI),
];
