// The local APIC: the interrupt controller inside the processor, at FEE0_0000. It orders interrupts by the upper four
// bits of their vectors, against the task priority (CR8), and has a timer of its own.
// SDM vol. 3A, "Advanced Programmable Interrupt Controller (APIC)". One processor: every IPI that goes anywhere goes here.
// In x2APIC mode the same registers are MSRs (x2apic.ts).

import {BankedDevice} from './banked-device.js';
import type {DeviceClock} from './device-clock.js';
import {ApicTimer} from './local-apic-timer.js';
import {apicModeOf, isX2ApicMsr, readX2Apic, writeX2Apic} from './x2apic.js';
import type {ApicMode, X2ApicRegisters} from './x2apic.js';

/** Offsets of the registers; the bank holds them at the same place, so it reads like the page does. */
export const APIC = {
  id: 0x20,
  version: 0x30,
  taskPriority: 0x80,
  processorPriority: 0xa0,
  endOfInterrupt: 0xb0,
  logicalDestination: 0xd0,
  destinationFormat: 0xe0,
  spurious: 0xf0,
  inService: 0x100,
  triggerMode: 0x180,
  requests: 0x200,
  errorStatus: 0x280,
  commandLow: 0x300,
  commandHigh: 0x310,
  timer: 0x320,
  thermal: 0x330,
  performance: 0x340,
  lint0: 0x350,
  lint1: 0x360,
  error: 0x370,
  initialCount: 0x380,
  currentCount: 0x390,
  divide: 0x3e0,
} as const;

const LOCAL_VECTORS: readonly number[] = [
  APIC.timer,
  APIC.thermal,
  APIC.performance,
  APIC.lint0,
  APIC.lint1,
  APIC.error,
];
/** Which bits an entry has. SDM vol. 3A, "Local Vector Table". */
const LOCAL_VECTOR_BITS: ReadonlyMap<number, number> = new Map([
  [APIC.timer, 0x7_00ff],
  [APIC.thermal, 0x1_07ff],
  [APIC.performance, 0x1_07ff],
  [APIC.lint0, 0x1_a7ff],
  [APIC.lint1, 0x1_a7ff],
  [APIC.error, 0x1_00ff],
]);
/** Version 14h, with local vectors 0 to 5. */
const VERSION = 0x0005_0014;
const MASKED = 0x1_0000;
const SOFTWARE_ENABLE = 0x100;
const EXT_INT = 0x700;
const NMI_MODE = 4,
  INIT_MODE = 5;
const INIT_ASSERT = 0x4000;
const FIRST_LEGAL_VECTOR = 16;
const ERROR_SENT_ILLEGAL = 0x20,
  ERROR_RECEIVED_ILLEGAL = 0x40,
  ERROR_ILLEGAL_REGISTER = 0x80;
/** Behind the page's registers: how many bits of IRR are set, and errors that ESR has not shown yet. */
const WAITING = 0x3f0,
  ERRORS = 0x3f4;
/** Destinations that mean every processor. */
const BROADCAST = 0xff,
  X2APIC_BROADCAST = 0xffff_ffff;
/** In x2APIC mode the logical id follows from the id: cluster 0, bit 0. */
const X2APIC_LOGICAL_ID = 1;
export const IA32_TSC_DEADLINE = 0x6e0;
const BANK_BYTES = 0x400;

/** What the local APIC needs of the processor that it is part of. */
export interface ApicHost {
  /** CR8: the upper four bits of the task priority. */
  getTaskPriority(): number;
  setTaskPriority(value: number): void;
  /** What IA32_APIC_BASE makes of it. */
  readonly mode: ApicMode;
  /** The time-stamp counter. */
  timeStamp(): bigint;
  raiseNmi(): void;
  /** An INIT arrives, from the processor itself: there is nobody else. */
  initialize(): void;
  /** EOI of a level-triggered interrupt goes to the IOAPICs. */
  broadcastEoi(vector: number): void;
}

export class LocalApic extends BankedDevice implements X2ApicRegisters {
  readonly #host: ApicHost;
  readonly #timer: ApicTimer;

  constructor(clock: DeviceClock, host: ApicHost) {
    super('local-apic', BANK_BYTES);
    this.#host = host;
    this.#timer = new ApicTimer(clock, {
      get: at => this.word(at),
      set: (at, value) => this.setWord(at, value),
      expire: () => this.#local(APIC.timer),
      isHeard: () => this.isEnabled && this.#accepts(this.word(APIC.timer)),
      timeStamp: () => host.timeStamp(),
    });
    this.#powerUp();
    // Firmware leaves the 8259 pair connected: virtual wire mode. MultiProcessor Specification, "Virtual Wire Mode".
    this.setWord(APIC.lint0, EXT_INT);
  }

  /** SDM vol. 3A, "Local APIC State After Power-Up or Reset". */
  #powerUp(): void {
    for (let at = 0; at < BANK_BYTES; at += 4) this.setWord(at, 0);
    this.setWord(APIC.spurious, 0xff);
    this.setWord(APIC.destinationFormat, 0xffff_ffff);
    for (const at of LOCAL_VECTORS) this.setWord(at, MASKED);
    this.#timer.reschedule();
  }

  /** Enabled by IA32_APIC_BASE and by the spurious-interrupt vector register. */
  get isEnabled(): boolean {
    const {mode} = this.#host;
    return (mode === 'xAPIC' || mode === 'x2APIC') && (this.word(APIC.spurious) & SOFTWARE_ENABLE) !== 0;
  }
  /** Whether INTR of the 8259 pair reaches the processor: through LINT0 as ExtINT, or past an APIC that is off. */
  get acceptsExternal(): boolean {
    const lint0 = this.word(APIC.lint0);
    return this.#host.mode === 'off' || ((lint0 & MASKED) === 0 && (lint0 & 0x700) === EXT_INT);
  }

  /** The vector that waits and is more important than what the processor does; undefined when there is none. */
  get requested(): number | undefined {
    // Asked before every instruction, so what is nearly always the answer comes first.
    if (this.word(WAITING) === 0 || !this.isEnabled) return undefined;
    const vector = this.#highest(APIC.requests);
    return vector !== undefined && vector >> 4 > this.#processorPriority >> 4 ? vector : undefined;
  }
  /** The vector that waits, however important: the highest in IRR. */
  get highestRequest(): number | undefined {
    return this.word(WAITING) === 0 || !this.isEnabled ? undefined : this.#highest(APIC.requests);
  }
  /** The processor takes the interrupt: IRR to ISR. */
  acknowledge(vector: number): void {
    this.#mark(APIC.requests, vector, 0);
    this.#mark(APIC.inService, vector, 1);
  }
  /** An interrupt message arrives: from an IOAPIC, from the bus, from this APIC itself. */
  accept(vector: number, trigger: 'edge' | 'level'): void {
    if (!this.isEnabled) return;
    if (vector < FIRST_LEGAL_VECTOR) return this.#raiseError(ERROR_RECEIVED_ILLEGAL);
    this.#mark(APIC.triggerMode, vector, trigger === 'level' ? 1 : 0);
    this.#mark(APIC.requests, vector, 1);
  }
  /** Whether an interrupt with this vector would reach the processor now. */
  hears(vector: number): boolean {
    return this.isEnabled && vector >> 4 > this.#processorPriority >> 4;
  }
  /** Whether a message to this destination (8 bits) means this processor: by its id, or by its bits of the logical one. */
  isDestination(destination: number, mode: 'physical' | 'logical'): boolean {
    if (destination === BROADCAST) return true;
    if (this.#host.mode === 'x2APIC') return this.#isX2ApicDestination(destination, mode);
    if (mode === 'physical') return destination === this.word(APIC.id) >>> 24;
    const own = this.word(APIC.logicalDestination) >>> 24;
    if (this.word(APIC.destinationFormat) >>> 28 === 0xf) return (own & destination) !== 0;
    return own >> 4 === destination >> 4 && (own & destination & 0xf) !== 0;
  }
  #isX2ApicDestination(destination: number, mode: 'physical' | 'logical'): boolean {
    if (destination === X2APIC_BROADCAST) return true;
    if (mode === 'physical') return destination === this.#x2ApicId;
    return destination >>> 16 === 0 && (destination & X2APIC_LOGICAL_ID) !== 0;
  }
  get #x2ApicId(): number {
    return 0;
  }

  // ── as the processor's MSRs reach it ────────────────────────────────────────────────────────────────────────────

  /** IA32_APIC_BASE was written. Enabling starts afresh; changing between page and MSRs keeps all but the ids. */
  baseChanged(before: bigint, after: bigint): void {
    const [from, to] = [apicModeOf(before), apicModeOf(after)];
    if (from === to) return;
    if (from === 'off') this.#powerUp();
    else if (to === 'x2APIC') this.setWord(APIC.id, this.#x2ApicId << 24);
  }
  /** RDMSR; undefined for what is not this APIC's now, which is #GP(0). */
  readMsr(index: number): bigint | undefined {
    if (index === IA32_TSC_DEADLINE) return this.#timer.deadline;
    return this.#host.mode === 'x2APIC' && isX2ApicMsr(index) ? readX2Apic(this, index) : undefined;
  }
  writeMsr(index: number, value: bigint): 'written' | 'refused' {
    if (index === IA32_TSC_DEADLINE) {
      this.#timer.setDeadline(value);
      return 'written';
    }
    return this.#host.mode === 'x2APIC' && isX2ApicMsr(index) ? writeX2Apic(this, index, value) : 'refused';
  }
  /** The time-stamp counter was set: its deadline is nearer or further now. */
  timeStampChanged(): void {
    this.#timer.reschedule();
  }

  get command(): bigint {
    return (BigInt(this.word(APIC.commandHigh)) << 32n) | BigInt(this.word(APIC.commandLow));
  }
  sendCommand(command: bigint): void {
    this.setWord(APIC.commandHigh, Number(command >> 32n));
    this.writeRegister(APIC.commandLow, Number(command & 0xffff_ffffn));
  }
  sendToSelf(vector: number): void {
    if (vector < FIRST_LEGAL_VECTOR) this.#raiseError(ERROR_SENT_ILLEGAL);
    else this.accept(vector, 'edge');
  }

  // ── its registers ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Registers are 32 bits wide, 16 bytes apart. What lies between them reads 0. */
  readRegister(offset: number): number {
    switch (offset) {
      case APIC.version:
        return VERSION;
      case APIC.taskPriority:
        return this.#taskPriority;
      case APIC.processorPriority:
        return this.#processorPriority;
      case APIC.currentCount:
        return this.#timer.currentCount;
      case APIC.endOfInterrupt:
        return 0;
      case APIC.id:
        return this.#host.mode === 'x2APIC' ? this.#x2ApicId : this.word(APIC.id);
      case APIC.logicalDestination:
        return this.#host.mode === 'x2APIC' ? X2APIC_LOGICAL_ID : this.word(APIC.logicalDestination);
      default:
        if (REGISTERS.has(offset)) return this.word(offset);
        if ((offset & 0xf) === 0) this.#raiseError(ERROR_ILLEGAL_REGISTER);
        return 0;
    }
  }

  writeRegister(offset: number, value: number): void {
    switch (offset) {
      case APIC.taskPriority:
        this.setWord(APIC.taskPriority, value & 0xff);
        return this.#host.setTaskPriority((value >> 4) & 0xf);
      case APIC.endOfInterrupt:
        return this.#endOfInterrupt();
      case APIC.spurious:
        this.setWord(offset, value & 0x1ff);
        if ((value & SOFTWARE_ENABLE) === 0) this.#maskLocalVectors();
        return;
      case APIC.errorStatus:
        this.setWord(offset, this.word(ERRORS));
        return this.setWord(ERRORS, 0);
      case APIC.commandLow:
        this.setWord(offset, value & 0xc_cfff);
        return this.#send(value);
      case APIC.initialCount:
        return this.#timer.start(value);
      case APIC.divide:
        return this.#timer.setDivide(value & 0xb);
      default:
        this.#writePlain(offset, value);
    }
  }

  #writePlain(offset: number, value: number): void {
    if (LOCAL_VECTORS.includes(offset)) {
      const disabled = (this.word(APIC.spurious) & SOFTWARE_ENABLE) === 0;
      const entry = (value & (LOCAL_VECTOR_BITS.get(offset) ?? 0)) | (disabled ? MASKED : 0);
      if (offset === APIC.timer) return this.#timer.setEntry(entry);
      return this.setWord(offset, entry);
    }
    const mask = WRITABLE.get(offset);
    if (mask !== undefined) this.setWord(offset, mask.fixed | (value & mask.writable));
    else if (!REGISTERS.has(offset)) this.#raiseError(ERROR_ILLEGAL_REGISTER);
  }

  /** Switched off by software, the APIC masks all local vectors, and they stay masked. */
  #maskLocalVectors(): void {
    for (const at of LOCAL_VECTORS) this.setWord(at, this.word(at) | MASKED);
    this.#timer.reschedule();
  }

  #endOfInterrupt(): void {
    const vector = this.#highest(APIC.inService);
    if (vector === undefined) return;
    this.#mark(APIC.inService, vector, 0);
    if (this.#isMarked(APIC.triggerMode, vector)) this.#host.broadcastEoi(vector);
  }

  /** The interrupt command register. Bits 19:18 shorthand: 0 destination, 1 self, 2 all, 3 all but self. */
  #send(command: number): void {
    const shorthand = (command >>> 18) & 3;
    const mode = (command & 0x800) === 0 ? 'physical' : 'logical';
    const isHere = shorthand === 0 ? this.#isCommandFor(mode) : shorthand !== 3;
    if (!isHere) return;
    const delivery = (command >>> 8) & 7;
    if (delivery === NMI_MODE) return this.#host.raiseNmi();
    // INIT with level "deassert" only sets arbitration ids.
    if (delivery === INIT_MODE && (command & INIT_ASSERT) !== 0) return this.#host.initialize();
    if (delivery > 1) return; // SMI and start-up: there is no other processor, and this one has started.
    if ((command & 0xff) < FIRST_LEGAL_VECTOR) return this.#raiseError(ERROR_SENT_ILLEGAL);
    this.accept(command & 0xff, 'edge');
  }

  #isCommandFor(mode: 'physical' | 'logical'): boolean {
    const high = this.word(APIC.commandHigh);
    return this.#host.mode === 'x2APIC' ? this.#isX2ApicDestination(high, mode) : this.isDestination(high >>> 24, mode);
  }

  /** A local source asks: as its entry says, a fixed interrupt or an NMI. */
  #local(at: number): void {
    const entry = this.word(at);
    if ((entry & MASKED) !== 0 || !this.isEnabled) return;
    if (((entry >>> 8) & 7) === NMI_MODE) this.#host.raiseNmi();
    else this.accept(entry & 0xff, 'edge');
  }
  #accepts(entry: number): boolean {
    return (entry & MASKED) === 0 && this.hears(entry & 0xff);
  }

  #raiseError(bit: number): void {
    this.setWord(ERRORS, this.word(ERRORS) | bit);
    const entry = this.word(APIC.error);
    if ((entry & MASKED) === 0 && (entry & 0xff) >= FIRST_LEGAL_VECTOR) this.#local(APIC.error);
  }

  get #taskPriority(): number {
    return (this.#host.getTaskPriority() << 4) | (this.word(APIC.taskPriority) & 0xf);
  }
  get #processorPriority(): number {
    const task = this.#taskPriority;
    const serving = this.#highest(APIC.inService) ?? 0;
    return task >> 4 >= serving >> 4 ? task : serving & 0xf0;
  }

  #highest(base: number): number | undefined {
    for (let part = 7; part >= 0; part--) {
      const bits = this.word(base + 0x10 * part);
      if (bits !== 0) return part * 32 + 31 - Math.clz32(bits);
    }
    return undefined;
  }
  #isMarked(base: number, vector: number): boolean {
    return ((this.word(base + 0x10 * (vector >> 5)) >>> (vector & 31)) & 1) === 1;
  }
  #mark(base: number, vector: number, value: 0 | 1): void {
    const at = base + 0x10 * (vector >> 5);
    const mask = 1 << (vector & 31);
    const before = this.#isMarked(base, vector) ? 1 : 0;
    this.setWord(at, value === 1 ? this.word(at) | mask : this.word(at) & ~mask);
    if (base === APIC.requests) this.setWord(WAITING, this.word(WAITING) + value - before);
  }
}

/** Plain storage: which bits can be written, which are always 1. */
const WRITABLE: ReadonlyMap<number, {readonly writable: number; readonly fixed: number}> = new Map([
  [APIC.id, {writable: 0xff00_0000, fixed: 0}],
  [APIC.logicalDestination, {writable: 0xff00_0000, fixed: 0}],
  [APIC.destinationFormat, {writable: 0xf000_0000, fixed: 0x0fff_ffff}],
  [APIC.commandHigh, {writable: 0xff00_0000, fixed: 0}],
]);
const VECTOR_SETS = [APIC.inService, APIC.triggerMode, APIC.requests].flatMap(base =>
  Array.from({length: 8}, (_, part) => base + 0x10 * part),
);
const REGISTERS: ReadonlySet<number> = new Set<number>([...Object.values(APIC), ...VECTOR_SETS]);
