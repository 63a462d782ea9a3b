// Every piece of register state that a processor has, as named 64-bit cells in one fixed order.
// The machine keeps them in one BigUint64Array, the record stores their changes by index, real KVM fills the same
// cells from KVM_GET_REGS and KVM_GET_SREGS. New cells are appended by name; files store the names, not the numbers.

/** The sixteen general-purpose registers, in encoding order (SDM vol. 2, "REX Prefixes"). */
export const GENERAL_REGISTERS = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
] as const;
export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];

/** The six segment registers, in encoding order (SDM vol. 2, "ModR/M and SIB Bytes"). */
export const SEGMENT_REGISTERS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
export type SegmentRegister = (typeof SEGMENT_REGISTERS)[number];

/** The registers that have a hidden part: base, limit and access rights. */
export const DESCRIPTOR_REGISTERS = [...SEGMENT_REGISTERS, 'LDTR', 'TR'] as const;
export type DescriptorRegister = (typeof DESCRIPTOR_REGISTERS)[number];

/**
 * The visible and the hidden part of a segment register. `attributes` has the VMCS access-rights format
 * (SDM vol. 3C, "Guest Register State"): 3:0 type, 4 S, 6:5 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable.
 */
export const SEGMENT_PARTS = ['selector', 'base', 'limit', 'attributes'] as const;
export type SegmentPart = (typeof SEGMENT_PARTS)[number];

const SYSTEM_CELLS = [
  'GDTR.base',
  'GDTR.limit',
  'IDTR.base',
  'IDTR.limit',
  'CR0',
  'CR2',
  'CR3',
  'CR4',
  'CR8',
  'XCR0',
  'DR0',
  'DR1',
  'DR2',
  'DR3',
  'DR6',
  'DR7',
  'EFER',
  'STAR',
  'LSTAR',
  'CSTAR',
  'FMASK',
  'KERNEL_GS_BASE',
  'TSC_AUX',
  'SYSENTER_CS',
  'SYSENTER_ESP',
  'SYSENTER_EIP',
  'PAT',
  'APIC_BASE',
  'DEBUGCTL',
  'FEATURE_CONTROL',
  'MISC_ENABLE',
  'VM_CR',
  'VM_HSAVE_PA',
] as const;

/** What a processor remembers and no instruction reads as a register. */
const PROCESSOR_CELLS = [
  /** Current privilege level, 0 to 3. */
  'CPL',
  /** Bit 0: blocking by STI. Bit 1: blocking by MOV SS. As the VMCS interruptibility state. */
  'INTERRUPT_SHADOW',
  /** 1 while NMIs are blocked by an NMI handler. */
  'NMI_BLOCKING',
  /** The VMCS activity state: 0 active, 1 HLT, 2 shutdown, 3 wait-for-SIPI. */
  'ACTIVITY',
  /**
   * 0 outside VMX operation, 1 VMX root operation, 2 VMX non-root operation. Under SVM: 2 in a guest, 1 in a host that has run
   * one.
   */
  'VMX_OPERATION',
  /** Physical address of the VMXON region; all ones outside VMX operation. */
  'VMXON_POINTER',
  /** Physical address of the current VMCS; all ones when there is none. */
  'CURRENT_VMCS',
  /** SVM's global interrupt flag: 0 holds off interrupts, NMIs included. */
  'GIF',
  /** Physical address of the VMCB of the guest that runs, or ran last; all ones when there is none. */
  'CURRENT_VMCB',
  /** Cycles since reset, by the cost model. */
  'CYCLES',
  /** Instructions retired since reset. */
  'INSTRUCTIONS',
  /** Time-stamp counter as RDTSC would return it outside VMX non-root operation. */
  'TSC',
  /** PAE paging: the entries of the page-directory-pointer table, as they were when CR3 was loaded. */
  'PDPTE0',
  'PDPTE1',
  'PDPTE2',
  'PDPTE3',
  /** Physical address of the 64 bytes that MONITOR watches, and bit 0 set; 0 when it watches nothing. */
  'MONITORED_LINE',
  /** What those bytes were then, as one number. */
  'MONITORED_BYTES',
] as const;

export type Cell =
  | GeneralRegister
  | 'RIP'
  | 'RFLAGS'
  | `${DescriptorRegister}.${SegmentPart}`
  | (typeof SYSTEM_CELLS)[number]
  | (typeof PROCESSOR_CELLS)[number];

function segmentCells(): Cell[] {
  return DESCRIPTOR_REGISTERS.flatMap(register => SEGMENT_PARTS.map(part => `${register}.${part}` as const));
}

/** All cells; a cell's index here is its index in the register bank. */
export const CELLS: readonly Cell[] = [
  ...GENERAL_REGISTERS,
  'RIP',
  'RFLAGS',
  ...segmentCells(),
  ...SYSTEM_CELLS,
  ...PROCESSOR_CELLS,
];

const INDEX: ReadonlyMap<string, number> = new Map(CELLS.map((cell, index) => [cell, index]));

/** The index of a cell in the register bank. */
export function cellIndex(cell: Cell): number {
  return INDEX.get(cell) ?? -1;
}

/** Whether a text names a cell, for names that come from files and command lines. */
export function isCell(name: string): name is Cell {
  return INDEX.has(name);
}
