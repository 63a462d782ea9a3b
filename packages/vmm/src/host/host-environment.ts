// The operating system under the hypervisor, as far as the processor can see it: descriptor tables, page tables, control
// registers and SYSCALL MSRs of a 64-bit host. This is the state that VM exits come back to.

import {hpa} from '@hyperscope/base';
import type {Machine} from '@hyperscope/machine';
import {NO_POINTER} from '@hyperscope/machine';
import {
  DIRECT_MAP,
  HOST_GDT,
  HOST_IDT,
  HOST_PAGE_TABLES,
  HOST_TR,
  HOST_TSS,
  KERNEL_CS,
  KERNEL_SS,
  KERNEL_STACK,
  USER_CS,
  USER_SS,
  USER_STACK,
} from './host-layout.js';
import {writeHostPageTables} from './host-page-tables.js';
import type {HostPageSize} from './host-page-tables.js';

/** PE MP ET NE WP AM PG; PAE PGE OSFXSR OSXMMEXCPT. VMXE comes when KVM is loaded. */
export const HOST_CR0 = 0x8005_0033n;
export const HOST_CR4 = 0x6a0n;
/** SCE LME LMA NXE. */
export const HOST_EFER = 0xd01n;
const RESET_PAT = 0x0007_0406_0007_0406n;
/** Locked by the firmware, with VMXON outside SMX allowed. */
const FEATURE_CONTROL = 5n;
/** Flags that SYSCALL clears: TF IF DF NT AC and the status flags, as Linux sets it. */
const SYSCALL_MASK = 0x25_7fd5n;

const CODE_64 = 0xa09b;
const USER_CODE_64 = 0xa0fb;
const DATA = 0xc093;
const USER_DATA = 0xc0f3;
const UNUSABLE = 0x1_0000;
const FLAT = 0xffff_ffff;

/**
 * `entry`: where SYSCALL leads, the kernel's entry_SYSCALL_64; `start`: QEMU's first instruction, in which the processor is left,
 * at ring 3; `ramPages`: by which pages QEMU's process has the guest's RAM.
 */
export function buildHostEnvironment(
  machine: Machine,
  {entry, start, ramPages}: {readonly entry: bigint; readonly start: bigint; readonly ramPages: HostPageSize},
): void {
  writeDescriptorTables(machine);
  writeHostPageTables(machine, ramPages);
  const r = machine.registers;
  r.set('CR0', HOST_CR0);
  r.set('CR3', BigInt(HOST_PAGE_TABLES));
  r.set('CR4', HOST_CR4);
  r.set('EFER', HOST_EFER);
  r.set('PAT', RESET_PAT);
  r.set('FEATURE_CONTROL', FEATURE_CONTROL);
  r.set('STAR', (0x23n << 48n) | (BigInt(KERNEL_CS) << 32n));
  r.set('LSTAR', entry);
  r.set('FMASK', SYSCALL_MASK);
  r.set('GDTR.base', DIRECT_MAP + BigInt(HOST_GDT));
  r.set('GDTR.limit', 0x7fn);
  r.set('IDTR.base', DIRECT_MAP + BigInt(HOST_IDT));
  r.set('IDTR.limit', 0xfffn);
  r.set('DR6', 0xffff_0ff0n);
  r.set('DR7', 0x400n);
  r.set('XCR0', 1n);
  r.setSegment('TR', {selector: HOST_TR, base: DIRECT_MAP + BigInt(HOST_TSS), limit: 0x67, attributes: 0x8b});
  r.setSegment('LDTR', {selector: 0, base: 0n, limit: 0, attributes: UNUSABLE});
  for (const name of ['DS', 'ES', 'FS', 'GS'] as const)
    r.setSegment(name, {selector: 0, base: 0n, limit: FLAT, attributes: UNUSABLE});
  r.set('VMXON_POINTER', NO_POINTER);
  r.set('CURRENT_VMCS', NO_POINTER);
  r.set('RSP', USER_STACK);
  r.set('RFLAGS', 0x202n);
  enterUserMode(machine);
  r.set('RIP', start);
  machine.tlb.flushAll();
}

/** CS, SS and CPL as SYSCALL leaves them. */
export function enterKernelMode(machine: Machine): void {
  machine.registers.setSegment('CS', {selector: KERNEL_CS, base: 0n, limit: FLAT, attributes: CODE_64});
  machine.registers.setSegment('SS', {selector: KERNEL_SS, base: 0n, limit: FLAT, attributes: DATA});
  machine.registers.set('CPL', 0n);
}

/** CS, SS and CPL as SYSRET leaves them. */
export function enterUserMode(machine: Machine): void {
  machine.registers.setSegment('CS', {selector: USER_CS, base: 0n, limit: FLAT, attributes: USER_CODE_64});
  machine.registers.setSegment('SS', {selector: USER_SS, base: 0n, limit: FLAT, attributes: USER_DATA});
  machine.registers.set('CPL', 3n);
}

function writeDescriptorTables(machine: Machine): void {
  const gdt: readonly (readonly [number, bigint])[] = [
    [KERNEL_CS, 0x00af_9b00_0000_ffffn],
    [KERNEL_SS, 0x00cf_9300_0000_ffffn],
    [USER_SS & ~7, 0x00cf_f300_0000_ffffn],
    [USER_CS & ~7, 0x00af_fb00_0000_ffffn],
    [HOST_TR, systemDescriptor(DIRECT_MAP + BigInt(HOST_TSS))],
    [HOST_TR + 8, (DIRECT_MAP + BigInt(HOST_TSS)) >> 32n],
  ];
  for (const [selector, descriptor] of gdt) machine.memory.write(hpa(HOST_GDT + selector), 8, descriptor);
  machine.memory.write(hpa(HOST_TSS + 4), 8, KERNEL_STACK); // RSP0
  machine.memory.write(hpa(HOST_TSS + 0x66), 2, 0x68n); // no I/O permission bitmap
}

/** The low half of a busy 64-bit TSS descriptor with limit 67h. */
function systemDescriptor(base: bigint): bigint {
  return 0x67n | ((base & 0xff_ffffn) << 16n) | (0x8bn << 40n) | (((base >> 24n) & 0xffn) << 56n);
}
