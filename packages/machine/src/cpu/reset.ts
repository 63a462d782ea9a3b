// The state after RESET. SDM vol. 3A, "Processor State After Reset": the first instruction is fetched from FFFFFFF0h,
// because CS has selector F000h and base FFFF0000h, which no load in real mode could give it.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {ProcessorProfile} from './core.js';
import {isSince} from './features.js';
import type {RegisterFile} from './register-file.js';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** Present, accessed, writable data; present, accessed, readable code. */
const REAL_DATA = 0x93;
const REAL_CODE = 0x9b;
/** LDT and busy 32-bit TSS, present. */
const LDT = 0x82;
const BUSY_TSS = 0x8b;

export function resetRegisters(registers: RegisterFile, profile: ProcessorProfile): void {
  for (const register of GENERAL_REGISTERS) registers.set(register, 0n);
  // EDX holds the processor's signature, as CPUID leaf 1 gives it in EAX where there is CPUID: that is how BIOSes knew a 386.
  registers.set('RDX', BigInt(profile.signature));
  registers.set('RIP', 0xfff0n);
  registers.set('RFLAGS', 2n);
  registers.setSegment('CS', {selector: 0xf000, base: 0xffff_0000n, limit: 0xffff, attributes: REAL_CODE});
  for (const register of ['SS', 'DS', 'ES', 'FS', 'GS'] as const) {
    registers.setSegment(register, {selector: 0, base: 0n, limit: 0xffff, attributes: REAL_DATA});
  }
  registers.setSegment('LDTR', {selector: 0, base: 0n, limit: 0xffff, attributes: LDT});
  registers.setSegment('TR', {selector: 0, base: 0n, limit: 0xffff, attributes: BUSY_TSS});
  registers.set('GDTR.limit', 0xffffn);
  registers.set('IDTR.limit', 0xffffn);
  // The 386 has no caches to disable, and ET tells whether it found an 80387; since the 486 ET is always 1.
  registers.set('CR0', isSince(profile, 'i486') ? 0x6000_0010n : 0n);
  registers.set('XCR0', 1n);
  registers.set('DR6', 0xffff_0ff0n);
  registers.set('DR7', 0x400n);
  registers.set('PAT', 0x0007_0406_0007_0406n);
  // Enabled, this is the bootstrap processor, at FEE00000h.
  registers.set('APIC_BASE', 0xfee0_0900n);
  // Fast string operation enabled: what firmware leaves in IA32_MISC_ENABLE.
  registers.set('MISC_ENABLE', 1n);
  registers.set('VMXON_POINTER', ALL_ONES);
  registers.set('CURRENT_VMCS', ALL_ONES);
  registers.set('CURRENT_VMCB', ALL_ONES);
  registers.set('GIF', 1n);
}
