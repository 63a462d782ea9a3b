// Every field of a VMCB: where it lies, how long it is, what it is called. Unlike a VMCS, a VMCB is ordinary memory with a
// published layout: a hypervisor reads and writes it with MOV.
//
//   000–3FF   control area: what to intercept, what to inject; what the processor tells about an exit
//   400–FFF   state-save area: the guest's registers; VMRUN loads part of it, VMLOAD the rest
//
// APM vol. 2, appendix B, "VMCB Layout".

import {assertExists} from '@hyperscope/base';

export type VmcbArea = 'control' | 'exit' | 'save';
export type VmcbBytes = 1 | 2 | 4 | 8;

// [offset, bytes, name, what it is]
const CONTROL_ROWS = [
  [0x000, 2, 'INTERCEPT_CR_READ', 'Intercept reads of CR0 to CR15'],
  [0x002, 2, 'INTERCEPT_CR_WRITE', 'Intercept writes of CR0 to CR15'],
  [0x004, 2, 'INTERCEPT_DR_READ', 'Intercept reads of DR0 to DR15'],
  [0x006, 2, 'INTERCEPT_DR_WRITE', 'Intercept writes of DR0 to DR15'],
  [0x008, 4, 'INTERCEPT_EXCEPTION', 'Intercept exception vectors 0 to 31'],
  [0x00c, 4, 'INTERCEPT_WORD_3', 'Intercept INTR to shutdown'],
  [0x010, 4, 'INTERCEPT_WORD_4', 'Intercept VMRUN to control-register write traps'],
  [0x014, 4, 'INTERCEPT_WORD_5', 'Intercept INVLPGB to idle HLT'],
  [0x03c, 2, 'PAUSE_FILTER_THRESHOLD', 'PAUSE-filter threshold'],
  [0x03e, 2, 'PAUSE_FILTER_COUNT', 'PAUSE-filter count'],
  [0x040, 8, 'IOPM_BASE_PA', 'Physical address of the I/O permissions map'],
  [0x048, 8, 'MSRPM_BASE_PA', 'Physical address of the MSR permissions map'],
  [0x050, 8, 'TSC_OFFSET', 'Added to the time-stamp counter in the guest'],
  [0x058, 4, 'GUEST_ASID', 'Guest address-space identifier'],
  [0x05c, 1, 'TLB_CONTROL', 'What VMRUN flushes from the TLB'],
  [0x060, 8, 'VIRTUAL_INTERRUPT', 'V_TPR, V_IRQ, V_INTR_PRIO, V_IGN_TPR, V_INTR_MASKING, V_INTR_VECTOR'],
  [0x068, 8, 'INTERRUPT_SHADOW', 'Guest in an interrupt shadow'],
  [0x090, 8, 'NESTED_CONTROL', 'NP_ENABLE: nested paging'],
  [0x0a8, 4, 'EVENTINJ', 'Event to inject'],
  [0x0ac, 4, 'EVENTINJ_ERROR_CODE', 'Error code of the event to inject'],
  [0x0b0, 8, 'N_CR3', 'Root of the nested page tables'],
  [0x0b8, 8, 'VIRTUALIZATION_ENABLES', 'LBR virtualization; virtual VMLOAD and VMSAVE'],
  [0x0c0, 4, 'CLEAN_BITS', 'What the processor may keep from the last VMRUN'],
] as const;

const EXIT_ROWS = [
  [0x070, 8, 'EXITCODE', 'Why the guest was left'],
  [0x078, 8, 'EXITINFO1', 'Exit information 1'],
  [0x080, 8, 'EXITINFO2', 'Exit information 2'],
  [0x088, 4, 'EXITINTINFO', 'The event whose delivery the exit cut short'],
  [0x08c, 4, 'EXITINTINFO_ERROR_CODE', 'Error code of that event'],
  [0x0c8, 8, 'NRIP', 'Next sequential RIP'],
  [0x0d0, 1, 'BYTES_FETCHED', 'Number of instruction bytes fetched'],
] as const;

/** The segment registers in the order of the save area, 16 bytes each. */
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'GDTR', 'LDTR', 'IDTR', 'TR'] as const;
export type VmcbSegment = (typeof SEGMENTS)[number];
const SEGMENT_PARTS = [
  [0, 2, 'SELECTOR', 'selector'],
  [2, 2, 'ATTRIB', 'attributes'],
  [4, 4, 'LIMIT', 'limit'],
  [8, 8, 'BASE', 'base'],
] as const;
type SegmentFieldName = `${VmcbSegment}_${(typeof SEGMENT_PARTS)[number][2]}`;

const SAVE_ROWS = [
  [0x4cb, 1, 'CPL', 'Current privilege level'],
  [0x4d0, 8, 'EFER', 'EFER'],
  [0x548, 8, 'CR4', 'CR4'],
  [0x550, 8, 'CR3', 'CR3'],
  [0x558, 8, 'CR0', 'CR0'],
  [0x560, 8, 'DR7', 'DR7'],
  [0x568, 8, 'DR6', 'DR6'],
  [0x570, 8, 'RFLAGS', 'RFLAGS'],
  [0x578, 8, 'RIP', 'RIP'],
  [0x5d8, 8, 'RSP', 'RSP'],
  [0x5f8, 8, 'RAX', 'RAX'],
  [0x600, 8, 'STAR', 'STAR'],
  [0x608, 8, 'LSTAR', 'LSTAR'],
  [0x610, 8, 'CSTAR', 'CSTAR'],
  [0x618, 8, 'SFMASK', 'SFMASK'],
  [0x620, 8, 'KERNEL_GS_BASE', 'KernelGsBase'],
  [0x628, 8, 'SYSENTER_CS', 'SYSENTER_CS'],
  [0x630, 8, 'SYSENTER_ESP', 'SYSENTER_ESP'],
  [0x638, 8, 'SYSENTER_EIP', 'SYSENTER_EIP'],
  [0x640, 8, 'CR2', 'CR2'],
  [0x668, 8, 'G_PAT', 'Guest PAT, with nested paging'],
  [0x670, 8, 'DBGCTL', 'DebugCtl, with LBR virtualization'],
] as const;

export type VmcbFieldName =
  | (typeof CONTROL_ROWS)[number][2]
  | (typeof EXIT_ROWS)[number][2]
  | SegmentFieldName
  | (typeof SAVE_ROWS)[number][2];

export interface VmcbField {
  /** Bytes from the start of the VMCB. */
  readonly offset: number;
  readonly bytes: VmcbBytes;
  /** `EXITCODE` */
  readonly name: VmcbFieldName;
  /** `Why the guest was left` */
  readonly title: string;
  readonly area: VmcbArea;
}

type Row = readonly [offset: number, bytes: VmcbBytes, name: VmcbFieldName, title: string];

const inArea =
  (area: VmcbArea) =>
  ([offset, bytes, name, title]: Row): VmcbField => ({offset, bytes, name, title, area});

const SEGMENT_ROWS: readonly Row[] = SEGMENTS.flatMap((segment, index) =>
  SEGMENT_PARTS.map(
    ([at, bytes, part, words]) =>
      [0x400 + 16 * index + at, bytes, `${segment}_${part}`, `${segment} ${words}`] as const,
  ),
);

/** All fields, by offset. */
export const VMCB_FIELDS: readonly VmcbField[] = [
  ...CONTROL_ROWS.map(inArea('control')),
  ...EXIT_ROWS.map(inArea('exit')),
  ...SEGMENT_ROWS.map(inArea('save')),
  ...SAVE_ROWS.map(inArea('save')),
].toSorted((a, b) => a.offset - b.offset);

const BY_NAME: ReadonlyMap<string, VmcbField> = new Map(VMCB_FIELDS.map(field => [field.name, field]));

/** The field of a name. */
export function vmcbField(name: VmcbFieldName): VmcbField {
  return assertExists(BY_NAME.get(name), name);
}
