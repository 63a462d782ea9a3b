// The integer operations where an operand may be unknown: for readers that work out the conditions of a recording without
// running it. They know the operations that conditions are made of; any other gives an unknown.

import type {BinaryOperation, Operation} from './microcode.js';
import {binaryResult} from './integer-operations.js';

type Known = bigint | undefined;

const IN_CONDITIONS: ReadonlySet<BinaryOperation> = new Set<BinaryOperation>([
  'and',
  'or',
  'xor',
  'shr',
  'add',
  'sub',
  'eq',
  'ne',
  'gtu',
  'ltu',
]);

/** What a binary operation gives; one operand can be enough. */
export function knownBinary({operation, width}: Operation & {op: 'binary'}, a: Known, b: Known): Known {
  if (operation === 'and' && (a === 0n || b === 0n)) return 0n;
  if (operation === 'or' && width === 1 && (a === 1n || b === 1n)) return 1n;
  if (a === undefined || b === undefined || !IN_CONDITIONS.has(operation)) return undefined;
  return binaryResult(operation, a, b, width);
}

/** What a unary operation gives. */
export function knownUnary({operation, width}: Operation & {op: 'unary'}, a: Known): Known {
  if (a === undefined) return undefined;
  switch (operation) {
    case 'not':
      return BigInt.asUintN(width, ~a);
    case 'zext':
    case 'trunc':
      return BigInt.asUintN(width, a);
    default:
      return undefined;
  }
}
