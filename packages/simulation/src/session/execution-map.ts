// Where guest instructions begin and end, learned from those that ran: code cannot be disassembled backwards, but what
// was executed is known. Also which of them left the guest, and how often.

import {exitTitle} from '@hyperscope/isa';
import type {RunRecord} from '@hyperscope/trace';

/** External interrupts, NMIs, and windows for them: the instruction that they overtake has no part in it. */
const COMES_FROM_OUTSIDE: ReadonlySet<number> = new Set([1, 7, 8]);

export class ExecutionMap {
  readonly #record: RunRecord;
  #stepsSeen = 0;
  #eventsSeen = 0;
  readonly #startByEnd = new Map<bigint, bigint>();
  readonly #exits = new Map<bigint, Map<string, number>>();

  constructor(record: RunRecord) {
    this.#record = record;
  }

  /** Starts of up to `count` executed instructions that lead up to `address`; nearest last. */
  before(address: bigint, count: number): readonly bigint[] {
    this.#learn();
    const starts: bigint[] = [];
    let end = address;
    while (starts.length < count) {
      const start = this.#startByEnd.get(end);
      if (start === undefined) break;
      starts.unshift(start);
      end = start;
    }
    return starts;
  }

  /** 'I/O instruction, 3 times'; undefined where the instruction never left the guest. */
  exitsAt(rip: bigint): string | undefined {
    this.#learn();
    const exits = this.#exits.get(rip);
    return exits === undefined
      ? undefined
      : [...exits].map(([title, count]) => `${title}, ${count === 1 ? 'once' : `${count} times`}`).join('; ');
  }

  /** Learns of what was recorded since; whoever records much calls it now and then, so that nobody waits for it later. */
  keepUp(): void {
    this.#learn();
  }

  #learn(): void {
    const {columns, events} = this.#record;
    for (; this.#stepsSeen < columns.length; this.#stepsSeen++) {
      const length = columns.instructionLength(this.#stepsSeen);
      const who = columns.who(this.#stepsSeen);
      if (length === 0 || (who !== 'guest-kernel' && who !== 'guest-user')) continue;
      const rip = columns.rip(this.#stepsSeen);
      this.#startByEnd.set(rip + BigInt(length), rip);
    }
    for (; this.#eventsSeen < events.length; this.#eventsSeen++) {
      const event = events.at(this.#eventsSeen);
      if (event?.kind !== 'vm-exit' || COMES_FROM_OUTSIDE.has(event.exit.reason & 0xffff)) continue;
      const at = this.#exits.get(event.exit.guestRip) ?? new Map<string, number>();
      const title = exitTitle(event.exit);
      at.set(title, (at.get(title) ?? 0) + 1);
      this.#exits.set(event.exit.guestRip, at);
    }
  }
}
