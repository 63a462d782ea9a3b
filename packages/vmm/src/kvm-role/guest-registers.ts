// The guest's registers as KVM reads and writes them: partly in the VMCS, partly in kvm_vcpu.
// Linux, arch/x86/kvm/vmx/vmx.c: vmx_set_cr0, vmx_set_cr4, vmx_set_efer, enter_lmode, exit_lmode.

import {assertExists, bit} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {GeneralRegister} from '@hyperscope/isa';
import type {Host} from './host-context.js';

export const CR0_PE = 1n;
export const CR0_PG = 1n << 31n;
const CR0_NE = 1n << 5n;
const CR0_CD_NW = 3n << 29n;
const CR4_VMXE = 1n << 13n;
/** SMEP, SMAP: without paging the processor would apply them to identity addresses. */
const CR4_NEEDS_PAGING = 3n << 20n;
const EFER_LME = 1n << 8n;
const EFER_LMA = 1n << 10n;
const ENTRY_IA32E = 1n << 9n;

/** The register's number is the encoding's, as exit qualifications give it. */
export function readGeneral(host: Host, number: number): bigint {
  const name = nameOf(number);
  return name === 'RSP' ? host.vmx.vmread('GUEST_RSP') : host.vcpu.register(name);
}
export function writeGeneral(host: Host, number: number, value: bigint): void {
  const name = nameOf(number);
  if (name === 'RSP') host.vmx.vmwrite('GUEST_RSP', value);
  else host.vcpu.setRegister(name, value);
}
export const nameOf = (number: number): GeneralRegister =>
  assertExists(GENERAL_REGISTERS[number], 'a register number of four bits');

/** What the guest believes its CR0 (CR4) to be: host-owned bits from the read shadow. */
export function guestCr0(host: Host): bigint {
  const owned = host.options.cr0GuestOwned;
  return (host.vmx.vmread('GUEST_CR0') & owned) | (host.vmx.vmread('CR0_READ_SHADOW') & ~owned);
}
export function guestCr4(host: Host): bigint {
  const owned = host.options.cr4GuestOwned;
  return (host.vmx.vmread('GUEST_CR4') & owned) | (host.vmx.vmread('CR4_READ_SHADOW') & ~owned);
}

/** Long mode begins and ends with CR0.PG where EFER.LME is set; the entry controls must say the same as EFER.LMA. */
export function setCr0(host: Host, value: bigint): void {
  const efer = host.vmx.vmread('GUEST_IA32_EFER');
  const long = bit(efer, 8) && (value & CR0_PG) !== 0n;
  setEfer(host, long ? efer | EFER_LMA : efer & ~EFER_LMA);
  host.vmx.vmwrite('CR0_READ_SHADOW', value);
  host.vmx.vmwrite('GUEST_CR0', (value & ~CR0_CD_NW) | CR0_NE);
  setCr4(host, guestCr4(host), (value & CR0_PG) !== 0n ? 'paging' : 'no paging');
}

export function setCr4(host: Host, value: bigint, paging: 'paging' | 'no paging'): void {
  host.vmx.vmwrite('CR4_READ_SHADOW', value);
  host.vmx.vmwrite('GUEST_CR4', (paging === 'paging' ? value : value & ~CR4_NEEDS_PAGING) | CR4_VMXE);
}

export function setEfer(host: Host, value: bigint): void {
  host.vmx.vmwrite('GUEST_IA32_EFER', value);
  const controls = host.vmx.vmread('VM_ENTRY_CONTROLS');
  host.vmx.vmwrite('VM_ENTRY_CONTROLS', (value & EFER_LMA) !== 0n ? controls | ENTRY_IA32E : controls & ~ENTRY_IA32E);
}

export {EFER_LMA, EFER_LME};

/** RIP ← RIP + VM-exit instruction length; blocking by STI and MOV SS ends with the instruction. */
export function skipInstruction(host: Host): {readonly from: bigint; readonly to: bigint; readonly length: bigint} {
  const from = host.vmx.vmread('GUEST_RIP');
  const length = host.vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH');
  const sum = from + length;
  const to = bit(host.vmx.vmread('GUEST_CS_ACCESS_RIGHTS'), 13) ? BigInt.asUintN(64, sum) : BigInt.asUintN(32, sum);
  host.vmx.vmwrite('GUEST_RIP', to);
  const state = host.vmx.vmread('GUEST_INTERRUPTIBILITY_STATE');
  if ((state & 3n) !== 0n) host.vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', state & ~3n);
  return {from, to, length};
}

const VALID = 1n << 31n;
const HARDWARE_EXCEPTION = 3n << 8n;
const ERROR_CODE = 1n << 11n;

/** Asks the next VM entry to deliver an exception (Linux, vmx_inject_exception). */
export function injectException(host: Host, vector: number, errorCode?: number): void {
  const deliversCode = errorCode !== undefined && (guestCr0(host) & CR0_PE) !== 0n;
  if (deliversCode) host.vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', BigInt(errorCode));
  host.vmx.vmwrite(
    'VM_ENTRY_INTERRUPTION_INFORMATION',
    VALID | HARDWARE_EXCEPTION | (deliversCode ? ERROR_CODE : 0n) | BigInt(vector),
  );
}
