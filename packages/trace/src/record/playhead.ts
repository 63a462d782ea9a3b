// A moment of a record, as banks that can be read: where a player, a comparison or an explanation looks at the state.

import type {Bank} from '@hyperscope/machine';
import {assertExists} from '@hyperscope/base';
import type {RunRecord} from './run-record.js';

export class Playhead {
  readonly record: RunRecord;
  readonly banks: readonly Bank[];
  readonly registers: BigUint64Array;
  readonly #cellIndexes: ReadonlyMap<string, number>;
  #index = 0;

  constructor(record: RunRecord) {
    this.record = record;
    this.banks = record.initialBanks();
    this.#cellIndexes = new Map(record.header.cells.map((cell, index) => [cell, index]));
    const bytes = assertExists(this.bank('registers'), 'a record without a register bank');
    this.registers = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 3);
  }

  /** The state that the banks hold. */
  get index(): number {
    return this.#index;
  }
  seek(index: number): void {
    this.record.seek(this.banks, this.#index, index);
    this.#index = index;
  }

  /** The bytes of a bank. */
  bank(name: string): Uint8Array | undefined {
    return this.banks.find(bank => bank.name === name)?.bytes;
  }
  /** A register by its cell name; undefined where this record has no such cell. */
  cell(name: string): bigint | undefined {
    const index = this.#cellIndexes.get(name);
    return index === undefined ? undefined : this.registers[index];
  }
}
