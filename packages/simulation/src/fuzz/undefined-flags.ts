// Which flags an instruction leaves undefined, defines and depends on, from its recording. A comparison with a processor
// says nothing about a flag that the manual leaves undefined, nor about what was made from one.

import {FLAG_BITS, operandsOf} from '@hyperscope/isa';
import type {FlagRule, Microcode, Operation} from '@hyperscope/isa';

export interface FlagEffects {
  /** Masks of RFLAGS. What only keeps an undefined flag as it was does not count as depending on it. */
  readonly reads: number;
  /** Set to a defined value whatever happens. */
  readonly defines: number;
  /** Perhaps left undefined. */
  readonly leavesUndefined: number;
}

export const STATUS_FLAGS = 0x8d5;
const CARRY = 1 << FLAG_BITS.CF;
const AUXILIARY = 1 << FLAG_BITS.AF;

const DEFINED_BY: Readonly<Record<FlagRule, number>> = {
  add: STATUS_FLAGS,
  adc: STATUS_FLAGS,
  sub: STATUS_FLAGS,
  sbb: STATUS_FLAGS,
  logic: STATUS_FLAGS & ~AUXILIARY,
  inc: STATUS_FLAGS & ~CARRY,
  dec: STATUS_FLAGS & ~CARRY,
};

/** What one instruction does with flags. */
export function flagEffects({operations}: Microcode): FlagEffects {
  const flagOperations = new Map<number, number>();
  let reads = 0;
  let defines = 0;
  let leavesUndefined = 0;
  let certain = true;
  operations.forEach((operation, id) => {
    if (operation.op === 'flag') flagOperations.set(id, 1 << FLAG_BITS[operation.flag]);
    for (const argument of argumentsOf(operation)) reads |= flagOperations.get(argument) ?? 0;
    if (operation.op === 'state' && operation.state === 'RFLAGS') reads |= STATUS_FLAGS;
    if ((operation.op === 'call' || operation.op === 'invoke') && operation.helper.reads.includes('RFLAGS'))
      reads |= STATUS_FLAGS;
    if (operation.op === 'finishIf' || operation.op === 'repeatIf') certain = false;
    if (operation.op === 'setFlag' && operation.isUndefined) {
      leavesUndefined |= 1 << FLAG_BITS[operation.flag];
      defines &= ~(1 << FLAG_BITS[operation.flag]);
    } else if (certain) {
      const mask = definedBy(operation, operations);
      defines |= mask;
      leavesUndefined &= ~mask;
    }
  });
  return {reads: reads & STATUS_FLAGS, defines, leavesUndefined};
}

function definedBy(operation: Operation, operations: readonly Operation[]): number {
  switch (operation.op) {
    case 'setFlags':
      return DEFINED_BY[operation.rule];
    case 'setFlag':
      return operation.when === undefined ? 1 << FLAG_BITS[operation.flag] : 0;
    case 'writeFlags': {
      const mask = operations[operation.mask];
      // POPF computes its mask; the status flags are always in it.
      return mask?.op === 'constant' ? Number(mask.value) & STATUS_FLAGS : STATUS_FLAGS;
    }
    case 'invoke':
    case 'call':
      return operation.helper.writes.includes('RFLAGS') ? STATUS_FLAGS : 0;
    default:
      return 0;
  }
}

/** The operations whose values this one uses, less the value that an undefined flag is given. */
function argumentsOf(operation: Operation): readonly number[] {
  if (operation.op !== 'setFlag' || !operation.isUndefined) return operandsOf(operation);
  return operation.when === undefined ? [] : [operation.when];
}
