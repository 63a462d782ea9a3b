// The values that the conditions of an instruction had when it ran: its microcode, worked out on the recorded registers.
// Loads and helpers are unknown here; the conditions that decide about privilege need neither.

import {FLAG_BITS, knownBinary, knownUnary} from '@hyperscope/isa';
import type {Microcode, Operation, StateName} from '@hyperscope/isa';
import {bit, bits, hex} from '@hyperscope/base';
import type {CellSource} from '../state/processor-view.js';

export class RecordedValues {
  readonly #operations: readonly Operation[];
  readonly #cells: CellSource;

  constructor(microcode: Microcode, before: CellSource) {
    this.#operations = microcode.operations;
    this.#cells = before;
  }

  /** What an operation gave; undefined where it cannot be known from the registers. */
  value(id: number): bigint | undefined {
    const operation = this.#operations[id];
    switch (operation?.op) {
      case 'constant':
        return operation.value;
      case 'state':
        return this.state(operation.state);
      case 'flag':
        return this.#bit('RFLAGS', FLAG_BITS[operation.flag]);
      case 'register': {
        const cell = this.#cells(operation.register);
        return cell === undefined ? undefined : BigInt.asUintN(operation.width, operation.high ? cell >> 8n : cell);
      }
      case 'unary':
        return knownUnary(operation, this.value(operation.a));
      case 'binary':
        return knownBinary(operation, this.value(operation.a), this.value(operation.b));
      default:
        return undefined;
    }
  }

  /** A piece of processor state by its name in the microcode. */
  state(name: StateName): bigint | undefined {
    switch (name) {
      case 'IOPL': {
        const flags = this.#cells('RFLAGS');
        return flags === undefined ? undefined : bits(flags, 13, 12);
      }
      case 'VM':
        return this.#bit('RFLAGS', 17);
      case 'PE':
        return this.#bit('CR0', 0);
      case 'UMIP':
        return this.#bit('CR4', 11);
      default:
        return this.#cells(name);
    }
  }

  /** The states that a value was made of, with what they were: [['CPL', '3'], ['IOPL', '0']]. */
  states(id: number): readonly (readonly [name: string, value: string])[] {
    const found = new Map<string, string>();
    const visit = (at: number): void => {
      const operation = this.#operations[at];
      if (operation?.op === 'state') found.set(operation.state, shown(this.state(operation.state)));
      if (operation?.op === 'flag') found.set(operation.flag, shown(this.value(at)));
      if (operation?.op === 'unary' || operation?.op === 'binary') visit(operation.a);
      if (operation?.op === 'binary') visit(operation.b);
    };
    visit(id);
    return [...found];
  }

  #bit(cell: string, index: number): bigint | undefined {
    const value = this.#cells(cell);
    return value === undefined ? undefined : bit(value, index) ? 1n : 0n;
  }
}

/** One digit in decimal, more in hexadecimal. */
const shown = (value: bigint | undefined): string =>
  value === undefined ? '?' : value < 10n ? String(value) : hex(value);
