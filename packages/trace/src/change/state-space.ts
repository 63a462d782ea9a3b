// The state of a run as one row of bytes: its banks laid end to end, in the order of the record's header.
// A change names bytes by their place in this row, so that one encoding serves registers, memory and devices.

import type {Bank} from '@hyperscope/machine';
import {assert} from '@hyperscope/base';

export interface BankShape {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export class StateSpace {
  readonly shapes: readonly BankShape[];
  /** Where each bank starts. */
  readonly starts: readonly number[];
  /** Bytes of all banks together. */
  readonly size: number;
  readonly #indexByName: ReadonlyMap<string, number>;

  constructor(shapes: readonly BankShape[]) {
    this.shapes = shapes;
    const starts: number[] = [];
    let end = 0;
    for (const shape of shapes) {
      starts.push(end);
      end += shape.size;
    }
    this.starts = starts;
    this.size = end;
    this.#indexByName = new Map(shapes.map((shape, index) => [shape.name, index]));
  }

  static of(banks: readonly Bank[]): StateSpace {
    return new StateSpace(banks.map(bank => ({name: bank.name, size: bank.bytes.length})));
  }

  /** The index of a bank; -1 where there is none of that name. */
  indexOf(bank: string): number {
    return this.#indexByName.get(bank) ?? -1;
  }

  /** The place of a byte of a bank; undefined where there is no such byte. */
  place(bank: string, offset: number): number | undefined {
    const index = this.indexOf(bank);
    const shape = this.shapes[index];
    if (shape === undefined || offset < 0 || offset >= shape.size) return undefined;
    return (this.starts[index] ?? 0) + offset;
  }

  /** The bank that holds a place: banks are few, so a scan is the quickest search. */
  bankAt(place: number): number {
    for (let index = this.starts.length - 1; index >= 0; index--) {
      if (place >= (this.starts[index] ?? 0) && (this.shapes[index]?.size ?? 0) > 0) return index;
    }
    assert(false, `place ${place} lies before the first bank`);
  }

  /** Banks full of zeros. */
  allocate(): readonly Bank[] {
    return this.shapes.map(shape => ({name: shape.name, bytes: new Uint8Array(shape.size)}));
  }
}
