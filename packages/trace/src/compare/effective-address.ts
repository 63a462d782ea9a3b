// The linear address that a memory operand names, from the registers before the instruction.

import type {MemoryOperand} from '@hyperscope/isa';
import {cellOr0, is64Bit} from '../state/processor-view.js';
import type {CellSource} from '../state/processor-view.js';

/** `length`: bytes of the instruction, for RIP-relative operands. SDM vol. 1, "Specifying an Offset". */
export function effectiveAddress(operand: MemoryOperand, cells: CellSource, length: number): bigint {
  const base =
    operand.base === undefined
      ? 0n
      : operand.base === 'RIP'
        ? cellOr0(cells, 'RIP') + BigInt(length)
        : cellOr0(cells, operand.base);
  const index = operand.index === undefined ? 0n : cellOr0(cells, operand.index) * BigInt(operand.scale);
  const offset = BigInt.asUintN(operand.addressSize, base + index + operand.displacement);
  const flat = is64Bit(cells) && operand.segment !== 'FS' && operand.segment !== 'GS';
  return BigInt.asUintN(is64Bit(cells) ? 64 : 32, flat ? offset : offset + cellOr0(cells, `${operand.segment}.base`));
}
