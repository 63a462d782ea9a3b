// What stood on the serial console at any moment, from the events of a record.

import type {RunRecord} from '@hyperscope/trace';

export class SerialText {
  readonly #record: RunRecord;
  readonly #machine: number;
  #eventsSeen = 0;
  readonly #steps: number[] = [];
  readonly #bytes: number[] = [];
  /** What was asked for last: most steps print nothing. */
  #last = {count: 0, text: ''};

  /** `machine`: whose console, of several virtual machines. */
  constructor(record: RunRecord, machine = 0) {
    this.#record = record;
    this.#machine = machine;
  }

  /** The bytes that were sent before a state. */
  bytesBefore(state: number): Uint8Array {
    return Uint8Array.from(this.#bytes.slice(0, this.#countBefore(state)));
  }

  /** How many bytes were sent before a state. */
  #countBefore(state: number): number {
    this.#learn();
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#steps[middle] ?? 0) < state) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** The same as text; bytes that are no UTF-8 show as replacement characters. */
  before(state: number): string {
    const count = this.#countBefore(state);
    if (this.#last.count !== count) this.#last = {count, text: new TextDecoder().decode(this.bytesBefore(state))};
    return this.#last.text;
  }

  /** Learns of what was recorded since; whoever records much calls it now and then, so that nobody waits for it later. */
  keepUp(): void {
    this.#learn();
  }

  #learn(): void {
    const {events} = this.#record;
    for (; this.#eventsSeen < events.length; this.#eventsSeen++) {
      const event = events.at(this.#eventsSeen);
      const step = events.stepOf(this.#eventsSeen);
      if (event?.kind !== 'serial' || this.#record.columns.machine(step) !== this.#machine) continue;
      this.#steps.push(step);
      this.#bytes.push(event.byte);
    }
  }
}
