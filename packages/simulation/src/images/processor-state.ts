// The states that a loader hands over: every register that matters, so that a simulated machine and real KVM start alike.
// The values pass KVM_SET_SREGS and the VM-entry checks of the guest-state area (SDM vol. 3C, "Checks on the
// Guest-State Area"): accessed bits are set, TR is usable and busy, limits agree with granularity.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {DescriptorRegister} from '@hyperscope/isa';
import type {RegisterValues} from '@hyperscope/vmm';

interface Segment {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  readonly attributes: number;
}

function segment(register: DescriptorRegister, value: Segment): RegisterValues {
  return {
    [`${register}.selector`]: BigInt(value.selector),
    [`${register}.base`]: BigInt(value.base),
    [`${register}.limit`]: BigInt(value.limit),
    [`${register}.attributes`]: BigInt(value.attributes),
  };
}

function segments(code: Segment, data: Segment, task: Segment): RegisterValues {
  return {
    ...segment('CS', code),
    ...segment('SS', data),
    ...segment('DS', data),
    ...segment('ES', data),
    ...segment('FS', data),
    ...segment('GS', data),
    ...segment('LDTR', {selector: 0, base: 0, limit: 0xffff, attributes: 0x82}),
    ...segment('TR', task),
  };
}

const GENERAL: RegisterValues = Object.fromEntries(GENERAL_REGISTERS.map(name => [name, 0n]));

function common(rip: bigint, rsp: bigint): RegisterValues {
  // Bit 1 of RFLAGS is always 1; interrupts are off. DR6 and DR7 as after reset.
  return {...GENERAL, RIP: rip, RSP: rsp, RFLAGS: 2n, CR2: 0n, CR8: 0n, DR6: 0xffff_0ff0n, DR7: 0x400n, CPL: 0n};
}

export interface RealModeStart {
  readonly codeSelector: number;
  readonly codeBase: number;
  readonly ip: number;
  readonly sp: number;
}

/** Real mode; DS, ES, SS, FS and GS are 0 with a limit of 64 KiB, and the interrupt vectors are at address 0. */
export function realModeState(start: RealModeStart): RegisterValues {
  const data: Segment = {selector: 0, base: 0, limit: 0xffff, attributes: 0x93};
  return {
    ...common(BigInt(start.ip), BigInt(start.sp)),
    ...segments({selector: start.codeSelector, base: start.codeBase, limit: 0xffff, attributes: 0x9b}, data, {
      selector: 0,
      base: 0,
      limit: 0xffff,
      attributes: 0x8b,
    }),
    'GDTR.base': 0n,
    'GDTR.limit': 0xffffn,
    'IDTR.base': 0n,
    'IDTR.limit': 0x3ffn,
    CR0: 0x10n,
    CR3: 0n,
    CR4: 0n,
    EFER: 0n,
  };
}

/** Selectors in the tables that the loader builds (descriptor-tables.ts). */
const LOADER_SELECTORS = {code: 0x08, data: 0x10, task: 0x18} as const;

export interface TableAddresses {
  readonly gdt: number;
  readonly gdtBytes: number;
  readonly task: number;
}

/** 32-bit protected mode: flat segments of 4 GiB, ring 0, paging off. No IDT: the first exception is a triple fault. */
export function protectedModeState(entry: bigint, stack: bigint, tables: TableAddresses): RegisterValues {
  return {
    ...common(entry, stack),
    ...segments(
      {selector: LOADER_SELECTORS.code, base: 0, limit: 0xffff_ffff, attributes: 0xc09b},
      {selector: LOADER_SELECTORS.data, base: 0, limit: 0xffff_ffff, attributes: 0xc093},
      {selector: LOADER_SELECTORS.task, base: tables.task, limit: 0x67, attributes: 0x8b},
    ),
    'GDTR.base': BigInt(tables.gdt),
    'GDTR.limit': BigInt(tables.gdtBytes - 1),
    'IDTR.base': 0n,
    'IDTR.limit': 0n,
    CR0: 0x31n,
    CR3: 0n,
    CR4: 0n,
    EFER: 0n,
  };
}

/** The same with paging on: 4 MiB pages that map every address to itself. */
export function paged32State(entry: bigint, stack: bigint, tables: TableAddresses, directory: number): RegisterValues {
  return {...protectedModeState(entry, stack, tables), CR0: 0x8000_0031n, CR3: BigInt(directory), CR4: 0x10n};
}

/** 64-bit mode: ring 0, page tables that map the first 4 GiB to themselves, for the supervisor alone. No IDT. */
export function longModeState(entry: bigint, stack: bigint, tables: TableAddresses, root: number): RegisterValues {
  return {
    ...protectedModeState(entry, stack, tables),
    ...segment('CS', {selector: LOADER_SELECTORS.code, base: 0, limit: 0xffff_ffff, attributes: 0xa09b}),
    CR0: 0x8000_0033n,
    CR3: BigInt(root),
    CR4: 0x20n,
    EFER: 0x500n,
  };
}
