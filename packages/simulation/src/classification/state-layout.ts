// What stands in memory before an instruction is classified by executing it: the tables of a system, twice, so that each
// table register can name another place; and a program's code, data and stack, which are the E of S = ⟨E, M, P, R⟩
// (Popek and Goldberg, CACM 17(7), 1974). One page of 2 or 4 MiB maps all of it; a second copy stands in other frames.
//
//    1000 GDT      1800 another GDT   2000 IDT     3000 another IDT   4000 TSS, 4100 another, 4200 LDT, 4300 another
//    5000 page tables                 8000 the same for the second copy
//    c000 handlers, 16 bytes apart    d000 SYSCALL and SYSENTER arrive here        f000 stack of ring 0
//   10000 code    20000 data          30000 stack            40000 VMXON region, VMCS, host-save area

import type {CodeSize} from '@hyperscope/isa';

/** Code that classification runs: 32-bit protected mode, 64-bit mode. */
export type ClassifiedMode = Exclude<CodeSize, 16>;

export const LAYOUT = {
  memoryBytes: 8 << 20,
  gdt: 0x1000,
  otherGdt: 0x1800,
  idt: 0x2000,
  otherIdt: 0x3000,
  tss: 0x4000,
  otherTss: 0x4100,
  ldt: 0x4200,
  otherLdt: 0x4300,
  pages: 0x5000,
  otherPages: 0x8000,
  handlers: 0xc000,
  systemCall: 0xd000,
  kernelStack: 0xf000,
  /** From here to `programEnd`: what belongs to the program. */
  code: 0x1_0000,
  /** Where far transfers go. Read as a flags image it has IF and IOPL 3, so the same word on the stack serves POPF. */
  target: 0x1_3200,
  otherTarget: 0x1_3600,
  data: 0x2_0000,
  source: 0x2_1000,
  destination: 0x2_2000,
  controlBlock: 0x2_4000,
  stack: 0x3_0000,
  programEnd: 0x4_0000,
  vmxon: 0x4_0000,
  vmcs: 0x4_1000,
  otherVmcs: 0x4_2000,
  hostSave: 0x4_3000,
  end: 0x4_4000,
  /** How much further the second copy stands: x of R ⊕ x. */
  shift: 4 << 20,
} as const;

/** Selectors. What the order of the first is, SYSCALL, SYSENTER and their returns expect. */
export const SELECTOR = {
  kernelCode: 0x08,
  kernelData: 0x10,
  userCode: 0x1b,
  userData: 0x23,
  /** In 64-bit mode SYSRET and SYSEXIT go here. */
  userCode64: 0x2b,
  tss: 0x38,
  otherTss: 0x48,
  ldt: 0x58,
  otherLdt: 0x68,
  conformingCode: 0x78,
  /** To conforming code, and to code of ring 0. */
  callGate: 0x83,
  ringGate: 0x93,
  /** The same as userData and userCode, under other names. */
  otherUserData: 0xa3,
  otherUserCode: 0xab,
} as const;
export const TABLE_LIMIT = 0xb7;

type Descriptors = readonly (readonly [selector: number, descriptor: bigint])[];

/** Base, limit, access byte and the flags G D/B L AVL. SDM vol. 3A, "Segment Descriptors". */
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

/** A call gate of DPL 3 without parameters. */
const callGate = (selector: number, offset: number): bigint =>
  BigInt(offset & 0xffff) | (BigInt(selector) << 16n) | (0xecn << 40n) | (BigInt(offset >>> 16) << 48n);

/** `another`: the same selectors, but other rights and limits, and a gate that leads elsewhere. */
function descriptors(mode: ClassifiedMode, table: 'the first' | 'another'): Descriptors {
  const code = mode === 64 ? 0xa : 0xc;
  const limit = table === 'the first' ? 0xf_ffff : 0x7_ffff;
  const data = table === 'the first' ? 0x93 : 0x91;
  const to = table === 'the first' ? LAYOUT.target : LAYOUT.otherTarget;
  return [
    [SELECTOR.kernelCode, descriptor(0, 0xf_ffff, 0x9b, code)],
    [SELECTOR.kernelData, descriptor(0, limit, 0x93, 0xc)],
    [SELECTOR.userCode, descriptor(0, limit, table === 'the first' ? 0xfb : 0xf9, code)],
    [SELECTOR.userData, descriptor(0, limit, data | 0x60, 0xc)],
    [SELECTOR.userCode64, descriptor(0, limit, mode === 64 ? 0xfb : 0xf3, mode === 64 ? 0xa : 0xc)],
    [SELECTOR.tss, descriptor(LAYOUT.tss, 0x67, 0x8b, 0)],
    [SELECTOR.otherTss, descriptor(LAYOUT.otherTss, 0x67, 0x89, 0)],
    [SELECTOR.ldt, descriptor(LAYOUT.ldt, 0x1f, 0x82, 0)],
    [SELECTOR.otherLdt, descriptor(LAYOUT.otherLdt, 0x1f, 0x82, 0)],
    [SELECTOR.conformingCode, descriptor(0, 0xf_ffff, 0x9f, code)],
    [SELECTOR.callGate, callGate(SELECTOR.conformingCode, to)],
    [SELECTOR.ringGate, callGate(SELECTOR.kernelCode, to)],
    [SELECTOR.otherUserData, descriptor(0, 0xf_ffff, 0xf3, 0xc)],
    [SELECTOR.otherUserCode, descriptor(0, 0xf_ffff, 0xfb, code)],
  ];
}

/** Everything that stands below `end`, for the first copy. */
export function memoryImage(mode: ClassifiedMode, revision: number): Uint8Array {
  const memory = new Uint8Array(LAYOUT.end);
  const view = new DataView(memory.buffer);
  for (const [at, table] of [
    [LAYOUT.gdt, 'the first'],
    [LAYOUT.otherGdt, 'another'],
  ] as const)
    for (const [selector, value] of descriptors(mode, table)) view.setBigUint64(at + (selector & ~7), value, true);
  for (const at of [LAYOUT.idt, LAYOUT.otherIdt]) writeGates(view, mode, at);
  for (const at of [LAYOUT.tss, LAYOUT.otherTss]) {
    view.setUint32(at + 4, LAYOUT.kernelStack, true);
    if (mode === 32) view.setUint16(at + 8, SELECTOR.kernelData, true);
    view.setUint16(at + 0x66, 0x68, true); // no I/O permission bitmap
  }
  writePages(view, mode, LAYOUT.pages, 0);
  writePages(view, mode, LAYOUT.otherPages, LAYOUT.shift);
  for (const at of [LAYOUT.vmxon, LAYOUT.vmcs, LAYOUT.otherVmcs]) view.setUint32(at, revision, true);
  memory.fill(0x11, LAYOUT.otherVmcs + 16, LAYOUT.otherVmcs + 0x1000);
  memory.fill(0xf4, LAYOUT.handlers, LAYOUT.systemCall + 0x100);
  return memory;
}

/** Interrupt gates to the handlers; those of INT3, INTO, INT1 and INT 80h are for every ring. */
function writeGates(view: DataView, mode: ClassifiedMode, table: number): void {
  for (let vector = 0; vector < 256; vector++) {
    const at = table + vector * (mode === 64 ? 16 : 8);
    view.setUint16(at, LAYOUT.handlers + (vector % 32) * 16, true);
    view.setUint16(at + 2, SELECTOR.kernelCode, true);
    view.setUint8(at + 5, [1, 3, 4, 0x80].includes(vector) ? 0xee : 0x8e);
  }
}

/** One large page, accessed and dirty beforehand, for every ring. */
function writePages(view: DataView, mode: ClassifiedMode, at: number, frame: number): void {
  const page = BigInt(frame) | 0xe7n;
  if (mode === 32) return view.setBigUint64(at, page, true);
  view.setBigUint64(at, BigInt(at + 0x1000) | 0x27n, true);
  view.setBigUint64(at + 0x1000, BigInt(at + 0x2000) | 0x27n, true);
  view.setBigUint64(at + 0x2000, page, true);
}
