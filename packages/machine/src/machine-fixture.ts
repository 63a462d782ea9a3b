// Machines for tests, ready to run a few bytes in a chosen mode. Not part of the package's interface.
//
//   1000 GDT   2000 IDT   3000 TSS   4000 PML4, 5000 PDPT, 6000 PD, 7000 PT (identity, user-accessible, 4 KiB pages)
//   8000 + 16 × vector: a handler that halts   10000 code   20000 code at CPL 3   38000 stack of CPL 0   48000 of CPL 3

import {hpa} from '@hyperscope/base';
import {isCell} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {NEHALEM_COSTS} from './cpu/cost-model.js';
import type {ProcessorProfile} from './cpu/core.js';
import {MODERN_INTEL} from './cpu/profiles.js';
import {Machine} from './machine.js';
import type {MachineOptions, MachineStep} from './machine.js';
import type {MachineEvent} from './observer.js';

export const GDT = 0x1000,
  IDT = 0x2000,
  TSS = 0x3000,
  PML4 = 0x4000,
  PDPT = 0x5000,
  PD = 0x6000,
  PT = 0x7000;
export const HANDLERS = 0x8000,
  CODE = 0x1_0000,
  USER_CODE = 0x2_0000,
  STACK = 0x3_8000,
  USER_STACK = 0x4_8000;

/** Selectors of the GDT below. The order from 18h on is what SYSRET expects. */
export const SEL = {
  code64: 0x08,
  data: 0x10,
  userCode32: 0x1b,
  userData: 0x23,
  userCode64: 0x2b,
  tss: 0x30,
  code32: 0x40,
  code16: 0x48,
  data16: 0x50,
  small: 0x58,
  expandDown: 0x60,
  readOnly: 0x68,
  notPresent: 0x70,
  callGate: 0x7b,
} as const;

const DESCRIPTORS: readonly bigint[] = [
  0n,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00cf_fb00_0000_ffffn,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
  // TSS at 3000h, limit FFFh, available.
  0x0000_8900_3000_0fffn,
  0n,
  0x00cf_9b00_0000_ffffn,
  0x0000_9b00_0000_ffffn,
  0x0000_9300_0000_ffffn,
  // small: base 50000h, limit Fh. expandDown: limit FFFh, so 1000h and above are valid. readOnly. notPresent.
  0x0040_9305_0000_000fn,
  0x0040_9700_0000_0fffn,
  0x00cf_9100_0000_ffffn,
  0x00cf_1300_0000_ffffn,
  // Call gate to code32:10080h, DPL 3.
  0x0001_ec00_0040_0080n,
  0n,
];

export interface Outcome {
  readonly last: MachineStep;
  readonly steps: number;
}

export class TestMachine {
  readonly machine: Machine;
  readonly events: MachineEvent[] = [];

  constructor(profile: ProcessorProfile = MODERN_INTEL, virtualization?: MachineOptions['virtualization']) {
    this.machine = new Machine({memoryBytes: 4 << 20, profile, costModel: NEHALEM_COSTS, virtualization});
    this.machine.observe({willWrite: () => undefined, event: event => this.events.push(event)});
  }

  /** Writes bytes given as hexadecimal text at a physical address. */
  bytes(address: number, ...text: readonly string[]): this {
    const values = text
      .join(' ')
      .trim()
      .split(/\s+/)
      .map(byte => parseInt(byte, 16));
    this.machine.memory.load(hpa(address), Uint8Array.from(values));
    return this;
  }
  quad(address: number, value: bigint): this {
    this.machine.memory.write(hpa(address), 8, BigInt.asUintN(64, value));
    return this;
  }
  set(cells: Readonly<Partial<Record<Cell, bigint>>>): this {
    for (const [name, value] of Object.entries(cells)) {
      if (isCell(name)) this.machine.registers.set(name, value);
    }
    return this;
  }
  get(cell: Cell): bigint {
    return this.machine.registers.get(cell);
  }
  read(address: number, bytes: number): bigint {
    return this.machine.memory.read(hpa(address), bytes);
  }

  /** Steps until the machine halts or stops. */
  run(limit = 1000): Outcome {
    for (let steps = 1; steps <= limit; steps++) {
      const last = this.machine.step();
      if (last.kind === 'halted' || last.kind === 'shutdown' || last.kind === 'unsupported') return {last, steps};
    }
    throw new Error(`still running after ${limit} steps, at ${this.get('RIP').toString(16)}`);
  }
  /** This machine, so many steps later. */
  after(steps: number): this {
    this.steps(steps);
    return this;
  }
  steps(count: number): MachineStep {
    let last: MachineStep = {kind: 'halted'};
    for (let i = 0; i < count; i++) last = this.machine.step();
    return last;
  }

  /** Exceptions raised so far: `#PF(0x7)` as `14:7`, without an error code `6`. */
  get exceptions(): readonly string[] {
    return this.events.flatMap(event =>
      event.kind === 'exception'
        ? [event.errorCode === undefined ? String(event.vector) : `${event.vector}:${event.errorCode.toString(16)}`]
        : [],
    );
  }
  /** The rule that the last exception's deciding check gives. */
  get why(): string | undefined {
    const last = this.events.findLast(event => event.kind === 'exception');
    return last?.kind === 'exception' ? last.checks[last.checks.length - 1]?.rule : undefined;
  }
  all<K extends MachineEvent['kind']>(kind: K): Extract<MachineEvent, {kind: K}>[] {
    return this.events.filter((event): event is Extract<MachineEvent, {kind: K}> => event.kind === kind);
  }
}

/** Real mode, flat at 0, code at 10000h as 1000:0000, stack at 0:8000h. */
export function realMode(...code: readonly string[]): TestMachine {
  const t = new TestMachine();
  t.bytes(CODE, ...code);
  t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
  for (let vector = 0; vector < 256; vector++) {
    t.machine.memory.write(hpa(vector * 4), 4, BigInt(HANDLERS + vector * 16));
    t.machine.memory.write(hpa(HANDLERS + vector * 16), 1, 0xf4n);
  }
  return t.set({RIP: 0n, RSP: 0x7000n, 'IDTR.limit': 0x3ffn});
}

interface Ring {
  readonly cpl?: 0 | 3;
  readonly profile?: ProcessorProfile | undefined;
  readonly unit?: MachineOptions['virtualization'];
  readonly rflags?: bigint;
}

function tables(t: TestMachine, gateBytes: 8 | 16): void {
  DESCRIPTORS.forEach((descriptor, index) => t.quad(GDT + 8 * index, descriptor));
  for (let vector = 0; vector < 256; vector++) {
    const handler = BigInt(HANDLERS + vector * 16);
    const selector = gateBytes === 16 ? SEL.code64 : SEL.code32;
    // Interrupt gate, DPL 0; INT 80h may be used from CPL 3.
    const rights = vector === 0x80 ? 0xeen : 0x8en;
    t.quad(
      IDT + vector * gateBytes,
      (handler & 0xffffn) | (BigInt(selector) << 16n) | (rights << 40n) | ((handler >> 16n) << 48n),
    );
    if (gateBytes === 16) t.quad(IDT + vector * 16 + 8, 0n);
    t.machine.memory.write(hpa(HANDLERS + vector * 16), 1, 0xf4n);
  }
  t.set({
    'GDTR.base': BigInt(GDT),
    'GDTR.limit': 0x87n,
    'IDTR.base': BigInt(IDT),
    'IDTR.limit': BigInt(256 * gateBytes - 1),
  });
  t.machine.registers.setSegment('TR', {selector: SEL.tss, base: BigInt(TSS), limit: 0xfff, attributes: 0x8b});
}

function segments(t: TestMachine, ring: 0 | 3, code: number, codeRights: number): void {
  const data = ring === 3 ? SEL.userData : SEL.data;
  const dpl = ring << 5;
  t.machine.registers.setSegment('CS', {selector: code, base: 0n, limit: 0xffff_ffff, attributes: codeRights | dpl});
  for (const register of ['SS', 'DS', 'ES', 'FS', 'GS'] as const) {
    t.machine.registers.setSegment(register, {selector: data, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 | dpl});
  }
  t.set({CPL: BigInt(ring)});
}

/** 32-bit protected mode without paging, flat segments. */
export function protectedMode({cpl = 0, rflags = 2n, profile, unit}: Ring, ...code: readonly string[]): TestMachine {
  const t = new TestMachine(profile, unit);
  tables(t, 8);
  t.bytes(cpl === 0 ? CODE : USER_CODE, ...code);
  segments(t, cpl, cpl === 0 ? SEL.code32 : SEL.userCode32, 0xc09b);
  t.machine.memory.write(hpa(TSS + 4), 4, BigInt(STACK));
  t.machine.memory.write(hpa(TSS + 8), 4, BigInt(SEL.data));
  return t.set({
    CR0: 0x11n,
    RFLAGS: rflags,
    RIP: BigInt(cpl === 0 ? CODE : USER_CODE),
    RSP: BigInt(cpl === 0 ? STACK : USER_STACK),
  });
}

/** 64-bit mode: identity pages, all of them user-accessible and writable. */
export function longMode({cpl = 0, rflags = 2n, profile, unit}: Ring, ...code: readonly string[]): TestMachine {
  const t = new TestMachine(profile, unit);
  tables(t, 16);
  t.quad(PML4, BigInt(PDPT) | 7n)
    .quad(PDPT, BigInt(PD) | 7n)
    .quad(PD, BigInt(PT) | 7n);
  for (let page = 0; page < 512; page++) t.quad(PT + 8 * page, BigInt(page * 4096) | 7n);
  t.quad(TSS + 4, BigInt(STACK));
  t.bytes(cpl === 0 ? CODE : USER_CODE, ...code);
  segments(t, cpl, cpl === 0 ? SEL.code64 : SEL.userCode64, 0xa09b);
  return t.set({
    CR0: 0x8001_0011n,
    CR3: BigInt(PML4),
    CR4: 0x20n,
    EFER: 0xd01n,
    RFLAGS: rflags,
    RIP: BigInt(cpl === 0 ? CODE : USER_CODE),
    RSP: BigInt(cpl === 0 ? STACK : USER_STACK),
  });
}

/** The entry of the page table for an address below 2 MiB. */
export const pteAt = (address: number): number => PT + 8 * (address >> 12);
