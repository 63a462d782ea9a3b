// The VMCSs that fuzzing starts from: each is entered as it stands. Pages lie where `PLACES` says.

import type {VmcsFieldName} from '@hyperscope/isa';

export const PLACES = {
  vmxon: 0x1000,
  vmcs: 0x2000,
  otherVmcs: 0x3000,
  code: 0x4000,
  bitmaps: 0x5000,
  virtualApic: 0x7000,
  ept: 0x8000,
  guestTables: 0xc000,
  pointerTable: 0x1_0000,
} as const;

type Fields = Partial<Readonly<Record<VmcsFieldName, bigint>>>;
const at = (address: number): bigint => BigInt(address);

const HOST: Fields = {
  HOST_CR0: 0x8005_0033n,
  HOST_CR4: 0x26a0n,
  HOST_IA32_EFER: 0xd01n,
  HOST_IA32_PAT: 0x0007_0406_0007_0406n,
  HOST_CS_SELECTOR: 0x10n,
  HOST_TR_SELECTOR: 0x40n,
  HOST_RIP: 0x4800n,
  HOST_RSP: 0x4c00n,
};
const COMMON: Fields = {
  ...HOST,
  PIN_BASED_VM_EXECUTION_CONTROLS: 0x7fn & ~0x40n,
  // HLT exiting, TPR shadow, I/O and MSR bitmaps, secondary controls.
  PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: 0x0400_6172n | 0x80n | 0x20_0000n | 0x1200_0000n | 0x8000_0000n,
  // 64-bit host, PAT and EFER saved and loaded.
  VM_EXIT_CONTROLS: 0x3_6dfbn | 0x4n | 0x200n | 0x3c_0000n,
  VM_ENTRY_CONTROLS: 0x11fbn | 0x4n | 0xc000n,
  IO_BITMAP_A_ADDRESS: at(PLACES.bitmaps),
  IO_BITMAP_B_ADDRESS: at(PLACES.bitmaps),
  MSR_BITMAP_ADDRESS: at(PLACES.bitmaps),
  VIRTUAL_APIC_ADDRESS: at(PLACES.virtualApic),
  TPR_THRESHOLD: 3n,
  EPT_POINTER: at(PLACES.ept) | 0x1en,
  VPID: 1n,
  VMCS_LINK_POINTER: 0xffff_ffff_ffff_ffffn,
  GUEST_IA32_PAT: 0x0007_0406_0007_0406n,
  GUEST_RIP: at(PLACES.code),
  GUEST_RSP: 0x4f00n,
  GUEST_RFLAGS: 2n,
  GUEST_DR7: 0x400n,
  GUEST_GDTR_LIMIT: 0xffffn,
  GUEST_IDTR_LIMIT: 0xffffn,
  GUEST_TR_ACCESS_RIGHTS: 0x8bn,
  GUEST_TR_LIMIT: 0x67n,
  GUEST_LDTR_ACCESS_RIGHTS: 0x82n,
  GUEST_LDTR_LIMIT: 0xfffn,
};

const segments = (limit: bigint, code: bigint, data: bigint, selector: bigint): Fields =>
  Object.fromEntries(
    (['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const).flatMap(name => [
      [`GUEST_${name}_SELECTOR`, selector],
      [`GUEST_${name}_BASE`, 0n],
      [`GUEST_${name}_LIMIT`, limit],
      [`GUEST_${name}_ACCESS_RIGHTS`, name === 'CS' ? code : data],
    ]),
  );

/** Bits of the secondary controls: EPT 1, VPID 5, unrestricted guest 7. */
export const VMCS_GUESTS: Readonly<Record<string, Fields>> = {
  'real mode, unrestricted, EPT': {
    ...COMMON,
    ...segments(0xffffn, 0x9bn, 0x93n, 0n),
    SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: 0xa2n,
    GUEST_CR0: 0x30n,
    GUEST_CR4: 0x2000n,
  },
  '64-bit mode, EPT': {
    ...COMMON,
    ...segments(0xffff_ffffn, 0xa09bn, 0xc093n, 0x10n),
    SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: 0x22n,
    VM_ENTRY_CONTROLS: 0x11fbn | 0x4n | 0xc000n | 0x200n,
    GUEST_CR0: 0x8000_0031n,
    GUEST_CR3: at(PLACES.guestTables),
    GUEST_CR4: 0x2020n,
    GUEST_IA32_EFER: 0x500n,
  },
  'ring 3 of protected mode with PAE, no EPT': {
    ...COMMON,
    ...segments(0xffff_ffffn, 0xc0fbn, 0xc0f3n, 0x13n),
    SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: 0n,
    GUEST_CR0: 0x8000_0031n,
    GUEST_CR3: at(PLACES.pointerTable) | 0x20n,
    GUEST_CR4: 0x2020n,
    GUEST_RFLAGS: 0x202n,
  },
  'virtual-8086 mode with PAE, EPT': {
    ...COMMON,
    ...segments(0xffffn, 0xf3n, 0xf3n, 0n),
    SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: 0x2n,
    GUEST_CR0: 0x8000_0031n,
    GUEST_CR3: at(PLACES.pointerTable) | 0x20n,
    GUEST_CR4: 0x2020n,
    GUEST_RFLAGS: 0x2_0202n,
    GUEST_PDPTE0: 0x1_1001n,
  },
};
