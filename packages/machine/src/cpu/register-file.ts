// The register bank: every cell of isa's list in one array, so that a record can compare and restore it as bytes.

import {CELLS, DESCRIPTOR_REGISTERS, FLAG_BITS, cellIndex} from '@hyperscope/isa';
import type {Cell, DescriptorRegister, Flag, SegmentPart} from '@hyperscope/isa';
import {assertExists} from '@hyperscope/base';

/** Words of the frame that are no registers. */
const SCRATCH_WORDS = 16_384;

export class RegisterFile {
  readonly #storage = new ArrayBuffer(8 * CELLS.length + 4 * SCRATCH_WORDS);
  readonly cells = new BigUint64Array(this.#storage, 0, CELLS.length);
  /** The same storage as bytes: the bank named 'registers'. */
  readonly bytes = new Uint8Array(this.#storage, 0, 8 * CELLS.length);
  /**
   * The same storage as 32-bit halves, low half first: cell i's low half is words[2 * i]. For hot paths, where a
   * BigInt costs.
   */
  readonly words = new Uint32Array(this.#storage, 0, 2 * CELLS.length);
  /**
   * The halves again, signed, and behind them words that are no state: where compiled microcode keeps its constants and
   * intermediate values, so that it finds every operand in one array (execution/compiled/frame.ts).
   */
  readonly frame = new Int32Array(this.#storage);

  get(cell: Cell): bigint {
    return this.cells[cellIndex(cell)] ?? 0n;
  }
  set(cell: Cell, value: bigint): void {
    this.cells[cellIndex(cell)] = value;
  }
  /** A cell that is known to fit a double: selectors, limits, CPL, physical addresses. */
  number(cell: Cell): number {
    return Number(this.get(cell));
  }

  segment(register: DescriptorRegister, part: SegmentPart): bigint {
    return this.get(`${register}.${part}`);
  }
  setSegment(register: DescriptorRegister, values: SegmentValues): void {
    this.set(`${register}.selector`, BigInt(values.selector));
    this.set(`${register}.base`, values.base);
    this.set(`${register}.limit`, BigInt(values.limit));
    this.set(`${register}.attributes`, BigInt(values.attributes));
  }

  flag(flag: Flag): boolean {
    return ((this.get('RFLAGS') >> BigInt(FLAG_BITS[flag])) & 1n) === 1n;
  }
  setFlag(flag: Flag, on: boolean): void {
    const mask = 1n << BigInt(FLAG_BITS[flag]);
    this.set('RFLAGS', on ? this.get('RFLAGS') | mask : this.get('RFLAGS') & ~mask);
  }

  /** All segment registers have a hidden part; reset state and VM entries write them whole. */
  static readonly descriptorRegisters = DESCRIPTOR_REGISTERS;
}

export interface SegmentValues {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  /** VMCS access-rights format. */
  readonly attributes: number;
}

/** Reads a cell by a name that is only known at run time. */
export function cellByName(file: RegisterFile, name: string): bigint {
  const index = CELLS.findIndex(cell => cell === name);
  return assertExists(file.cells[index], `no cell named ${name}`);
}
