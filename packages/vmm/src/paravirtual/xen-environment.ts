// Xen as the processor sees it: an ordinary 64-bit processor with descriptor tables, gates, a TSS and SYSCALL MSRs that lead to Xen
// in ring 0, and page tables for the little that is there before the first domain.

import {hpa} from '@hyperscope/base';
import {EXCEPTIONS} from '@hyperscope/isa';
import {APIC} from '@hyperscope/machine';
import type {Machine} from '@hyperscope/machine';
import type {PcChipset} from '../user-space/pc-chipset.js';
import {ENTRY_STACK} from './user-registers.js';
import {FLAT_RING3_CS32, FLAT_RING3_CS64, FLAT_RING3_SS64} from './xen-interface.js';
import {
  IDLE_L4,
  IRETQ,
  SYSRETQ,
  STACK_TOP,
  XEN_CS,
  XEN_GDT,
  XEN_IDT,
  XEN_L2,
  XEN_L3,
  XEN_LINEAR,
  XEN_PHYSICAL,
  XEN_SS,
  XEN_TR,
  XEN_TSS,
  inXen,
  linearOf,
} from './xen-layout.js';

/** LOCAL_TIMER_VECTOR of Xen. */
export const TIMER_VECTOR = 0xf9;
/** Exceptions that can come out of a guest. */
export const EXCEPTION_VECTORS = [0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19] as const;
/** 'entry_PF' */
export const entryName = (vector: number): string =>
  `entry_${(EXCEPTIONS.find(each => each.vector === vector)?.name ?? `#${vector}`).slice(1)}`;

/** PE MP ET NE WP AM PG; PAE PGE OSFXSR OSXMMEXCPT; SCE LME LMA NXE. */
const CR0 = 0x8005_0033n;
const CR4 = 0x6a0n;
const EFER = 0xd01n;
/** TF IF DF IOPL NT RF VM AC: the flags that SYSCALL clears. */
const SYSCALL_MASK = 0x7_7700n;
const FLAT = 0xffff_ffff;
const UNUSABLE = 0x1_0000;
const INTERRUPT_GATE = 0x8e;
const SOFTWARE_ENABLE = 0x1ff;
const DIVIDE_BY_1 = 0xb;

/** Where gates and SYSCALL lead. */
export interface XenEntries {
  address(routine: string): bigint;
}

export function buildXenEnvironment(machine: Machine, chipset: PcChipset, entries: XenEntries): void {
  writeDescriptors(machine);
  writePageTables(machine);
  for (const vector of EXCEPTION_VECTORS) writeGate(machine, vector, entries.address(entryName(vector)));
  writeGate(machine, TIMER_VECTOR, entries.address('common_interrupt'));
  machine.memory.load(inXen(IRETQ), Uint8Array.of(0x48, 0xcf));
  machine.memory.load(inXen(SYSRETQ), Uint8Array.of(0x48, 0x0f, 0x07));
  setRegisters(machine, entries);
  const {localApic} = chipset;
  localApic.writeRegister(APIC.spurious, SOFTWARE_ENABLE);
  localApic.writeRegister(APIC.divide, DIVIDE_BY_1);
  localApic.writeRegister(APIC.timer, TIMER_VECTOR);
}

function setRegisters(machine: Machine, entries: XenEntries): void {
  const r = machine.registers;
  r.set('CR0', CR0);
  r.set('CR3', BigInt(IDLE_L4));
  r.set('CR4', CR4);
  r.set('EFER', EFER);
  r.set('STAR', (BigInt(FLAT_RING3_CS32) << 48n) | (BigInt(XEN_CS) << 32n));
  r.set('LSTAR', entries.address('lstar_enter'));
  r.set('FMASK', SYSCALL_MASK);
  r.set('SYSENTER_CS', 0n);
  r.set('GDTR.base', linearOf(XEN_GDT));
  r.set('GDTR.limit', 0xefffn);
  r.set('IDTR.base', linearOf(XEN_IDT));
  r.set('IDTR.limit', 0xfffn);
  r.set('DR6', 0xffff_0ff0n);
  r.set('DR7', 0x400n);
  r.setSegment('CS', {selector: XEN_CS, base: 0n, limit: FLAT, attributes: 0xa09b});
  r.setSegment('SS', {selector: XEN_SS, base: 0n, limit: FLAT, attributes: UNUSABLE});
  for (const name of ['DS', 'ES', 'FS', 'GS'] as const)
    r.setSegment(name, {selector: 0, base: 0n, limit: FLAT, attributes: UNUSABLE});
  r.setSegment('TR', {selector: XEN_TR, base: linearOf(XEN_TSS), limit: 0x67, attributes: 0x8b});
  r.setSegment('LDTR', {selector: 0, base: 0n, limit: 0, attributes: UNUSABLE});
  r.set('CPL', 0n);
  r.set('RFLAGS', 2n);
  r.set('RSP', linearOf(STACK_TOP));
  machine.tlb.flushAll();
}

function writeDescriptors({memory}: Machine): void {
  const base = linearOf(XEN_TSS);
  const task = 0x67n | ((base & 0xff_ffffn) << 16n) | (0x8bn << 40n) | (((base >> 24n) & 0xffn) << 56n);
  const descriptors: readonly (readonly [number, bigint])[] = [
    [XEN_CS, 0x00af_9b00_0000_ffffn],
    [XEN_CS + 8, 0x00cf_9300_0000_ffffn],
    [FLAT_RING3_CS32 & ~7, 0x00cf_fb00_0000_ffffn],
    [FLAT_RING3_SS64 & ~7, 0x00cf_f300_0000_ffffn],
    [FLAT_RING3_CS64 & ~7, 0x00af_fb00_0000_ffffn],
    [XEN_TR, task],
    [XEN_TR + 8, base >> 32n],
  ];
  for (const [selector, raw] of descriptors) memory.write(hpa(inXen(XEN_GDT) + selector), 8, raw);
  memory.write(hpa(inXen(XEN_TSS) + 4), 8, linearOf(ENTRY_STACK)); // RSP0
  memory.write(hpa(inXen(XEN_TSS) + 0x66), 2, 0x68n); // no I/O permission bit map: ports are #GP
}

/** Interrupt gates with DPL 0: INT n from ring 3 is #GP, and Xen looks into the guest's own trap table. */
function writeGate({memory}: Machine, vector: number, entry: bigint): void {
  const low =
    (entry & 0xffffn) | (BigInt(XEN_CS) << 16n) | (BigInt(INTERRUPT_GATE) << 40n) | (((entry >> 16n) & 0xffffn) << 48n);
  memory.write(hpa(inXen(XEN_IDT) + 16 * vector), 8, low);
  memory.write(hpa(inXen(XEN_IDT) + 16 * vector + 8), 8, entry >> 32n);
}

/** One large supervisor page, by the two tables that every root shares. */
function writePageTables({memory}: Machine): void {
  const slot = (shift: bigint): number => 8 * Number((XEN_LINEAR >> shift) & 511n);
  memory.write(hpa(IDLE_L4 + slot(39n)), 8, BigInt(XEN_L3) | 0x63n);
  memory.write(hpa(XEN_L3 + slot(30n)), 8, BigInt(XEN_L2) | 0x63n);
  memory.write(hpa(XEN_L2 + slot(21n)), 8, BigInt(XEN_PHYSICAL) | 0xe3n);
}
