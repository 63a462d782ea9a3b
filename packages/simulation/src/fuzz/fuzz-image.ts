// What stands in memory before a program of the fuzzer, and the registers with which it starts. The tables are made so
// that no program, however wild, leaves the window: segments end with it, pages outside are absent or read-only.
//
//    0000 IVT     0500 GDT     0700 TSS     1000 PML4, PDPT, page directory, page table (2 MiB, 4 KiB pages)
//    5000 IDT     6000 handlers, HLT each, 4 bytes apart     7000 interrupt stack (long mode)     8000 code
//   20000 … 4ffff window: data, and the stack from 40000

import type {Cell, DescriptorRegister} from '@hyperscope/isa';
import {keysOf} from '@hyperscope/base';
import {Random} from './random.js';

export const FUZZ_MODES = {
  real: {codeSize: 16, cpl: 0, title: 'real mode'},
  protected: {codeSize: 32, cpl: 0, title: 'protected mode, ring 0, 32-bit code'},
  long: {codeSize: 64, cpl: 0, title: 'long mode, ring 0, 64-bit code'},
  ring3: {codeSize: 64, cpl: 3, title: 'long mode, ring 3, 64-bit code'},
} as const;
export type FuzzMode = keyof typeof FUZZ_MODES;

export const FUZZ_LAYOUT = {
  memoryBytes: 2 << 20,
  gdt: 0x500,
  tss: 0x700,
  pml4: 0x1000,
  pdpt: 0x2000,
  directory: 0x3000,
  table: 0x4000,
  idt: 0x5000,
  handlers: 0x6000,
  interruptStack: 0x7f00,
  code: 0x8000,
  codeBytes: 0x2000,
  window: 0x2_0000,
  stack: 0x4_0000,
  end: 0x5_0000,
} as const;
/** Pages of the window that are not like the others in long mode: absent, read-only, the supervisor's. */
export const ODD_PAGES = {absent: 0x2_4000, readOnly: 0x2_8000, supervisor: 0x2_c000} as const;

/** Selectors. User code and data lie where Linux has them: on some hosts ring 3 sees the host's own (quirk D4). */
export const SELECTORS = {
  code: 0x08,
  data: 0x10,
  smallData: 0x18,
  stack: 0x20,
  userData: 0x2b,
  userCode: 0x33,
  tss: 0x38,
  readOnly: 0x48,
  expandDown: 0x50,
  absent: 0x58,
  conforming: 0x60,
  executeOnly: 0x68,
  code16: 0x80,
} as const;
const GDT_LIMIT = 0x87;
const HANDLER_BYTES = 4;
/** The stack segment begins at 0: some hosts push an exception's frame as if every stack segment did. */
const STACK_LIMIT = FUZZ_LAYOUT.end - 1;

export interface FuzzState {
  /** Memory from address 0 to FUZZ_LAYOUT.end. */
  readonly memory: Uint8Array;
  /** Every cell that a program can depend on. */
  readonly registers: Readonly<Partial<Record<Cell, bigint>>>;
}

/** The vector whose handler has halted at `rip`; undefined elsewhere. */
export function vectorAt(rip: bigint): number | undefined {
  const offset = Number(rip) - 1 - FUZZ_LAYOUT.handlers;
  return offset >= 0 && offset < 256 * HANDLER_BYTES && offset % HANDLER_BYTES === 0
    ? offset / HANDLER_BYTES
    : undefined;
}

/** The state that every program of a mode starts from, before its own code and registers. */
export function startOf(mode: FuzzMode): FuzzState {
  const memory = new Uint8Array(FUZZ_LAYOUT.end);
  const random = new Random(0x6879_7065, 0);
  for (let at: number = FUZZ_LAYOUT.window; at < FUZZ_LAYOUT.end; at++) memory[at] = random.next() >>> 24;
  memory.fill(0xf4, FUZZ_LAYOUT.handlers, FUZZ_LAYOUT.handlers + 256 * HANDLER_BYTES);
  const view = new DataView(memory.buffer);
  if (mode === 'real') writeVectors(view);
  else writeTables(view, mode);
  return {memory, registers: registersOf(mode)};
}

function writeVectors(view: DataView): void {
  for (let vector = 0; vector < 256; vector++)
    view.setUint32(vector * 4, FUZZ_LAYOUT.handlers + vector * HANDLER_BYTES, true);
}

/** Access byte and flags nibble (G, D/B, L, AVL from the top). SDM vol. 3A, "Segment Descriptors". */
function descriptor(base: number, limit: number, access: number, flags: number): bigint {
  const [b, l] = [BigInt(base), BigInt(limit)];
  return (
    (l & 0xffffn) |
    ((b & 0xff_ffffn) << 16n) |
    (BigInt(access) << 40n) |
    ((l >> 16n) << 48n) |
    (BigInt(flags) << 52n) |
    ((b >> 24n) << 56n)
  );
}

function writeTables(view: DataView, mode: FuzzMode): void {
  const long = mode !== 'protected';
  const {window} = FUZZ_LAYOUT;
  const gdt: readonly (readonly [selector: number, descriptor: bigint])[] = [
    [SELECTORS.code, long ? descriptor(0, 0xf_ffff, 0x9b, 0xa) : descriptor(0, 0xffff, 0x9b, 4)],
    [SELECTORS.data, descriptor(window, 0x2_ffff, 0x93, 4)],
    [SELECTORS.smallData, descriptor(0x3_0000, 0xffff, 0x93, 4)],
    [SELECTORS.stack, descriptor(0, STACK_LIMIT, 0x93, 4)],
    [SELECTORS.userData & ~3, long ? descriptor(0, 0xf_ffff, 0xf3, 0xc) : descriptor(window, 0x2_ffff, 0xf3, 4)],
    [SELECTORS.userCode & ~3, long ? descriptor(0, 0xf_ffff, 0xfb, 0xa) : descriptor(0, 0xffff, 0xfb, 4)],
    [SELECTORS.tss, descriptor(FUZZ_LAYOUT.tss, 0x67, 0x8b, 0)],
    [SELECTORS.readOnly, descriptor(window, 0xffff, 0x91, 4)],
    [SELECTORS.expandDown, descriptor(window, 0x3fff, 0x97, 0)],
    [SELECTORS.absent, descriptor(window, 0xffff, 0x13, 4)],
    [SELECTORS.conforming, long ? descriptor(0, 0xf_ffff, 0x9f, 0xa) : descriptor(0, 0xffff, 0x9f, 4)],
    [SELECTORS.executeOnly, descriptor(0, 0xffff, 0x99, long ? 2 : 4)],
    [SELECTORS.code16, descriptor(0, 0xffff, 0x9b, 0)],
  ];
  for (const [selector, value] of gdt) view.setBigUint64(FUZZ_LAYOUT.gdt + selector, value, true);
  writeGates(view, long);
  if (!long) return;
  view.setUint32(FUZZ_LAYOUT.tss + 4, FUZZ_LAYOUT.interruptStack, true); // RSP0
  view.setUint32(FUZZ_LAYOUT.tss + 0x24, FUZZ_LAYOUT.interruptStack, true); // IST1
  view.setUint16(FUZZ_LAYOUT.tss + 0x66, 0x68, true); // no I/O bitmap
  writePages(view, mode === 'ring3' ? 4 : 0);
}

/** Interrupt gates; in long mode all with IST1, so that a frame can be pushed whatever RSP is. #BP and #OF for ring 3. */
function writeGates(view: DataView, long: boolean): void {
  for (let vector = 0; vector < (long ? 32 : 256); vector++) {
    const at = FUZZ_LAYOUT.idt + vector * (long ? 16 : 8);
    view.setUint16(at, FUZZ_LAYOUT.handlers + vector * HANDLER_BYTES, true);
    view.setUint16(at + 2, SELECTORS.code, true);
    view.setUint8(at + 4, long ? 1 : 0);
    view.setUint8(at + 5, vector === 3 || vector === 4 ? 0xee : 0x8e);
  }
}

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
/** Accessed and dirty, set beforehand: what a program changes is then only what it stores. */
const USED = 0x60;

function writePages(view: DataView, user: 0 | 4): void {
  const upper = PRESENT | WRITABLE | USER | USED;
  view.setUint32(FUZZ_LAYOUT.pml4, FUZZ_LAYOUT.pdpt | upper, true);
  view.setUint32(FUZZ_LAYOUT.pdpt, FUZZ_LAYOUT.directory | upper, true);
  view.setUint32(FUZZ_LAYOUT.directory, FUZZ_LAYOUT.table | upper, true);
  for (let page = 0; page < FUZZ_LAYOUT.end; page += 0x1000)
    view.setUint32(FUZZ_LAYOUT.table + (page >> 12) * 8, page | rightsOf(page, user), true);
}

function rightsOf(page: number, user: 0 | 4): number {
  const {interruptStack, code, codeBytes, window} = FUZZ_LAYOUT;
  if (page === (interruptStack & ~0xfff)) return PRESENT | WRITABLE | USED;
  if (page >= code && page < code + codeBytes) return PRESENT | user | USED;
  if (page < window) return PRESENT | USED;
  if (page === ODD_PAGES.absent) return USED | WRITABLE | user;
  if (page === ODD_PAGES.readOnly) return PRESENT | user | USED;
  if (page === ODD_PAGES.supervisor) return PRESENT | WRITABLE | USED;
  return PRESENT | WRITABLE | user | USED;
}

type Registers = Partial<Record<Cell, bigint>>;

function segment(
  name: DescriptorRegister,
  [selector, base, limit, attributes]: readonly [number, number, number, number],
) {
  return {
    [`${name}.selector`]: BigInt(selector),
    [`${name}.base`]: BigInt(base),
    [`${name}.limit`]: BigInt(limit),
    [`${name}.attributes`]: BigInt(attributes),
  };
}

const UNUSABLE = 0x1_0000;
const COMMON = {
  CR2: 0n,
  CR8: 0n,
  'GDTR.base': BigInt(FUZZ_LAYOUT.gdt),
  'GDTR.limit': BigInt(GDT_LIMIT),
  'IDTR.base': BigInt(FUZZ_LAYOUT.idt),
  ...segment('LDTR', [0, 0, 0, UNUSABLE | 2]),
  ...segment('TR', [SELECTORS.tss, FUZZ_LAYOUT.tss, 0x67, 0x8b]),
  RIP: BigInt(FUZZ_LAYOUT.code),
  DR0: 0n,
  DR1: 0n,
  DR2: 0n,
  DR3: 0n,
  DR6: 0xffff_0ff0n,
  DR7: 0x400n,
} as const;

const SEGMENTS = {
  real: {
    CS: [0, 0, 0xffff, 0x9b],
    DS: [0x2000, 0x2_0000, 0xffff, 0x93],
    ES: [0x3000, 0x3_0000, 0xffff, 0x93],
    FS: [0x2800, 0x2_8000, 0xffff, 0x93],
    GS: [0x3800, 0x3_8000, 0xffff, 0x93],
    SS: [0x4000, 0x4_0000, 0xffff, 0x93],
  },
  protected: {
    CS: [SELECTORS.code, 0, 0xffff, 0x409b],
    DS: [SELECTORS.data, 0x2_0000, 0x2_ffff, 0x4093],
    ES: [SELECTORS.smallData, 0x3_0000, 0xffff, 0x4093],
    FS: [SELECTORS.expandDown, 0x2_0000, 0x3fff, 0x0097],
    GS: [SELECTORS.readOnly, 0x2_0000, 0xffff, 0x4091],
    SS: [SELECTORS.stack, 0, STACK_LIMIT, 0x4093],
  },
  long: {
    CS: [SELECTORS.code, 0, 0xffff_ffff, 0xa09b],
    DS: [SELECTORS.data, 0x2_0000, 0x2_ffff, 0x4093],
    ES: [SELECTORS.data, 0x2_0000, 0x2_ffff, 0x4093],
    FS: [0, 0x2_1000, 0xffff_ffff, 0xc093],
    GS: [0, 0x3_2345, 0xffff_ffff, 0xc093],
    SS: [SELECTORS.stack, 0, STACK_LIMIT, 0x4093],
  },
  ring3: {
    CS: [SELECTORS.userCode, 0, 0xffff_ffff, 0xa0fb],
    DS: [0, 0, 0xffff_ffff, 0xc0f3],
    ES: [0, 0, 0xffff_ffff, 0xc0f3],
    FS: [0, 0x2_1000, 0xffff_ffff, 0xc0f3],
    GS: [0, 0x3_2345, 0xffff_ffff, 0xc0f3],
    SS: [SELECTORS.userData, 0, 0xffff_ffff, 0xc0f3],
  },
} as const;

const CONTROL = {
  real: {CR0: 0x10n, CR3: 0n, CR4: 0n, EFER: 0n, 'IDTR.base': 0n, 'IDTR.limit': 0x3ffn},
  protected: {CR0: 0x11n, CR3: 0n, CR4: 0n, EFER: 0n, 'IDTR.limit': 0x7ffn},
  // WP; OSFXSR, OSXMMEXCPT, PAE and FSGSBASE; SCE, LME, LMA, NXE.
  long: {
    CR0: 0x8005_0033n,
    CR3: BigInt(FUZZ_LAYOUT.pml4),
    CR4: 0x1_0620n,
    EFER: 0xd01n,
    KERNEL_GS_BASE: 0x3_1000n,
    'IDTR.limit': 0x1ffn,
  },
  ring3: {CR0: 0x8005_0033n, CR3: BigInt(FUZZ_LAYOUT.pml4), CR4: 0x1_0620n, EFER: 0xd01n, 'IDTR.limit': 0x1ffn},
} as const;

function registersOf(mode: FuzzMode): Registers {
  const segments = keysOf(SEGMENTS[mode]).map(name => segment(name, SEGMENTS[mode][name]));
  return Object.assign({}, COMMON, CONTROL[mode], ...segments);
}
