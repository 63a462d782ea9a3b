// The rules of the control registers, for accesses that exit. Linux, arch/x86/kvm/x86.c: kvm_set_cr0, kvm_set_cr3,
// kvm_set_cr4, load_pdptrs.

import {bit, bits, hex} from '@hyperscope/base';
import {CR0_FIELDS, CR4_FIELDS} from '@hyperscope/isa';
import type {Cell, GeneralRegister} from '@hyperscope/isa';
import type {Field} from '@hyperscope/base';
import {CR0_PE, CR0_PG, EFER_LMA, EFER_LME, injectException} from './guest-registers.js';
import {readGuestPhysical} from './guest-memory.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

const GP = 13;
const CR0_DEFINED = 0xe005_003fn;
const CR0_ET = 0x10n;
const CR4_PAE = 0x20n;
const PDPTES: readonly Cell[] = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'];
const PRESENT = 1n;
/** Bits 2:1 and 8:5. */
const PDPTE_RESERVED = 0x1e6n;
const SKIP = 'skip_emulated_instruction';

function answered(host: Host, why: string): void {
  host.handled('kvm', why);
}

function refuse(host: Host, say: string): StepResult {
  injectException(host, GP, 0);
  answered(host, 'the guest gets the #GP that a processor would have given it');
  return {say: `${say}: #GP(0) for the guest`, go: 'vcpu_enter_guest'};
}

/** MOV to a control register, CLTS or LMSW; `say` tells which. */
export function writeControlRegister(host: Host, register: number, value: bigint, say: string): StepResult {
  switch (register) {
    case 0:
      return writeCr0(host, value, say);
    case 3:
      return writeCr3(host, value, say);
    case 4:
      return writeCr4(host, value, say);
    default:
      if (value > 15n) return refuse(host, `${say}: bits 63:4 are not 0`);
      return writeCr8(host, value, say);
  }
}

function writeCr3(host: Host, value: bigint, say: string): StepResult {
  const old = host.hardware.get('CR3');
  host.hardware.set('CR3', value);
  if (!loadPointerTableEntries(host)) {
    host.hardware.set('CR3', old);
    return refuse(host, `${say}: reserved bits are set in a PDPTE`);
  }
  const what = host.mmu.guestLoadedCr3();
  answered(host, `MOV to CR3 is emulated: ${what}`);
  return {say: `${say}; kvm_set_cr3: ${hex(value)}, ${what}`, go: SKIP};
}

/** A lower priority may let an interrupt through that waited; a local APIC in user space has to be told. */
function writeCr8(host: Host, value: bigint, say: string): StepResult {
  const before = host.hardware.get('CR8');
  host.hardware.set('CR8', value);
  if (host.devices.place === 'kernel' || value >= before) {
    answered(host, 'CR8, the task priority, is KVM’s to keep');
    return {say: `${say}; the task priority is ${value}`, go: SKIP};
  }
  host.handled('user-space', 'the task priority falls and the local APIC is in user space: KVM_EXIT_SET_TPR');
  host.vcpu.exitReason = KVM_EXIT.SET_TPR;
  host.hardware.skipInstruction();
  return {say: `${say}; the task priority falls from ${before} to ${value}`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

export function readControlRegister(host: Host, register: number, general: GeneralRegister, say: string): StepResult {
  const value = host.hardware.get(cellOf(register));
  host.hardware.set(general, value);
  answered(host, `CR${register} is read for the guest`);
  return {say: `${say}; ${general} ← ${hex(value)}`, go: SKIP};
}

function cellOf(register: number): 'CR0' | 'CR3' | 'CR4' | 'CR8' {
  return register === 0 ? 'CR0' : register === 3 ? 'CR3' : register === 4 ? 'CR4' : 'CR8';
}

const changed = (fields: readonly Field[], from: bigint, to: bigint): string => {
  const names = fields
    .filter(field => bit(from ^ to, field.low))
    .map(field => `${field.name} ${bit(to, field.low) ? '← 1' : '← 0'}`);
  return names.length === 0 ? 'nothing changes' : names.join(', ');
};

/** Why the write was KVM's to carry out, and where the two values are. */
const KEPT = {
  VMX: {
    CR0: 'the host owns these bits of CR0: KVM checks the value, keeps the guest’s in the read shadow and its own in GUEST_CR0',
    CR4: 'the host owns these bits of CR4: KVM checks the value, keeps the guest’s in the read shadow and adds VMXE in GUEST_CR4',
  },
  SVM: {
    CR0: 'KVM checks the value, keeps what the guest believes in kvm_vcpu, and gives the processor its own by the VMCB',
    CR4: 'KVM checks the value, keeps what the guest believes in kvm_vcpu, and gives the processor its own by the VMCB',
  },
} as const;

function writeCr0(host: Host, wanted: bigint, say: string): StepResult {
  const old = host.hardware.get('CR0');
  const value = (wanted & CR0_DEFINED) | CR0_ET;
  if (wanted >> 32n !== 0n) return refuse(host, `${say}: bits 63:32 are not 0`);
  if ((value & CR0_PG) !== 0n && (value & CR0_PE) === 0n) return refuse(host, `${say}: PG without PE`);
  if (bits(value, 30, 29) === 1n) return refuse(host, `${say}: NW without CD`);
  const efer = host.hardware.get('EFER');
  const turnsOn = (value & ~old & CR0_PG) !== 0n;
  const cs64 = bit(host.hardware.get('CS.attributes'), 13);
  if (turnsOn && (efer & EFER_LME) !== 0n && ((host.hardware.get('CR4') & CR4_PAE) === 0n || cs64))
    return refuse(host, `${say}: long mode needs CR4.PAE = 1 and CS.L = 0`);
  if ((old & ~value & CR0_PG) !== 0n && cs64 && (efer & EFER_LMA) !== 0n)
    return refuse(host, `${say}: paging cannot be turned off in 64-bit mode`);
  host.hardware.set('CR0', value);
  if (!loadPointerTableEntries(host)) {
    host.hardware.set('CR0', old);
    return refuse(host, `${say}: reserved bits are set in a PDPTE`);
  }
  host.mmu.guestChangedMode();
  const long = (efer ^ host.hardware.get('EFER')) & EFER_LMA;
  const mode =
    long === 0n
      ? ''
      : (efer & EFER_LMA) === 0n
        ? `; EFER.LMA ← 1: long mode begins${host.hardware.name === 'VMX' ? ', “IA-32e mode guest” ← 1' : ''}`
        : '; EFER.LMA ← 0: long mode ends';
  answered(host, KEPT[host.hardware.name].CR0);
  return {say: `${say}; kvm_set_cr0: ${changed(CR0_FIELDS, old, value)}${mode}`, go: SKIP};
}

function writeCr4(host: Host, value: bigint, say: string): StepResult {
  const old = host.hardware.get('CR4');
  const long = (host.hardware.get('EFER') & EFER_LMA) !== 0n;
  const known = CR4_FIELDS.reduce((mask, field) => mask | (1n << BigInt(field.low)), 0n);
  const offered = cr4Offered(host) & known;
  if ((value & ~offered) !== 0n)
    return refuse(host, `${say}: sets bits that this virtual processor does not have (${hex(value & ~offered)})`);
  if (long && (value & CR4_PAE) === 0n) return refuse(host, `${say}: PAE cannot be cleared in long mode`);
  host.hardware.set('CR4', value);
  if (!loadPointerTableEntries(host)) {
    host.hardware.set('CR4', old);
    return refuse(host, `${say}: reserved bits are set in a PDPTE`);
  }
  host.mmu.guestChangedMode();
  answered(host, KEPT[host.hardware.name].CR4);
  return {say: `${say}; kvm_set_cr4: ${changed(CR4_FIELDS, old, value)}`, go: SKIP};
}

/** CR4 bits for what the guest's CPUID announces. VMXE is not among them: this KVM offers no nested VMX. */
function cr4Offered(host: Host): bigint {
  const leaf7 = host.machine.profile.cpuid.get(7)?.get(0) ?? [0, 0, 0, 0];
  const when = (word: number, index: number, cr4: number): bigint =>
    ((word >>> index) & 1) === 1 ? 1n << BigInt(cr4) : 0n;
  return 0x7ffn | when(leaf7[1], 7, 20) | when(leaf7[1], 20, 21) | when(leaf7[2], 2, 11);
}

/**
 * With PAE paging outside long mode the four PDPTEs are registers, which MOV to a control register loads (load_pdptrs). False,
 * and nothing loaded, where reserved bits are set: the guest's processor would have raised #GP(0).
 */
export function loadPointerTableEntries(host: Host): boolean {
  const {hardware} = host;
  const pae =
    (hardware.get('CR0') & CR0_PG) !== 0n &&
    (hardware.get('CR4') & CR4_PAE) !== 0n &&
    (hardware.get('EFER') & EFER_LMA) === 0n;
  if (!pae) return true;
  const base = Number(hardware.get('CR3') & 0xffff_ffe0n);
  const entries = PDPTES.map((_, index) => readGuestPhysical(host, base + 8 * index, 8) ?? 0n);
  const {maker, physicalAddressBits} = host.machine.profile;
  const reserved = PDPTE_RESERVED | ~((1n << BigInt(physicalAddressBits)) - 1n);
  // An AMD processor finds them out in the walk, as #PF.
  if (maker === 'Intel' && entries.some(entry => (entry & PRESENT) !== 0n && (entry & reserved) !== 0n)) return false;
  for (const [index, cell] of PDPTES.entries()) hardware.set(cell, entries[index] ?? 0n);
  return true;
}
