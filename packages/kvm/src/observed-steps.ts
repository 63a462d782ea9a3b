// Steps with what they changed, cut out of a running session so that another process can follow: registers as pairs of
// cell and value, memory as the ranges that the mirror announced.

import type {KvmSession} from './kvm-session.js';
import type {MemoryWrite, ObservedStep} from './runner-messages.js';

export class StepCollector {
  readonly #session: KvmSession;
  readonly #before: BigUint64Array;

  constructor(session: KvmSession) {
    this.#session = session;
    this.#before = session.registers.slice();
  }

  /** Runs one step of the session. */
  next(): ObservedStep {
    const ranges: (readonly [offset: number, length: number])[] = [];
    const step = this.#session.step({
      willWrite: (_bank, offset, length) => {
        ranges.push([offset, length]);
      },
    });
    const memory = this.#session.banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array();
    const writes: MemoryWrite[] = ranges.map(([offset, length]) => ({
      offset,
      bytes: memory.slice(offset, offset + length),
    }));
    return {step, cells: this.#changedCells(), writes};
  }

  #changedCells(): BigUint64Array {
    const pairs: bigint[] = [];
    for (const [index, value] of this.#session.registers.entries()) {
      if (this.#before[index] === value) continue;
      this.#before[index] = value;
      pairs.push(BigInt(index), value);
    }
    return BigUint64Array.from(pairs);
  }
}
