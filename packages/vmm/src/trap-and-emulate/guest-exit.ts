// Out of the guest: from the processor's registers and the frame that its interrupt delivery pushed, to the virtual CPU. What
// the guest may change without a trap is taken over; what it must not change is what the VMM remembers of it. A segment
// register that the guest has loaded by itself is found by its selector, and its descriptor is looked up in the guest's table.

import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {Cell, GeneralRegister, SegmentRegister} from '@hyperscope/isa';
import {isCodeOrData, segmentFrom} from './descriptors.js';
import type {VirtualCpu} from './virtual-cpu.js';
import {STACK_TOP, VMM_LINEAR} from './vmm-layout.js';
import type {Vmm} from './vmm.js';

/** What the processor saved, or what it would. */
export interface GuestFrame {
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly rsp: bigint;
  readonly selectors: Readonly<Record<SegmentRegister, number>>;
  /** What pushed it: a call through the VMM's gate pushes the address behind itself, and no RFLAGS. */
  readonly by?: 'call gate' | undefined;
  /** General registers that are not in the processor, because code of the translation cache uses it for something else. */
  readonly putAside?: ReadonlyMap<GeneralRegister, bigint> | undefined;
  /** Bits 15:8 of RFLAGS, where POPF in the translation cache has not stored the virtual IF yet. */
  readonly flagsByte?: bigint | undefined;
  /** STI was the instruction before. */
  readonly holdsInterrupts?: boolean | undefined;
}

const RFLAGS_RF = 1n << 16n;
const RFLAGS_VM = 1n << 17n;
/** CF PF AF ZF SF TF DF OF NT RF AC ID: the flags that ring 3 changes by itself. IF, IOPL, VM, VIF and VIP are virtual. */
export const NATIVE_FLAGS = 0x25_4dd5n;
const RFLAGS_IF = 1n << 9n;
const UNUSABLE = 0x1_0000n;
const SYSCALL_BYTES = 2n;

export type CellReader = (cell: Cell) => bigint;

/** Reads bytes of the VMM's window, by their offset. */
export type WindowReader = (offset: number, bytes: number) => bigint;

const EFER_LMA = 0x400n;
/** SS:RSP, RFLAGS, CS:RIP; from virtual-8086 mode GS, FS, DS and ES before them. */
const FRAME_WORDS = 5;
/** SS:RSP, CS:RIP: a far CALL through a gate. */
const GATE_FRAME_WORDS = 4;
const VIRTUAL_8086_FRAME_WORDS = 9;

/** The linear address of the top of the stack, while the VMM runs. */
export function stackPointer(cells: CellReader): bigint {
  if ((cells('EFER') & EFER_LMA) !== 0n) return cells('RSP');
  return BigInt.asUintN(32, cells('SS.base') + cells('RSP'));
}

/** The frame of an interrupt delivery at the top of the VMM's stack, with or without an error code below it. */
export function frameAt(cells: CellReader, window: WindowReader): GuestFrame {
  const bytes = (cells('EFER') & EFER_LMA) !== 0n ? 8 : 4;
  const used = STACK_TOP - Number(stackPointer(cells) - VMM_LINEAR);
  if (used === GATE_FRAME_WORDS * bytes) return gateFrame(cells, window, bytes);
  const isV86 = used >= VIRTUAL_8086_FRAME_WORDS * bytes;
  const start = STACK_TOP - (isV86 ? VIRTUAL_8086_FRAME_WORDS : FRAME_WORDS) * bytes;
  const word = (index: number): bigint => window(start + index * bytes, bytes);
  const data = (register: SegmentRegister, index: number): number =>
    Number((isV86 ? word(index) : cells(`${register}.selector`)) & 0xffffn);
  return {
    rip: word(0),
    rflags: word(2),
    rsp: word(3),
    selectors: {
      CS: Number(word(1) & 0xffffn),
      SS: Number(word(4) & 0xffffn),
      ES: data('ES', 5),
      DS: data('DS', 6),
      FS: data('FS', 7),
      GS: data('GS', 8),
    },
  };
}

/** The flags are still in the processor. */
function gateFrame(cells: CellReader, window: WindowReader, bytes: 4 | 8): GuestFrame {
  const word = (index: number): bigint => window(STACK_TOP - (GATE_FRAME_WORDS - index) * bytes, bytes);
  const {selectors} = frameInProcessor(cells);
  const rings = {CS: Number(word(1) & 0xffffn), SS: Number(word(3) & 0xffffn)};
  return {rip: word(0), rflags: cells('RFLAGS'), rsp: word(2), selectors: {...selectors, ...rings}, by: 'call gate'};
}

/** SYSCALL has no frame: RIP is in RCX and RFLAGS in R11, as it does to everybody; CS and SS are as the VMM loaded them. */
export function systemCallFrame(cells: CellReader, vcpu: VirtualCpu): GuestFrame {
  const {selectors} = frameInProcessor(cells);
  return {
    rip: cells('RCX') - SYSCALL_BYTES,
    rflags: cells('R11'),
    rsp: cells('RSP'),
    selectors: {...selectors, CS: vcpu.slot('loaded_CS'), SS: vcpu.slot('loaded_SS')},
  };
}

/** The same while the guest runs: everything is in the processor. */
export function frameInProcessor(cells: CellReader): GuestFrame {
  const selector = (register: SegmentRegister): number => Number(cells(`${register}.selector`));
  return {
    rip: cells('RIP'),
    rflags: cells('RFLAGS'),
    rsp: cells('RSP'),
    selectors: {
      ES: selector('ES'),
      CS: selector('CS'),
      SS: selector('SS'),
      DS: selector('DS'),
      FS: selector('FS'),
      GS: selector('GS'),
    },
  };
}

/**
 * RF is pushed as 1 by every fault. The guest's own is what it was on the way in, until one instruction is done.
 */
export function guestFlags({rip, rflags, flagsByte}: GuestFrame, vcpu: VirtualCpu): bigint {
  const stored = vcpu.get('RFLAGS');
  const before = flagsByte === undefined ? stored : (stored & ~RFLAGS_IF) | ((flagsByte << 8n) & RFLAGS_IF);
  const kept = rip === vcpu.get('RIP') ? before & rflags & RFLAGS_RF : 0n;
  return (before & ~NATIVE_FLAGS & ~RFLAGS_RF) | (rflags & NATIVE_FLAGS & ~RFLAGS_RF) | kept;
}

/** The cells of the virtual CPU that differ from what it holds in memory, as the frame tells them. */
export function guestCellsOf(vmm: Vmm, frame: GuestFrame): ReadonlyMap<Cell, bigint> {
  const {vcpu, machine} = vmm;
  const cells = new Map<Cell, bigint>();
  for (const name of GENERAL_REGISTERS)
    if (name !== 'RSP') cells.set(name, frame.putAside?.get(name) ?? machine.registers.get(name));
  cells.set('RIP', frame.rip);
  cells.set('RSP', frame.rsp);
  cells.set('RFLAGS', guestFlags(frame, vcpu));
  cells.set('INTERRUPT_SHADOW', frame.holdsInterrupts === true ? 1n : 0n);
  const isV86 = (frame.rflags & RFLAGS_VM) !== 0n;
  if (!isV86 && vmm.layout === '0/1/3') cells.set('CPL', BigInt(virtualRingOf(frame, vmm.virtualRing)));
  vmm.virtual.load();
  for (const register of SEGMENT_REGISTERS) {
    if (isV86) takeRealModeSegment(vmm, register, frame, cells);
    else takeSegment(vmm, register, frame, cells);
  }
  if (vmm.isGuestLong) {
    for (const register of ['FS', 'GS'] as const)
      cells.set(`${register}.base`, machine.registers.get(`${register}.base`));
  }
  return cells;
}

/** Under 0/1/3 the real ring tells the guest's, but for rings 0 and 1, which are one: what it was before. */
export function virtualRingOf({selectors}: GuestFrame, before: number): number {
  const ring = selectors.CS & 3;
  return ring === 1 ? Math.min(before, 1) : ring;
}

/** Virtual-8086 mode: a selector is all there is to a segment. */
function takeRealModeSegment(vmm: Vmm, register: SegmentRegister, frame: GuestFrame, cells: Map<Cell, bigint>): void {
  const selector = BigInt(frame.selectors[register]);
  if (selector === vmm.vcpu.get(`${register}.selector`)) return;
  cells.set(`${register}.selector`, selector);
  cells.set(`${register}.base`, selector << 4n);
}

function takeSegment(vmm: Vmm, register: SegmentRegister, frame: GuestFrame, cells: Map<Cell, bigint>): void {
  const selector = frame.selectors[register];
  if (selector === vmm.vcpu.slot(`loaded_${register}`)) return;
  const raw = vmm.descriptors.guestDescriptor(selector);
  const isRings = register === 'CS' || register === 'SS';
  const cpl = Number(cells.get('CPL') ?? vmm.vcpu.get('CPL'));
  // In CS and SS the processor shows the real ring; the guest's own is put back.
  const visible = isRings && raw !== undefined ? (selector & ~3) | cpl : selector;
  cells.set(`${register}.selector`, BigInt(visible));
  if (raw === undefined || !isCodeOrData(raw)) {
    cells.set(`${register}.base`, 0n);
    cells.set(`${register}.limit`, 0n);
    cells.set(`${register}.attributes`, UNUSABLE);
    return;
  }
  const values = segmentFrom(raw, visible);
  cells.set(`${register}.base`, values.base);
  cells.set(`${register}.limit`, BigInt(values.limit));
  cells.set(`${register}.attributes`, BigInt(values.attributes));
}

/** Makes the virtual CPU what the frame tells, and gives the registers that the guest loaded by itself. */
export function saveGuest(vmm: Vmm, frame: GuestFrame): readonly SegmentRegister[] {
  const {vcpu} = vmm;
  const own = SEGMENT_REGISTERS.filter(
    register => (frame.rflags & RFLAGS_VM) === 0n && frame.selectors[register] !== vcpu.slot(`loaded_${register}`),
  );
  const cells = guestCellsOf(vmm, frame);
  for (const [cell, value] of cells) vcpu.set(cell, value);
  vcpu.setSlot('in_guest', 0);
  return own;
}
