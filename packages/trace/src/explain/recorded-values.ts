// The values that the conditions of an instruction had when it ran: its microcode, worked out on the recorded registers.
// Loads and helpers are unknown here; the conditions that decide about privilege need neither.

import {FLAG_BITS} from '@hyperscope/isa';
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
        return this.#unary(operation);
      case 'binary':
        return this.#binary(operation);
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

  #unary(operation: Operation & {op: 'unary'}): bigint | undefined {
    const a = this.value(operation.a);
    if (a === undefined) return undefined;
    switch (operation.operation) {
      case 'not':
        return BigInt.asUintN(operation.width, ~a);
      case 'zext':
      case 'trunc':
        return BigInt.asUintN(operation.width, a);
      default:
        return undefined;
    }
  }

  #binary(operation: Operation & {op: 'binary'}): bigint | undefined {
    const [a, b] = [this.value(operation.a), this.value(operation.b)];
    if (operation.operation === 'and' && (a === 0n || b === 0n)) return 0n;
    if (a === undefined || b === undefined) return undefined;
    const truth = (holds: boolean): bigint => (holds ? 1n : 0n);
    switch (operation.operation) {
      case 'and':
        return a & b;
      case 'or':
        return a | b;
      case 'xor':
        return a ^ b;
      case 'shr':
        return a >> b;
      case 'add':
        return BigInt.asUintN(operation.width, a + b);
      case 'sub':
        return BigInt.asUintN(operation.width, a - b);
      case 'eq':
        return truth(a === b);
      case 'ne':
        return truth(a !== b);
      case 'gtu':
        return truth(a > b);
      case 'ltu':
        return truth(a < b);
      default:
        return undefined;
    }
  }
}

/** One digit in decimal, more in hexadecimal. */
const shown = (value: bigint | undefined): string =>
  value === undefined ? '?' : value < 10n ? String(value) : hex(value);
