// What waits at the processor's pins: one external interrupt, with the vector that an interrupt controller gives, and
// one NMI. SDM vol. 3A, "Sources of Interrupts".

import type {Bank, Observer} from '../observer.js';

const REQUESTED = 0,
  VECTOR = 1,
  NMI = 2,
  DEBUG = 3;

/** Whoever drives INTR and answers INTA: the local APIC and, through it, the 8259 pair. */
export interface InterruptController {
  /** The vector that INTA would give now; undefined while INTR is not asserted. Asking changes nothing. */
  readonly requested: number | undefined;
  /** INTA: the request that `requested` tells is in service from now on. */
  acknowledge(): void;
}

export class InterruptPins {
  readonly bank: Bank = {name: 'interrupt-pins', bytes: new Uint8Array(4)};
  observer: Observer | undefined;
  /** Asked whenever nothing was requested directly. */
  controller: InterruptController | undefined;

  /** The vector that waits; undefined when none does. */
  get requested(): number | undefined {
    return this.bank.bytes[REQUESTED] === 1 ? this.bank.bytes[VECTOR] : this.controller?.requested;
  }
  get nmi(): boolean {
    return this.bank.bytes[NMI] === 1;
  }

  request(vector: number): void {
    this.#set(VECTOR, vector);
    this.#set(REQUESTED, 1);
  }
  acknowledge(): void {
    if (this.bank.bytes[REQUESTED] === 1) this.#set(REQUESTED, 0);
    else this.controller?.acknowledge();
  }
  raiseNmi(): void {
    this.#set(NMI, 1);
  }
  acknowledgeNmi(): void {
    this.#set(NMI, 0);
  }

  /** Data breakpoints that MOV SS struck (bits 3:0 of DR6): they wait until the next instruction is done. */
  get holdsDebug(): boolean {
    return this.bank.bytes[DEBUG] !== 0;
  }
  holdDebug(hits: number): void {
    this.#set(DEBUG, hits);
  }
  takeDebug(): number {
    const hits = this.bank.bytes[DEBUG] ?? 0;
    if (hits !== 0) this.#set(DEBUG, 0);
    return hits;
  }

  reset(): void {
    for (const at of [REQUESTED, VECTOR, NMI, DEBUG]) this.#set(at, 0);
  }

  #set(at: number, value: number): void {
    this.observer?.willWrite('interrupt-pins', at, 1);
    this.bank.bytes[at] = value;
  }
}
