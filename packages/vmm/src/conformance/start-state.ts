// The state in which a conformance case starts: flat segments, tables for its mode, a handler for each exception.
//
//   0000 real-mode vectors   0500 GDT   0600 TSS   1000 PML4   2000 PDPT   3000 page directory (first GiB, 2 MiB pages, user)
//   4000 IDT                 6000 handlers, 16 bytes each      7f00 stack  8000 code   9000 data   1f000 stack of ring 3
//
// Selectors are in Linux's order, because some executors run ring 3 with the host's.

import {gpa} from '@hyperscope/base';
import type {Cell, DescriptorRegister} from '@hyperscope/isa';
import type {GuestImage} from '../technique.js';
import type {RegisterValues} from '../virtual-machine.js';
import type {ConformanceCase} from './conformance-case.js';

export const START = {
  gdt: 0x500,
  tss: 0x600,
  pml4: 0x1000,
  pdpt: 0x2000,
  directory: 0x3000,
  idt: 0x4000,
  handlers: 0x6000,
  stack: 0x7f00,
  code: 0x8000,
  memoryBytes: 0x40_0000,
} as const;

const CODE_32 = 0x08;
const CODE_64 = 0x10;
const DATA = 0x18;
const TSS = 0x40;
const VECTORS = 32;
const HANDLER_BYTES = 16;

const quadwords = (...values: readonly bigint[]): Uint8Array => new Uint8Array(new BigUint64Array(values).buffer);

const GDT = quadwords(
  0n,
  0x00cf_9b00_0000_ffffn,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00cf_fb00_0000_ffffn,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
  0x00cf_1300_0000_ffffn, // 38h: not present
  0x0000_8b00_0000_0067n | (BigInt(START.tss) << 16n),
  0n,
);

/** What a case's guest-physical memory and registers are at first. */
export function startImage(test: ConformanceCase): GuestImage {
  const place = (at: number, bytes: Uint8Array) => ({gpa: gpa(at), bytes});
  return {
    memoryBytes: START.memoryBytes,
    segments: [
      place(START.handlers, handlers(test)),
      place(START.code, test.code),
      ...tables(test.mode).map(([at, bytes]) => place(at, bytes)),
      ...(test.memory ?? []).map(({gpa: at, bytes}) => place(at, Uint8Array.from(bytes))),
    ],
    registers: {...startRegisters(test.mode), ...test.registers},
  };
}

/** OUT E0h + vector, AL; HLT, unless the case brings its own. */
function handlers(test: ConformanceCase): Uint8Array {
  const bytes = new Uint8Array(VECTORS * HANDLER_BYTES).fill(0xf4);
  for (let vector = 0; vector < VECTORS; vector++)
    bytes.set(test.handlers?.[vector] ?? [0xe6, 0xe0 + vector, 0xf4], vector * HANDLER_BYTES);
  return bytes;
}

function tables(mode: ConformanceCase['mode']): readonly (readonly [number, Uint8Array])[] {
  if (mode === 'real')
    return [
      [
        0,
        new Uint8Array(
          Uint32Array.from({length: VECTORS}, (_, vector) => START.handlers + vector * HANDLER_BYTES).buffer,
        ),
      ],
    ];
  const tss = new DataView(new ArrayBuffer(0x68));
  tss.setUint32(4, START.stack, true);
  if (mode === 'protected') tss.setUint32(8, DATA, true);
  tss.setUint16(0x66, 0x68, true);
  // Page tables are there in protected mode too: a guest may turn paging on.
  return [
    [START.gdt, GDT],
    [START.tss, new Uint8Array(tss.buffer)],
    [START.idt, interruptTable(mode)],
    [START.pml4, quadwords(BigInt(START.pdpt) | 7n)],
    [START.pdpt, quadwords(BigInt(START.directory) | 7n)],
    [START.directory, quadwords(...Array.from({length: 512}, (_, index) => (BigInt(index) << 21n) | 0x87n))],
  ];
}

/** Interrupt gates; #BP may be raised from ring 3. */
function interruptTable(mode: 'protected' | 'long'): Uint8Array {
  const gates: bigint[] = [];
  for (let vector = 0; vector < VECTORS; vector++) {
    const rights = vector === 3 ? 0xeen : 0x8en;
    gates.push(
      BigInt(START.handlers + vector * HANDLER_BYTES) |
        (BigInt(mode === 'long' ? CODE_64 : CODE_32) << 16n) |
        (rights << 40n),
    );
    if (mode === 'long') gates.push(0n);
  }
  return quadwords(...gates);
}

function segment(
  register: DescriptorRegister,
  selector: number,
  attributes: number,
  limit: number,
  base = 0,
): Partial<Record<Cell, bigint>> {
  return {
    [`${register}.selector`]: BigInt(selector),
    [`${register}.base`]: BigInt(base),
    [`${register}.limit`]: BigInt(limit),
    [`${register}.attributes`]: BigInt(attributes),
  };
}

const DATA_REGISTERS = ['DS', 'ES', 'FS', 'GS', 'SS'] as const;
const GENERAL: RegisterValues = {
  RAX: 0n,
  RBX: 0n,
  RCX: 0n,
  RDX: 0n,
  RSI: 0n,
  RDI: 0n,
  RBP: 0n,
  R8: 0n,
  R9: 0n,
  R10: 0n,
  R11: 0n,
  R12: 0n,
  R13: 0n,
  R14: 0n,
  R15: 0n,
  RSP: BigInt(START.stack),
  RIP: BigInt(START.code),
  RFLAGS: 2n,
  CPL: 0n,
};

function startRegisters(mode: ConformanceCase['mode']): RegisterValues {
  if (mode === 'real') {
    const data = DATA_REGISTERS.map(register => segment(register, 0, 0x93, 0xffff));
    return Object.assign({}, GENERAL, ...data, segment('CS', 0, 0x9b, 0xffff), {
      CR0: 0x10n,
      'IDTR.base': 0n,
      'IDTR.limit': 0x3ffn,
    });
  }
  const long = mode === 'long';
  const data = DATA_REGISTERS.map(register => segment(register, DATA, 0xc093, 0xffff_ffff));
  const control = long
    ? {CR0: 0x8001_0011n, CR3: BigInt(START.pml4), CR4: 0x620n, EFER: 0xd01n}
    : {CR0: 0x11n, CR3: 0n, CR4: 0n, EFER: 0n};
  return Object.assign(
    {},
    GENERAL,
    control,
    ...data,
    segment('CS', long ? CODE_64 : CODE_32, long ? 0xa09b : 0xc09b, 0xffff_ffff),
    segment('TR', TSS, 0x8b, 0x67, START.tss),
    segment('LDTR', 0, 0x1_0000, 0),
    {
      'GDTR.base': BigInt(START.gdt),
      'GDTR.limit': BigInt(GDT.length - 1),
      'IDTR.base': BigInt(START.idt),
      'IDTR.limit': BigInt(VECTORS * (long ? 16 : 8) - 1),
    },
  );
}
