// The VMM as the processor sees it: descriptor tables, task state segments, gates that lead to its code, SYSCALL MSRs; and the
// way from 32-bit protected mode to IA-32e mode and back, which it goes when its guest believes to go it.
// SDM vol. 3A, "Initializing IA-32e Mode", "Leaving IA-32e Mode".

import type {Hpa} from '@hyperscope/base';
import type {Machine, PhysicalMemory} from '@hyperscope/machine';
import {
  CALL_GATE_32,
  CALL_GATE_64,
  IDT_32,
  IDT_64,
  ONLY_PLACE,
  SHADOW_GDT,
  SHADOW_LDT,
  SHADOW_LDT_SELECTOR,
  STACK_TOP,
  TSS_32,
  TSS_64,
  VMM_CS_32,
  VMM_CS_64,
  VMM_SS,
  VMM_TR_32,
  VMM_TR_64,
  inWindow,
  linearOf,
} from './vmm-layout.js';
import type {VmPlace} from './vmm-layout.js';

/** The vector on which the VMM hears of the devices that stand behind its guest's. */
export const DEVICE_VECTOR = 0xec;
export const VECTORS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19, DEVICE_VECTOR] as const;

const FLAT = 0xffff_ffff;
const CODE_64 = 0xa09b;
const CODE_32 = 0xc09b;
const DATA = 0xc093;
const INTERRUPT_GATE = 0x8e;
const CALL_GATE = 0xcc;
/** TF IF DF NT AC and the status flags: SYSCALL leads to a VMM that nothing interrupts. */
const SYSCALL_MASK = 0x25_7fd5n;
const EFER_LME_LMA = 0x500n;
const EFER_NXE = 0x800n;

/** `entries`: where each vector leads, and SYSCALL. */
export interface VmmEntries {
  ofVector(vector: number): bigint;
  readonly systemCall: bigint;
  /** Where a call gate leads, for translated code only; none where absent. */
  readonly callout?: bigint | undefined;
}

/** Tables in a window: descriptors, task states, and a gate for each of `vectors`. */
export function writeVmmTables(
  {memory}: Machine,
  entries: VmmEntries,
  place: VmPlace = ONLY_PLACE,
  vectors: readonly number[] = VECTORS,
): void {
  const at = (offset: number): Hpa => inWindow(offset, place);
  writeDescriptors(memory, at);
  writeTaskStates(memory, at);
  for (const vector of vectors) writeGates(memory, at, vector, entries.ofVector(vector));
  if (entries.callout !== undefined) writeCallGates(memory, at, entries.callout);
}

/** The registers that never change while the VMM has the processor. */
export function takeProcessor(machine: Machine, entries: VmmEntries): void {
  const r = machine.registers;
  r.set('STAR', BigInt(VMM_CS_64) << 32n);
  r.set('LSTAR', entries.systemCall);
  r.set('CSTAR', entries.systemCall);
  r.set('FMASK', SYSCALL_MASK);
  // 0: SYSENTER is #GP(0). It saves nothing of its caller, so a VMM that was entered by it could not emulate it.
  r.set('SYSENTER_CS', 0n);
  r.set('GDTR.base', linearOf(SHADOW_GDT));
  r.set('GDTR.limit', 0xffffn);
  r.set('DR6', 0xffff_0ff0n);
  r.set('CR0', 0x8001_0031n);
  r.set('CR4', 0x20n);
  r.set('RFLAGS', 2n);
  r.set('CPL', 0n);
  if (machine.features.nx) r.set('EFER', r.get('EFER') | EFER_NXE);
  enterMode(machine, 'protected');
}

/** Paging off, LME, CR3, paging on, a far jump: what is left of it is another format of everything in memory. */
export function enterMode(machine: Machine, mode: 'protected' | 'IA-32e'): void {
  const r = machine.registers;
  const isLong = mode === 'IA-32e';
  r.set('EFER', isLong ? r.get('EFER') | EFER_LME_LMA : r.get('EFER') & ~EFER_LME_LMA);
  r.set('IDTR.base', linearOf(isLong ? IDT_64 : IDT_32));
  r.set('IDTR.limit', isLong ? 0xfffn : 0x7ffn);
  const cs = isLong ? VMM_CS_64 : VMM_CS_32;
  r.setSegment('CS', {selector: cs, base: 0n, limit: FLAT, attributes: isLong ? CODE_64 : CODE_32});
  r.setSegment('SS', {selector: VMM_SS, base: 0n, limit: FLAT, attributes: DATA});
  const selector = isLong ? VMM_TR_64 : VMM_TR_32;
  r.setSegment('TR', {selector, base: linearOf(isLong ? TSS_64 : TSS_32), limit: 0x67, attributes: 0x8b});
  r.set('RSP', linearOf(STACK_TOP));
  machine.tlb.flushAll();
}

type Place = (offset: number) => Hpa;

function writeDescriptors(memory: PhysicalMemory, at: Place): void {
  const put = (selector: number, raw: bigint): void => memory.write(at(SHADOW_GDT + selector), 8, raw);
  put(VMM_CS_64, 0x00af_9b00_0000_ffffn);
  put(VMM_SS, 0x00cf_9300_0000_ffffn);
  put(VMM_CS_32, 0x00cf_9b00_0000_ffffn);
  put(SHADOW_LDT_SELECTOR, systemDescriptor(linearOf(SHADOW_LDT), 0xffffn, 0x82n));
  put(VMM_TR_64, systemDescriptor(linearOf(TSS_64), 0x67n, 0x8bn));
  put(VMM_TR_32, systemDescriptor(linearOf(TSS_32), 0x67n, 0x8bn));
}

function systemDescriptor(base: bigint, limit: bigint, rights: bigint): bigint {
  return limit | ((base & 0xff_ffffn) << 16n) | (rights << 40n) | (((base >> 24n) & 0xffn) << 56n);
}

/** The stack for entries into ring 0; no I/O permission bit map, so every port traps. */
function writeTaskStates(memory: PhysicalMemory, at: Place): void {
  memory.write(at(TSS_64 + 4), 8, linearOf(STACK_TOP));
  memory.write(at(TSS_64 + 0x66), 2, 0x68n);
  memory.write(at(TSS_32 + 4), 4, linearOf(STACK_TOP));
  memory.write(at(TSS_32 + 8), 4, BigInt(VMM_SS));
  memory.write(at(TSS_32 + 0x66), 2, 0x68n);
}

/** Call gates with DPL 2: for translated code in ring 1 and 2, and not for the guest's own in ring 3. */
function writeCallGates(memory: PhysicalMemory, at: Place, entry: bigint): void {
  const gate = (selector: number): bigint =>
    (entry & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(CALL_GATE) << 40n) | (((entry >> 16n) & 0xffffn) << 48n);
  memory.write(at(SHADOW_GDT + CALL_GATE_32), 8, gate(VMM_CS_32));
  memory.write(at(SHADOW_GDT + CALL_GATE_64), 8, gate(VMM_CS_64));
  memory.write(at(SHADOW_GDT + CALL_GATE_64 + 8), 8, entry >> 32n);
}

/** Interrupt gates with DPL 0: INT n, INT3 and INTO outside ring 0 are #GP, and are emulated. */
function writeGates(memory: PhysicalMemory, at: Place, vector: number, entry: bigint): void {
  const gate = (selector: number): bigint =>
    (entry & 0xffffn) |
    (BigInt(selector) << 16n) |
    (BigInt(INTERRUPT_GATE) << 40n) |
    (((entry >> 16n) & 0xffffn) << 48n);
  memory.write(at(IDT_32 + 8 * vector), 8, gate(VMM_CS_32));
  memory.write(at(IDT_64 + 16 * vector), 8, gate(VMM_CS_64));
  memory.write(at(IDT_64 + 16 * vector + 8), 8, entry >> 32n);
}
