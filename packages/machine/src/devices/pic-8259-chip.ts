// One 8259A: requests, the mask, what is in service, and which of them goes first.
// Intel, "8259A Programmable Interrupt Controller": "Initialization Command Words", "Operation Command Words".

import type {Level} from './interrupt-line.js';

/** Where a chip keeps its bytes: part of the pair's bank. */
export interface ByteAccess {
  get(at: number): number;
  set(at: number, value: number): void;
}

const IRR = 0,
  ISR = 1,
  IMR = 2,
  LINES = 3,
  ELCR = 4,
  VECTORS = 5,
  /** Which ICW the next write to the odd port is: 0 none, 2, 3 or 4. */
  NEXT_ICW = 6,
  ICW1_BITS = 7,
  MODE = 8,
  /** The IR that has the highest priority; the one before it has the lowest. */
  HIGHEST = 9,
  READS = 10;

const ICW1 = 0x10,
  ICW1_NEEDS_ICW4 = 1,
  ICW1_SINGLE = 2,
  ICW1_LEVEL = 8;
/** MODE: ICW4's AEOI and SFNM where ICW4 has them, and three of our own. */
const AUTO_EOI = 2,
  FULLY_NESTED_SPECIAL = 0x10,
  SPECIAL_MASK = 0x20,
  ROTATE_ON_AUTO_EOI = 0x40,
  POLL = 0x80;
const READS_IRR = 0,
  READS_ISR = 1;

const CHIP_BYTES = 16;
/** Where a chip's bytes lie in its half of the pair's bank, for whoever looks at one. */
export const PIC_BYTES = {chip: CHIP_BYTES, IRR, ISR, IMR, LINES, ELCR, VECTORS, MODE, HIGHEST} as const;

export class Pic8259 {
  static readonly BYTES = CHIP_BYTES;
  readonly #state: ByteAccess;

  /** After power-on everything is masked, as firmware would leave it for a program that never asked. */
  constructor(state: ByteAccess) {
    this.#state = state;
    state.set(IMR, 0xff);
  }

  /** The IR that the chip asks for now: requested, not masked, and above everything in service. */
  get request(): number | undefined {
    return this.#winner(this.#state.get(IRR));
  }
  /** Whether the chip would ask for `irq`, were it requested alone. */
  hears(irq: number): boolean {
    return this.#winner(1 << irq) === irq;
  }
  vectorOf(irq: number): number {
    return (this.#state.get(VECTORS) & 0xf8) | irq;
  }
  get levelTriggered(): number {
    return this.#state.get(ELCR);
  }
  set levelTriggered(lines: number) {
    this.#state.set(ELCR, lines);
  }

  /** An input changes. A fall withdraws the request, so that an INTA that comes too late finds none. */
  setLine(irq: number, level: Level): void {
    const mask = 1 << irq;
    const before = this.#state.get(LINES);
    const rises = level === 1 && ((before & mask) === 0 || this.#isLevel(irq));
    this.#state.set(LINES, level === 1 ? before | mask : before & ~mask);
    if (rises) this.#state.set(IRR, this.#state.get(IRR) | mask);
    else if (level === 0) this.#state.set(IRR, this.#state.get(IRR) & ~mask);
  }
  /** An input whose request is its level, whatever the trigger mode: the cascade. */
  follow(irq: number, level: Level): void {
    const mask = 1 << irq;
    const irr = this.#state.get(IRR);
    this.#state.set(IRR, level === 1 ? irr | mask : irr & ~mask);
  }

  /** INTA: the request becomes a service. A level-triggered one stays in IRR as long as its line is high. */
  accept(irq: number): void {
    const mask = 1 << irq;
    if (!this.#isLevel(irq)) this.#state.set(IRR, this.#state.get(IRR) & ~mask);
    if (!this.#has(AUTO_EOI)) this.#state.set(ISR, this.#state.get(ISR) | mask);
    else if (this.#has(ROTATE_ON_AUTO_EOI)) this.#lowest(irq);
  }

  read(offset: number): number {
    if (this.#has(POLL)) {
      this.#setMode(POLL, 0);
      const irq = this.request;
      if (irq === undefined) return 0;
      this.accept(irq);
      return 0x80 | irq;
    }
    if (offset === 1) return this.#state.get(IMR);
    return this.#state.get(this.#state.get(READS) === READS_ISR ? ISR : IRR);
  }

  write(offset: number, value: number): void {
    if (offset === 1) this.#writeOdd(value);
    else if ((value & ICW1) !== 0) this.#initialize(value);
    else if ((value & 8) !== 0) this.#command3(value);
    else this.#command2(value >> 5, value & 7);
  }

  /** ICW1: edges are forgotten, the mask is cleared, IR7 has the lowest priority, reads give IRR. */
  #initialize(value: number): void {
    for (const at of [IRR, ISR, IMR, MODE, HIGHEST]) this.#state.set(at, 0);
    this.#state.set(READS, READS_IRR);
    this.#state.set(ICW1_BITS, value & 0xf);
    this.#state.set(NEXT_ICW, 2);
  }

  #writeOdd(value: number): void {
    const icw1 = this.#state.get(ICW1_BITS);
    const last = (icw1 & ICW1_NEEDS_ICW4) === 0 ? 0 : 4;
    switch (this.#state.get(NEXT_ICW)) {
      case 2:
        this.#state.set(VECTORS, value & 0xf8);
        this.#state.set(NEXT_ICW, (icw1 & ICW1_SINGLE) === 0 ? 3 : last);
        return;
      case 3: // A PC is wired one way; what ICW3 says changes nothing.
        this.#state.set(NEXT_ICW, last);
        return;
      case 4:
        this.#state.set(MODE, value & (AUTO_EOI | FULLY_NESTED_SPECIAL));
        this.#state.set(NEXT_ICW, 0);
        return;
      default:
        this.#state.set(IMR, value);
    }
  }

  /** OCW2: end of interrupt, and who has the lowest priority from now on. Bits 7:5 R, SL, EOI. */
  #command2(command: number, irq: number): void {
    switch (command) {
      case 0:
      case 4:
        return this.#setMode(ROTATE_ON_AUTO_EOI, command === 4 ? ROTATE_ON_AUTO_EOI : 0);
      case 1:
      case 5: {
        const ended = this.#first(this.#inService());
        if (ended === undefined) return;
        this.#end(ended);
        return command === 5 ? this.#lowest(ended) : undefined;
      }
      case 3:
        return this.#end(irq);
      case 6:
        return this.#lowest(irq);
      case 7:
        this.#end(irq);
        return this.#lowest(irq);
      default: // 2: no operation.
    }
  }

  /** OCW3: special mask mode, poll, and which register reads give. */
  #command3(value: number): void {
    if ((value & 0x40) !== 0) this.#setMode(SPECIAL_MASK, value & SPECIAL_MASK);
    if ((value & 4) !== 0) this.#setMode(POLL, POLL);
    else if ((value & 2) !== 0) this.#state.set(READS, value & 1);
  }

  #winner(requests: number): number | undefined {
    const unmasked = requests & ~this.#state.get(IMR);
    // Asked before every instruction, so what is nearly always the answer comes first.
    if (unmasked === 0) return undefined;
    const irq = this.#first(unmasked);
    if (irq === undefined) return undefined;
    const serving = this.#first(this.#blocking());
    return serving === undefined || this.#rank(irq) < this.#rank(serving) ? irq : undefined;
  }
  /** In the special fully nested mode a cascade in service does not block further requests of the other chip. */
  #blocking(): number {
    return this.#has(FULLY_NESTED_SPECIAL) ? this.#inService() & ~4 : this.#inService();
  }
  /** In special mask mode a masked interrupt in service counts for nothing. */
  #inService(): number {
    return this.#state.get(ISR) & (this.#has(SPECIAL_MASK) ? ~this.#state.get(IMR) : 0xff);
  }
  /** Of a set of inputs, the one with the highest priority. */
  #first(set: number): number | undefined {
    for (let rank = 0; rank < 8; rank++) {
      const irq = (this.#state.get(HIGHEST) + rank) & 7;
      if ((set & (1 << irq)) !== 0) return irq;
    }
    return undefined;
  }
  #rank(irq: number): number {
    return (irq - this.#state.get(HIGHEST)) & 7;
  }
  #end(irq: number): void {
    this.#state.set(ISR, this.#state.get(ISR) & ~(1 << irq));
  }
  #lowest(irq: number): void {
    this.#state.set(HIGHEST, (irq + 1) & 7);
  }
  #isLevel(irq: number): boolean {
    return (this.#state.get(ICW1_BITS) & ICW1_LEVEL) !== 0 || (this.#state.get(ELCR) & (1 << irq)) !== 0;
  }
  #has(mode: number): boolean {
    return (this.#state.get(MODE) & mode) !== 0;
  }
  #setMode(bit: number, value: number): void {
    this.#state.set(MODE, (this.#state.get(MODE) & ~bit) | value);
  }
}
