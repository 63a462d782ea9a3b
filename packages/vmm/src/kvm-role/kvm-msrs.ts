// RDMSR and WRMSR that exit, and XSETBV. Linux, arch/x86/kvm/x86.c: kvm_emulate_rdmsr, kvm_emulate_wrmsr, kvm_set_msr_common.

import {hex} from '@hyperscope/base';
import {memoryTypeRangeFault, MTRR_CAPABILITIES, MTRR_CAPABILITIES_MSR, MTRR_MSRS} from '@hyperscope/machine';
import {msrAt} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {CR0_PG, EFER_LMA, EFER_LME, injectException} from './guest-registers.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

const GP = 13;
const EFER = 0xc000_0080;
const PAT = 0x277;
const SKIP = 'skip_emulated_instruction';

/** MSRs that are cells of the guest's; where each lies is the vendor half's business. */
const CELL_OF: ReadonlyMap<number, Cell> = new Map<number, Cell>([
  [0x10, 'TSC'],
  [0x1b, 'APIC_BASE'],
  [0x1a0, 'MISC_ENABLE'],
  [0x174, 'SYSENTER_CS'],
  [0x175, 'SYSENTER_ESP'],
  [0x176, 'SYSENTER_EIP'],
  [0x1d9, 'DEBUGCTL'],
  [PAT, 'PAT'],
  [EFER, 'EFER'],
  [0xc000_0081, 'STAR'],
  [0xc000_0082, 'LSTAR'],
  [0xc000_0083, 'CSTAR'],
  [0xc000_0084, 'FMASK'],
  [0xc000_0100, 'FS.base'],
  [0xc000_0101, 'GS.base'],
  [0xc000_0102, 'KERNEL_GS_BASE'],
  [0xc000_0103, 'TSC_AUX'],
]);
const MCG_STATUS = 0x17a;
/**
 * Read-only: eight memory-type ranges; and no bank that reports machine checks (user space never asks for any with
 * KVM_X86_SETUP_MCE, and this KVM offers none by itself).
 */
const FIXED: ReadonlyMap<number, bigint> = new Map([
  [0, 0n],
  [1, 0n],
  [0x179, 0n],
  [MTRR_CAPABILITIES_MSR, MTRR_CAPABILITIES],
]);
/** These must hold canonical addresses. */
const ADDRESSES: ReadonlySet<number> = new Set([
  0x175, 0x176, 0xc000_0082, 0xc000_0083, 0xc000_0100, 0xc000_0101, 0xc000_0102,
]);
/** These are 32 bits wide; more gives #GP(0). */
const NARROW: ReadonlySet<number> = new Set([0x174, 0xc000_0084, 0xc000_0103]);

const nameOf = (index: number): string => msrAt(index)?.name ?? `MSR ${hex(index)}`;
const canonical = (value: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
const index = (host: Host): number => Number(host.vcpu.register('RCX') & 0xffff_ffffn);
const edxEax = (host: Host): bigint =>
  ((host.vcpu.register('RDX') & 0xffff_ffffn) << 32n) | (host.vcpu.register('RAX') & 0xffff_ffffn);

export function handleRdmsr(host: Host): StepResult {
  const msr = index(host);
  const value = read(host, msr);
  if (value === undefined) return unknown(host, `RDMSR of ${nameOf(msr)}, which this virtual processor does not have`);
  host.vcpu.setRegister('RAX', value & 0xffff_ffffn);
  host.vcpu.setRegister('RDX', value >> 32n);
  host.handled('kvm', `KVM knows the guest’s ${nameOf(msr)}`);
  return {say: `kvm_get_msr: ${nameOf(msr)} is ${hex(value)}; EDX:EAX ← it`, go: SKIP};
}

/** The guest's value; undefined for an MSR that its processor does not have. */
function read(host: Host, msr: number): bigint | undefined {
  const cell = CELL_OF.get(msr);
  if (cell !== undefined) return host.hardware.get(cell);
  if (msr === MCG_STATUS) return host.vcpu.get('mcg_status');
  const range = MTRR_MSRS.indexOf(msr);
  if (range >= 0) return host.vcpu.memoryTypeRange(range);
  return FIXED.get(msr);
}

function unknown(host: Host, say: string): StepResult {
  injectException(host, GP, 0);
  host.handled('kvm', 'the guest gets the #GP(0) that a processor gives');
  return {say: `${say}: #GP(0) for the guest`, go: 'vcpu_enter_guest'};
}

export function handleWrmsr(host: Host): StepResult {
  const msr = index(host);
  const value = edxEax(host);
  const refused = msr === EFER ? writeEfer(host, value) : writePlain(host, msr, value);
  if (refused !== undefined) return unknown(host, `WRMSR ${nameOf(msr)} ← ${hex(value)}: ${refused}`);
  host.handled('kvm', `KVM keeps ${nameOf(msr)} for the guest`);
  return {say: `kvm_set_msr: ${nameOf(msr)} ← ${hex(value)}`, go: SKIP};
}

/** EPT gives guest memory its types here, so the guest's ranges are kept and have no effect (kvm_mtrr_set_msr). */
function writeMemoryTypeRange(host: Host, msr: number, value: bigint): string | undefined {
  if (memoryTypeRangeFault(msr, value, host.machine.profile.physicalAddressBits) !== undefined)
    return 'reserved bits are set, or a memory type does not exist';
  host.vcpu.setMemoryTypeRange(MTRR_MSRS.indexOf(msr), value);
  return undefined;
}

/** What is wrong with the write, or undefined when it was done. */
function writePlain(host: Host, msr: number, value: bigint): string | undefined {
  if (MTRR_MSRS.includes(msr)) return writeMemoryTypeRange(host, msr, value);
  const cell = CELL_OF.get(msr);
  if (cell === undefined && msr !== MCG_STATUS) return 'this virtual processor does not have it';
  if (ADDRESSES.has(msr) && !canonical(value)) return 'the address is not canonical';
  if (NARROW.has(msr) && value >> 32n !== 0n) return 'bits 63:32 are not 0';
  if (msr === PAT && !validPat(value)) return 'not every byte is a memory type';
  if (cell === undefined) host.vcpu.set('mcg_status', value);
  else host.hardware.set(cell, value);
  return undefined;
}

function validPat(value: bigint): boolean {
  for (let at = 0n; at < 64n; at += 8n) if (![0n, 1n, 4n, 5n, 6n, 7n].includes((value >> at) & 0xffn)) return false;
  return true;
}

/** LMA follows paging and cannot be written; LME cannot change under paging. */
function writeEfer(host: Host, value: bigint): string | undefined {
  const old = host.hardware.get('EFER');
  if ((value & ~0xd01n) !== 0n) return 'reserved bits are set';
  if (((old ^ value) & EFER_LME) !== 0n && (host.hardware.get('CR0') & CR0_PG) !== 0n)
    return 'LME cannot change while CR0.PG = 1';
  host.hardware.set('EFER', (value & ~EFER_LMA) | (old & EFER_LMA));
  host.mmu.guestChangedMode();
  return undefined;
}

/** XCR0: bit 0 (x87) must be set; AVX needs SSE. */
export function handleXsetbv(host: Host): StepResult {
  const value = edxEax(host);
  const valid =
    index(host) === 0 && (value & 1n) === 1n && (value & ~7n) === 0n && ((value & 4n) === 0n || (value & 2n) !== 0n);
  if (!valid) return unknown(host, `XSETBV XCR${index(host)} ← ${hex(value)}`);
  host.hardware.set('XCR0', value);
  host.handled('kvm', 'KVM keeps the guest’s XCR0');
  return {say: `kvm_set_xcr: XCR0 ← ${hex(value)}`, go: SKIP};
}
