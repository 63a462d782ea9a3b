// What the register cells of a moment say about the processor: mode, ring, code size. Works on any source of cells, so
// that live machines, files and guests suspended in a VMCS are read by the same rules.
// SDM vol. 3A, "Modes of Operation".

import type {CodeSize} from '@hyperscope/isa';
import type {Mode} from '@hyperscope/machine';

/** Gives a cell's value; undefined where it is not known. */
export type CellSource = (cell: string) => bigint | undefined;

export const cellOr0 = (cells: CellSource, name: string): bigint => cells(name) ?? 0n;

const has = (cells: CellSource, name: string, bit: bigint): boolean => ((cellOr0(cells, name) >> bit) & 1n) === 1n;

/** EFER.LMA. */
export const isLongMode = (cells: CellSource): boolean => has(cells, 'EFER', 10n);
export const is64Bit = (cells: CellSource): boolean => isLongMode(cells) && has(cells, 'CS.attributes', 13n);

export function modeOf(cells: CellSource): Mode {
  if (!has(cells, 'CR0', 0n)) return 'real';
  if (isLongMode(cells)) return is64Bit(cells) ? '64-bit' : 'compatibility';
  return has(cells, 'RFLAGS', 17n) ? 'virtual-8086' : 'protected';
}

export function codeSizeOf(cells: CellSource): CodeSize {
  if (is64Bit(cells)) return 64;
  return has(cells, 'CS.attributes', 14n) ? 32 : 16;
}

/** The linear address of an offset in CS. */
export function codeAddress(cells: CellSource, rip: bigint): bigint {
  return is64Bit(cells) ? rip : BigInt.asUintN(32, cellOr0(cells, 'CS.base') + rip);
}
