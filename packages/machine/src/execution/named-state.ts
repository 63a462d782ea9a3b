// The state that microcode reads by name.

import type {StateName} from '@hyperscope/isa';
import {CR0, CR4, RFLAGS} from '../cpu/cell-indexes.js';
import {CR0_PE, CR4_UMIP, low, stackSizeOf} from '../cpu/modes.js';
import type {RegisterFile} from '../cpu/register-file.js';

export function readState(registers: RegisterFile, state: StateName): bigint {
  switch (state) {
    case 'IOPL':
      return BigInt((low(registers, RFLAGS) >> 12) & 3);
    case 'VM':
      return BigInt((low(registers, RFLAGS) >> 17) & 1);
    case 'PE':
      return BigInt(low(registers, CR0) & CR0_PE);
    case 'UMIP':
      return (low(registers, CR4) & CR4_UMIP) === 0 ? 0n : 1n;
    case 'stackMask':
      return (1n << BigInt(stackSizeOf(registers))) - 1n;
    default:
      return registers.get(state);
  }
}
