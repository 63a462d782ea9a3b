// kvm_regs, kvm_sregs and kvm_vcpu_events to register cells and back. The structures are KVM's; the cells are isa's.

import {cellIndex} from '@hyperscope/isa';
import type {Cell, DescriptorRegister} from '@hyperscope/isa';
import type {RegisterValues} from '@hyperscope/vmm';
import {LAYOUT} from './kvm-layout.js';

/** kvm_regs is eighteen 64-bit words in this order. */
const REGS_CELLS = [
  'RAX',
  'RBX',
  'RCX',
  'RDX',
  'RSI',
  'RDI',
  'RSP',
  'RBP',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
  'RIP',
  'RFLAGS',
] as const satisfies readonly Cell[];

/** kvm_sregs begins with eight kvm_segments in this order. */
const SREGS_SEGMENTS = [
  'CS',
  'DS',
  'ES',
  'FS',
  'GS',
  'SS',
  'TR',
  'LDTR',
] as const satisfies readonly DescriptorRegister[];

/** … and ends with these 64-bit words, from kvm_sregs.cr0. */
const SREGS_WORDS = ['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'EFER', 'APIC_BASE'] as const satisfies readonly Cell[];

const TABLES = [
  ['GDTR', LAYOUT['kvm_sregs.gdt']],
  ['IDTR', LAYOUT['kvm_sregs.idt']],
] as const;

/** The cells that KVM_GET_REGS and KVM_GET_SREGS answer for. */
export const REGS_AND_SREGS_CELLS: readonly Cell[] = [
  ...REGS_CELLS,
  ...SREGS_SEGMENTS.flatMap(register =>
    (['selector', 'base', 'limit', 'attributes'] as const).map(part => `${register}.${part}` as const),
  ),
  ...SREGS_WORDS,
  ...TABLES.flatMap(([table]) => [`${table}.base` as const, `${table}.limit` as const]),
  'CPL',
];

/** The VMCS access-rights format from the bytes of a kvm_segment: type, present, dpl, db, s, l, g, avl, unusable. */
export function attributesOf(view: DataView, segment: number): number {
  const at = (index: number): number => view.getUint8(segment + LAYOUT['kvm_segment.type'] + index);
  return (
    (at(0) & 15) |
    (at(4) << 4) |
    ((at(2) & 3) << 5) |
    (at(1) << 7) |
    (at(7) << 12) |
    (at(5) << 13) |
    (at(3) << 14) |
    (at(6) << 15) |
    (at(8) << 16)
  );
}

/** The reverse of attributesOf. */
export function putAttributes(view: DataView, segment: number, attributes: number): void {
  const bit = (index: number): number => (attributes >> index) & 1;
  const bytes = [attributes & 15, bit(7), (attributes >> 5) & 3, bit(14), bit(4), bit(13), bit(15), bit(12), bit(16)];
  bytes.forEach((byte, index) => view.setUint8(segment + LAYOUT['kvm_segment.type'] + index, byte));
}

/** Fills the cells of kvm_regs at `offset`. */
export function unpackRegs(view: DataView, offset: number, cells: BigUint64Array): void {
  for (const [index, cell] of REGS_CELLS.entries())
    cells[cellIndex(cell)] = view.getBigUint64(offset + index * 8, true);
}

/** Writes those of `values` that belong to kvm_regs; says whether there was any. */
export function packRegs(values: RegisterValues, view: DataView): boolean {
  let any = false;
  for (const [index, cell] of REGS_CELLS.entries()) {
    const value = values[cell];
    if (value === undefined) continue;
    view.setBigUint64(index * 8, value, true);
    any = true;
  }
  return any;
}

/** Fills the cells of kvm_sregs at `offset`, and CPL, which KVM keeps as SS.DPL (0 in real mode). */
export function unpackSregs(view: DataView, offset: number, cells: BigUint64Array): void {
  for (const [index, register] of SREGS_SEGMENTS.entries()) {
    const segment = offset + index * LAYOUT.kvm_segment;
    cells[cellIndex(`${register}.base`)] = view.getBigUint64(segment, true);
    cells[cellIndex(`${register}.limit`)] = BigInt(view.getUint32(segment + LAYOUT['kvm_segment.limit'], true));
    cells[cellIndex(`${register}.selector`)] = BigInt(view.getUint16(segment + LAYOUT['kvm_segment.selector'], true));
    cells[cellIndex(`${register}.attributes`)] = BigInt(attributesOf(view, segment));
  }
  for (const [table, at] of TABLES) {
    cells[cellIndex(`${table}.base`)] = view.getBigUint64(offset + at, true);
    cells[cellIndex(`${table}.limit`)] = BigInt(view.getUint16(offset + at + 8, true));
  }
  for (const [index, cell] of SREGS_WORDS.entries()) {
    cells[cellIndex(cell)] = view.getBigUint64(offset + LAYOUT['kvm_sregs.cr0'] + index * 8, true);
  }
  const protectedMode = ((cells[cellIndex('CR0')] ?? 0n) & 1n) === 1n;
  const ssAttributes = cells[cellIndex('SS.attributes')] ?? 0n;
  cells[cellIndex('CPL')] = protectedMode ? (ssAttributes >> 5n) & 3n : 0n;
}

/** Writes those of `values` that belong to kvm_sregs; says whether there was any. CPL is not one: SS.DPL carries it. */
export function packSregs(values: RegisterValues, view: DataView): boolean {
  let any = false;
  const put = (value: bigint | undefined, write: (value: bigint) => void): void => {
    if (value === undefined) return;
    write(value);
    any = true;
  };
  for (const [index, register] of SREGS_SEGMENTS.entries()) {
    const segment = index * LAYOUT.kvm_segment;
    put(values[`${register}.base`], value => view.setBigUint64(segment, value, true));
    put(values[`${register}.limit`], value =>
      view.setUint32(segment + LAYOUT['kvm_segment.limit'], Number(value), true),
    );
    put(values[`${register}.selector`], value =>
      view.setUint16(segment + LAYOUT['kvm_segment.selector'], Number(value), true),
    );
    put(values[`${register}.attributes`], value => putAttributes(view, segment, Number(value)));
  }
  for (const [table, at] of TABLES) {
    put(values[`${table}.base`], value => view.setBigUint64(at, value, true));
    put(values[`${table}.limit`], value => view.setUint16(at + 8, Number(value), true));
  }
  for (const [index, cell] of SREGS_WORDS.entries()) {
    put(values[cell], value => view.setBigUint64(LAYOUT['kvm_sregs.cr0'] + index * 8, value, true));
  }
  return any;
}

/** Interrupt shadow and NMI blocking, from kvm_vcpu_events at `offset`. KVM's bit 0 is MOV SS; the VMCS's is STI. */
export function unpackEvents(view: DataView, offset: number, cells: BigUint64Array): void {
  const shadow = view.getUint8(offset + LAYOUT['kvm_vcpu_events.interrupt.shadow']);
  cells[cellIndex('INTERRUPT_SHADOW')] = BigInt(((shadow & 2) >> 1) | ((shadow & 1) << 1));
  cells[cellIndex('NMI_BLOCKING')] = BigInt(view.getUint8(offset + LAYOUT['kvm_vcpu_events.nmi.masked']));
}
