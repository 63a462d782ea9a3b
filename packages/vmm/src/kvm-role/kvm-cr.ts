// Control-register accesses that exit, and MOV DR. Linux, arch/x86/kvm/vmx/vmx.c: handle_cr, handle_dr;
// arch/x86/kvm/x86.c: kvm_set_cr0, kvm_set_cr3, kvm_set_cr4.
//
// Exit qualification: 3:0 register · 5:4 0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW · 11:8 general register · 31:16 LMSW source

import {bit, bits, hex} from '@hyperscope/base';
import {CR0_FIELDS, CR4_FIELDS} from '@hyperscope/isa';
import type {Field} from '@hyperscope/base';
import {
  CR0_PE,
  CR0_PG,
  EFER_LMA,
  EFER_LME,
  guestCr0,
  guestCr4,
  injectException,
  nameOf,
  readGeneral,
  setCr0,
  setCr4,
  skipInstruction,
  writeGeneral,
} from './guest-registers.js';
import {readGuestPhysical} from './guest-memory.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

const CR_ACCESS = 28;
const GP = 13;
const UD = 6;
const CR0_DEFINED = 0xe005_003fn;
const CR0_ET = 0x10n;
const CR0_TS = 8n;
const CR4_PAE = 0x20n;
const SKIP = 'skip_emulated_instruction';

function answered(host: Host, why: string): void {
  host.handled(CR_ACCESS, 'kvm', why);
}

function refuse(host: Host, say: string): StepResult {
  injectException(host, GP, 0);
  answered(host, 'the guest gets the #GP that a processor would have given it');
  return {say: `${say}: #GP(0) for the guest`, go: 'vcpu_enter_guest'};
}

export function handleCr(host: Host): StepResult {
  const qualification = host.vmx.vmread('EXIT_QUALIFICATION');
  const register = Number(bits(qualification, 3, 0));
  const general = Number(bits(qualification, 11, 8));
  const read = `read EXIT_QUALIFICATION: ${hex(qualification)}`;
  switch (Number(bits(qualification, 5, 4))) {
    case 0:
      return moveTo(
        host,
        register,
        readGeneral(host, general),
        `${read}: MOV to CR${register} from ${nameOf(general)}`,
      );
    case 1:
      return moveFrom(host, register, general, `${read}: MOV from CR${register} to ${nameOf(general)}`);
    case 2:
      return moveTo(host, 0, guestCr0(host) & ~CR0_TS, `${read}: CLTS`);
    default: {
      const source = bits(qualification, 31, 16);
      const old = guestCr0(host);
      return moveTo(host, 0, (old & ~0xen) | (old & CR0_PE) | (source & 0xfn), `${read}: LMSW of ${hex(source)}`);
    }
  }
}

function moveTo(host: Host, register: number, value: bigint, say: string): StepResult {
  switch (register) {
    case 0:
      return writeCr0(host, value, say);
    case 3:
      host.vmx.vmwrite('GUEST_CR3', value);
      answered(host, 'MOV to CR3 is emulated: the guest’s own page-table root, as EPT is on');
      return {say: `${say}; kvm_set_cr3: VMWRITE GUEST_CR3 ${hex(value)}`, go: SKIP};
    case 4:
      return writeCr4(host, value, say);
    default:
      if (value > 15n) return refuse(host, `${say}: bits 63:4 are not 0`);
      return writeCr8(host, value, say);
  }
}

/** A lower priority may let an interrupt through that waited; a local APIC in user space has to be told. */
function writeCr8(host: Host, value: bigint, say: string): StepResult {
  const before = host.vcpu.get('cr8');
  host.vcpu.set('cr8', value);
  if (host.devices.place === 'kernel' || value >= before) {
    answered(host, 'CR8, the task priority, is KVM’s to keep');
    return {say: `${say}; the task priority is ${value}`, go: SKIP};
  }
  host.handled(
    CR_ACCESS,
    'user-space',
    'the task priority falls and the local APIC is in user space: KVM_EXIT_SET_TPR',
  );
  host.vcpu.exitReason = KVM_EXIT.SET_TPR;
  skipInstruction(host);
  return {say: `${say}; the task priority falls from ${before} to ${value}`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

function moveFrom(host: Host, register: number, general: number, say: string): StepResult {
  const value = register === 3 ? host.vmx.vmread('GUEST_CR3') : host.vcpu.get('cr8');
  writeGeneral(host, general, value);
  answered(host, `CR${register} is read for the guest`);
  return {say: `${say}; ${nameOf(general)} ← ${hex(value)}`, go: SKIP};
}

const changed = (fields: readonly Field[], from: bigint, to: bigint): string => {
  const names = fields
    .filter(field => bit(from ^ to, field.low))
    .map(field => `${field.name} ${bit(to, field.low) ? '← 1' : '← 0'}`);
  return names.length === 0 ? 'nothing changes' : names.join(', ');
};

function writeCr0(host: Host, wanted: bigint, say: string): StepResult {
  const old = guestCr0(host);
  const value = (wanted & CR0_DEFINED) | CR0_ET;
  if (wanted >> 32n !== 0n) return refuse(host, `${say}: bits 63:32 are not 0`);
  if ((value & CR0_PG) !== 0n && (value & CR0_PE) === 0n) return refuse(host, `${say}: PG without PE`);
  if (bits(value, 30, 29) === 1n) return refuse(host, `${say}: NW without CD`);
  const efer = host.vmx.vmread('GUEST_IA32_EFER');
  const turnsOn = (value & ~old & CR0_PG) !== 0n;
  const cs64 = bit(host.vmx.vmread('GUEST_CS_ACCESS_RIGHTS'), 13);
  if (turnsOn && (efer & EFER_LME) !== 0n && ((guestCr4(host) & CR4_PAE) === 0n || cs64))
    return refuse(host, `${say}: long mode needs CR4.PAE = 1 and CS.L = 0`);
  if ((old & ~value & CR0_PG) !== 0n && cs64 && (efer & EFER_LMA) !== 0n)
    return refuse(host, `${say}: paging cannot be turned off in 64-bit mode`);
  setCr0(host, value);
  loadPointerTableEntries(host);
  const long = (efer ^ host.vmx.vmread('GUEST_IA32_EFER')) & EFER_LMA;
  const mode =
    long === 0n
      ? ''
      : (efer & EFER_LMA) === 0n
        ? '; EFER.LMA ← 1: long mode begins, “IA-32e mode guest” ← 1'
        : '; EFER.LMA ← 0: long mode ends';
  answered(
    host,
    'the host owns these bits of CR0: KVM checks the value, keeps the guest’s in the read shadow and its own in GUEST_CR0',
  );
  return {say: `${say}; kvm_set_cr0: ${changed(CR0_FIELDS, old, value)}${mode}`, go: SKIP};
}

function writeCr4(host: Host, value: bigint, say: string): StepResult {
  const old = guestCr4(host);
  const long = (host.vmx.vmread('GUEST_IA32_EFER') & EFER_LMA) !== 0n;
  const known = CR4_FIELDS.reduce((mask, field) => mask | (1n << BigInt(field.low)), 0n);
  const offered = cr4Offered(host) & known;
  if ((value & ~offered) !== 0n)
    return refuse(host, `${say}: sets bits that this virtual processor does not have (${hex(value & ~offered)})`);
  if (long && (value & CR4_PAE) === 0n) return refuse(host, `${say}: PAE cannot be cleared in long mode`);
  setCr4(host, value, (guestCr0(host) & CR0_PG) !== 0n ? 'paging' : 'no paging');
  loadPointerTableEntries(host);
  answered(
    host,
    'the host owns these bits of CR4: KVM checks the value, keeps the guest’s in the read shadow and adds VMXE in GUEST_CR4',
  );
  return {say: `${say}; kvm_set_cr4: ${changed(CR4_FIELDS, old, value)}`, go: SKIP};
}

/** CR4 bits for what the guest's CPUID announces. VMXE is not among them: this KVM offers no nested VMX. */
function cr4Offered(host: Host): bigint {
  const leaf7 = host.machine.profile.cpuid.get(7)?.get(0) ?? [0, 0, 0, 0];
  const when = (word: number, index: number, cr4: number): bigint =>
    ((word >>> index) & 1) === 1 ? 1n << BigInt(cr4) : 0n;
  return 0x7ffn | when(leaf7[1], 7, 20) | when(leaf7[1], 20, 21) | when(leaf7[2], 2, 11);
}

/** With PAE paging outside long mode the processor takes the four PDPTEs from the VMCS, so KVM reads them (load_pdptrs). */
function loadPointerTableEntries(host: Host): void {
  const pae =
    (guestCr0(host) & CR0_PG) !== 0n &&
    (guestCr4(host) & CR4_PAE) !== 0n &&
    (host.vmx.vmread('GUEST_IA32_EFER') & EFER_LMA) === 0n;
  if (!pae) return;
  const base = Number(host.vmx.vmread('GUEST_CR3') & 0xffff_ffe0n);
  for (const [index, name] of (['GUEST_PDPTE0', 'GUEST_PDPTE1', 'GUEST_PDPTE2', 'GUEST_PDPTE3'] as const).entries()) {
    host.vmx.vmwrite(name, readGuestPhysical(host, base + 8 * index, 8) ?? 0n);
  }
}

const DR_ACCESS = 29;
const DR6_FIXED = 0xffff_0ff0n;
const DR6_DEFINED = 0xe00fn;

/** Exit qualification: 2:0 debug register · 4 from it · 11:8 general register. */
export function handleDr(host: Host): StepResult {
  const qualification = host.vmx.vmread('EXIT_QUALIFICATION');
  const number = Number(bits(qualification, 2, 0));
  const general = Number(bits(qualification, 11, 8));
  if ((number === 4 || number === 5) && bit(guestCr4(host), 3)) {
    injectException(host, UD);
    host.handled(DR_ACCESS, 'kvm', 'DR4 and DR5 do not exist while CR4.DE = 1: #UD for the guest');
    return {say: `MOV DR${number} with CR4.DE = 1: #UD`, go: 'vcpu_enter_guest'};
  }
  host.handled(DR_ACCESS, 'kvm', 'the guest’s debug registers are kept by KVM');
  const real = number === 4 ? 6 : number === 5 ? 7 : number;
  if (bit(qualification, 4)) {
    writeGeneral(host, general, readDebug(host, real));
    return {say: `MOV from DR${number}: ${nameOf(general)} ← ${hex(readDebug(host, real))}`, go: SKIP};
  }
  const value = readGeneral(host, general);
  if (real >= 6 && value >> 32n !== 0n) return refuse(host, `MOV to DR${number}: bits 63:32 are not 0`);
  writeDebug(host, real, value);
  return {say: `MOV to DR${number}: ${hex(value)}`, go: SKIP};
}

const slotOf = (number: number): 'dr0' | 'dr1' | 'dr2' | 'dr3' | 'dr6' =>
  (['dr0', 'dr1', 'dr2', 'dr3'] as const)[number] ?? 'dr6';

function readDebug(host: Host, number: number): bigint {
  return number === 7 ? host.vmx.vmread('GUEST_DR7') : host.vcpu.get(slotOf(number));
}
function writeDebug(host: Host, number: number, value: bigint): void {
  if (number === 7) host.vmx.vmwrite('GUEST_DR7', (value & ~0xd000n) | 0x400n);
  else host.vcpu.set(slotOf(number), number === 6 ? (value & DR6_DEFINED) | DR6_FIXED : value);
}
