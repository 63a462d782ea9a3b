// Out of the guest: from the processor's registers and the frame that its interrupt delivery pushed, to the virtual CPU. What
// the guest may change without a trap is taken over; what it must not change is what the VMM remembers of it. A segment
// register that the guest has loaded by itself is found by its selector, and its descriptor is looked up in the guest's table.

import {hpa} from '@hyperscope/base';
import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {Cell, SegmentRegister} from '@hyperscope/isa';
import {hasErrorCode} from '@hyperscope/isa';
import {isCodeOrData, segmentFrom} from './descriptors.js';
import {VMM_LINEAR, VMM_PHYSICAL} from './vmm-layout.js';
import type {Vmm} from './vmm.js';

/** What the processor saved, or what it would. */
export interface GuestFrame {
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly rsp: bigint;
  readonly selectors: Readonly<Record<SegmentRegister, number>>;
}

const RFLAGS_VM = 1n << 17n;
/** CF PF AF ZF SF TF DF OF NT RF AC ID: the flags that ring 3 changes by itself. IF, IOPL, VM, VIF and VIP are virtual. */
export const NATIVE_FLAGS = 0x25_4dd5n;
const UNUSABLE = 0x1_0000n;

/** The frame of an interrupt delivery, at the top of the VMM's stack. */
export function frameAt(vmm: Vmm, vector: number | undefined): GuestFrame {
  const {registers, memory} = vmm.machine;
  const isLong = (registers.get('EFER') & 0x400n) !== 0n;
  const bytes = isLong ? 8 : 4;
  const top = registers.get('RSP') + (vector !== undefined && hasErrorCode(vector) ? BigInt(bytes) : 0n);
  const word = (index: number): bigint =>
    memory.read(hpa(VMM_PHYSICAL + Number(BigInt.asUintN(32, top) - VMM_LINEAR) + index * bytes), bytes);
  const rflags = word(2);
  const isV86 = (rflags & RFLAGS_VM) !== 0n;
  const data = (register: SegmentRegister, index: number): number =>
    isV86 ? Number(word(index) & 0xffffn) : registers.number(`${register}.selector`);
  return {
    rip: word(0),
    rflags,
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

/** The error code that the processor pushed. */
export function errorCodeAt(vmm: Vmm, vector: number): number {
  const {registers, memory} = vmm.machine;
  if (!hasErrorCode(vector)) return 0;
  return Number(memory.read(hpa(VMM_PHYSICAL + Number(registers.get('RSP') - VMM_LINEAR)), 4));
}

/** The same while the guest runs: everything is in the processor. */
export function frameInProcessor(vmm: Vmm): GuestFrame {
  const {registers} = vmm.machine;
  const selector = (register: SegmentRegister): number => registers.number(`${register}.selector`);
  return {
    rip: registers.get('RIP'),
    rflags: registers.get('RFLAGS'),
    rsp: registers.get('RSP'),
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

/** The cells of the virtual CPU that differ from what it holds in memory, as the frame tells them. */
export function guestCellsOf(vmm: Vmm, frame: GuestFrame): ReadonlyMap<Cell, bigint> {
  const {vcpu, machine} = vmm;
  const cells = new Map<Cell, bigint>();
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') cells.set(name, machine.registers.get(name));
  cells.set('RIP', frame.rip);
  cells.set('RSP', frame.rsp);
  cells.set('RFLAGS', (vcpu.get('RFLAGS') & ~NATIVE_FLAGS) | (frame.rflags & NATIVE_FLAGS));
  cells.set('INTERRUPT_SHADOW', 0n);
  const ring = frame.selectors.CS & 3;
  const isV86 = (frame.rflags & RFLAGS_VM) !== 0n;
  if (!isV86 && vmm.layout === '0/1/3') cells.set('CPL', BigInt(ring === 1 ? Math.min(vmm.virtualRing, 1) : ring));
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
