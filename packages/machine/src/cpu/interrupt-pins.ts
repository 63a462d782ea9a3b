// What waits at the processor's pins: one external interrupt, with the vector that an interrupt controller would give,
// and one NMI. SDM vol. 3A, "Sources of Interrupts".

import type {Bank, Observer} from '../observer.js';

const REQUESTED = 0,
  VECTOR = 1,
  NMI = 2;

export class InterruptPins {
  readonly bank: Bank = {name: 'interrupt-pins', bytes: new Uint8Array(4)};
  observer: Observer | undefined;

  /** The vector that waits; undefined when none does. */
  get requested(): number | undefined {
    return this.bank.bytes[REQUESTED] === 1 ? this.bank.bytes[VECTOR] : undefined;
  }
  get nmi(): boolean {
    return this.bank.bytes[NMI] === 1;
  }

  request(vector: number): void {
    this.#set(VECTOR, vector);
    this.#set(REQUESTED, 1);
  }
  acknowledge(): void {
    this.#set(REQUESTED, 0);
  }
  raiseNmi(): void {
    this.#set(NMI, 1);
  }
  acknowledgeNmi(): void {
    this.#set(NMI, 0);
  }
  reset(): void {
    for (const at of [REQUESTED, VECTOR, NMI]) this.#set(at, 0);
  }

  #set(at: number, value: number): void {
    this.observer?.willWrite('interrupt-pins', at, 1);
    this.bank.bytes[at] = value;
  }
}
