// The states in which an instruction is tried. S = ⟨E, M, P, R⟩: M is the privilege level, 0 or 3, with IOPL 0, as a
// monitor keeps it. R is what belongs to the system: the tables and where they are, the control registers, the model-specific
// registers. A relocation r ⊕ x is any one of these in another place or with another value, while the program's own memory and
// registers stay what they are.

import {cellIndex, isCell} from '@hyperscope/isa';
import type {Cell, SegmentRegister} from '@hyperscope/isa';
import {capabilitiesOf, featuresOf} from '@hyperscope/machine';
import type {ProcessorFeatures, ProcessorProfile} from '@hyperscope/machine';
import {LAYOUT, SELECTOR, TABLE_LIMIT} from './state-layout.js';
import type {ClassifiedMode} from './state-layout.js';

/** M. */
export type ProcessorMode = 'supervisor' | 'user';
export type Cells = Readonly<Partial<Record<Cell, bigint>>>;

/** x: what is changed of the system's resources. */
export interface Relocation {
  readonly id: string;
  /** `the interrupt table is elsewhere` */
  readonly sentence: string;
  readonly cells: Cells;
  /** The program runs in the second copy of memory, to which another set of page tables leads. */
  readonly frames: 'the first copy' | 'the second copy';
  /** Which operands it is tried with: of instructions with selectors for operands the tables are the interesting part. */
  readonly triedWith: 'numbers' | 'selectors' | 'both';
}

const DATA_SEGMENTS: readonly SegmentRegister[] = ['DS', 'ES', 'FS', 'GS'];
const IF = 0x200n;

/** The base state: flat segments, paging, everything enabled that a system enables. */
export function baseCells(profile: ProcessorProfile, mode: ClassifiedMode): Cells {
  const features = featuresOf(profile);
  const data = DATA_SEGMENTS.map(register => segment(register, SELECTOR.userData, 0xc0f3));
  return Object.assign(
    {},
    ...data,
    systemSegment('TR', SELECTOR.tss, LAYOUT.tss, 0x67, 0x8b),
    systemSegment('LDTR', SELECTOR.ldt, LAYOUT.ldt, 0x1f, 0x82),
    controlCells(features, mode),
    virtualizationCells(features),
    {
      RFLAGS: 2n,
      RIP: BigInt(LAYOUT.code),
      RSP: BigInt(LAYOUT.stack),
      RBP: BigInt(LAYOUT.stack + 0x100),
      RSI: BigInt(LAYOUT.source),
      RDI: BigInt(LAYOUT.destination),
      'GDTR.base': BigInt(LAYOUT.gdt),
      'GDTR.limit': BigInt(TABLE_LIMIT),
      'IDTR.base': BigInt(LAYOUT.idt),
      'IDTR.limit': mode === 64 ? 0xfffn : 0x7ffn,
      STAR: (BigInt(SELECTOR.userCode) << 48n) | (BigInt(SELECTOR.kernelCode) << 32n) | BigInt(LAYOUT.systemCall),
      LSTAR: BigInt(LAYOUT.systemCall),
      CSTAR: BigInt(LAYOUT.systemCall),
      SYSENTER_CS: BigInt(SELECTOR.kernelCode),
      SYSENTER_ESP: BigInt(LAYOUT.kernelStack),
      SYSENTER_EIP: BigInt(LAYOUT.systemCall),
      APIC_BASE: 0xfee0_0900n,
      KERNEL_GS_BASE: 0x7000n,
      // MONITOR was executed before.
      MONITORED_LINE: BigInt(LAYOUT.source + 1),
    } satisfies Cells,
  );
}

/** What differs between the two modes, and nothing else: CPL, and the selectors and rights of CS and SS that carry it. */
export function modeCells(mode: ClassifiedMode, of: ProcessorMode): Cells {
  const ring = of === 'user' ? 3 : 0;
  const userCode = mode === 64 ? SELECTOR.userCode64 : SELECTOR.userCode;
  const dpl = ring << 5;
  return {
    CPL: BigInt(ring),
    ...segment('CS', ring === 3 ? userCode | 3 : SELECTOR.kernelCode, (mode === 64 ? 0xa09b : 0xc09b) | dpl),
    ...segment('SS', ring === 3 ? SELECTOR.userData : SELECTOR.kernelData, 0xc093 | dpl),
  };
}

/** PE, MP, ET, NE and PG. TS is clear: what a program does with the FPU is no business of the system's. */
const CR0 = 0x8000_0033n;

function controlCells(features: ProcessorFeatures, mode: ClassifiedMode): Cells {
  const enabled = [
    [features.pse, 4],
    [mode === 64, 5],
    [features.fxsr, 9],
    [features.sse, 10],
    [features.umip, 11],
    [features.vmx, 13],
    [features.fsgsbase, 16],
    [features.xsave, 18],
  ] as const;
  const cr4 = enabled.reduce((bits, [on, at]) => bits | (on ? 1n << BigInt(at) : 0n), 0n);
  const long = mode === 64 ? 0x500n : 0n;
  return {
    CR0,
    CR3: BigInt(LAYOUT.pages),
    CR4: cr4,
    EFER: long | (features.syscall ? 1n : 0n) | (features.svm ? 0x1000n : 0n),
    XCR0: features.xsave ? 3n : 1n,
  };
}

function virtualizationCells(features: ProcessorFeatures): Cells {
  if (features.svm) return {VM_HSAVE_PA: BigInt(LAYOUT.hostSave), GIF: 1n};
  if (!features.vmx) return {};
  return {
    FEATURE_CONTROL: 5n,
    VMX_OPERATION: 1n,
    VMXON_POINTER: BigInt(LAYOUT.vmxon),
    CURRENT_VMCS: BigInt(LAYOUT.vmcs),
  };
}

function segment(register: SegmentRegister, selector: number, attributes: number): Cells {
  return {
    [`${register}.selector`]: BigInt(selector),
    [`${register}.base`]: 0n,
    [`${register}.limit`]: 0xffff_ffffn,
    [`${register}.attributes`]: BigInt(attributes),
  };
}

function systemSegment(
  register: 'LDTR' | 'TR',
  selector: number,
  base: number,
  limit: number,
  attributes: number,
): Cells {
  return {
    [`${register}.selector`]: BigInt(selector),
    [`${register}.base`]: BigInt(base),
    [`${register}.limit`]: BigInt(limit),
    [`${register}.attributes`]: BigInt(attributes),
  };
}

const relocation = (
  id: string,
  sentence: string,
  cells: Cells,
  more: Partial<Pick<Relocation, 'frames' | 'triedWith'>> = {},
): Relocation => ({id, sentence, cells, frames: 'the first copy', triedWith: 'numbers', ...more});

/** Every x that is tried, one at a time. */
export function relocations(profile: ProcessorProfile, base: Cells): readonly Relocation[] {
  const features = featuresOf(profile);
  const changed = (cell: Cell, bits: bigint): Cells => ({[cell]: (base[cell] ?? 0n) ^ bits});
  return [
    relocation(
      'frames',
      'the program lies in other page frames',
      {CR3: BigInt(LAYOUT.otherPages)},
      {frames: 'the second copy'},
    ),
    relocation(
      'GDTR',
      'GDTR names another table, with other rights, limits and gates',
      {'GDTR.base': BigInt(LAYOUT.otherGdt)},
      {triedWith: 'both'},
    ),
    relocation('IDTR', 'IDTR names a copy of the table', {'IDTR.base': BigInt(LAYOUT.otherIdt)}),
    relocation(
      'LDTR',
      'LDTR names another table',
      systemSegment('LDTR', SELECTOR.otherLdt, LAYOUT.otherLdt, 0x1f, 0x82),
      {triedWith: 'both'},
    ),
    relocation('TR', 'TR names another task', systemSegment('TR', SELECTOR.otherTss, LAYOUT.otherTss, 0x67, 0x8b)),
    relocation(
      'segments',
      'the data segments have other selectors for the same bytes',
      Object.assign({}, ...DATA_SEGMENTS.map(register => segment(register, SELECTOR.otherUserData, 0xc0f3))),
    ),
    relocation('IF', 'IF is 1', changed('RFLAGS', IF)),
    relocation('CR0', 'CR0.TS is 1', changed('CR0', 8n)),
    relocation('CR2', 'CR2 holds another address', changed('CR2', 0x1234_5000n)),
    ...(features.de ? [relocation('CR4', 'CR4.DE is 1', changed('CR4', 8n))] : []),
    relocation('CR8', 'CR8 is 5', changed('CR8', 5n)),
    relocation('DR', 'DR0 and DR6 hold something else', {DR0: 0x5000n, DR6: 0xffff_0ff1n}),
    relocation('APIC', 'the local APIC is off', changed('APIC_BASE', 0x800n)),
    relocation('TSC', 'the time-stamp counter is further on', changed('TSC', 0x1_0000n)),
    relocation('MSR', 'IA32_TSC_AUX and IA32_SYSENTER_ESP hold something else', {
      ...changed('TSC_AUX', 7n),
      ...changed('SYSENTER_ESP', 0x100n),
    }),
    ...(features.xsave ? [relocation('XCR0', 'XCR0 enables x87 state only', {XCR0: 1n})] : []),
    ...(features.vmx ? VMX_RELOCATIONS : []),
    ...(features.svm ? [relocation('GIF', 'the global interrupt flag is 0', changed('GIF', 1n))] : []),
  ];
}

const VMX_RELOCATIONS: readonly Relocation[] = [
  relocation('VMCS', 'another VMCS is current', {CURRENT_VMCS: BigInt(LAYOUT.otherVmcs)}),
  relocation('VMX', 'the processor is not in VMX operation', {
    VMX_OPERATION: 0n,
    VMXON_POINTER: 0xffff_ffff_ffff_ffffn,
    CURRENT_VMCS: 0xffff_ffff_ffff_ffffn,
  }),
];

/** Cells by their index in the register bank: looked up once, written often. */
export type IndexedCells = readonly (readonly [index: number, value: bigint])[];

export const indexed = (cells: Cells): IndexedCells =>
  Object.entries(cells).flatMap(([cell, value]) => (isCell(cell) ? [[cellIndex(cell), value] as const] : []));

/** Writes cells over others. */
export function putCells(into: BigUint64Array, cells: IndexedCells): void {
  for (const [index, value] of cells) into[index] = value;
}

/** The first word of every VMXON region and VMCS of a processor. */
export const revisionOf = (profile: ProcessorProfile): number => capabilitiesOf(profile).revision;
