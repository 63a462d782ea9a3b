// Memory slots: which memory of QEMU's process is which guest-physical memory. KVM never hears where a page lies: it is told a
// host-virtual address, and asks the host's page tables for the rest. Documentation/virt/kvm/api.rst,
// "KVM_SET_USER_MEMORY_REGION". KVM keeps what it was told in the host's memory:
//
//   +32·n  slot (4) · flags (4) · guest_phys_addr (8) · memory_size (8) · userspace_addr (8)     a size of 0 ends them

import {hpa, hva} from '@hyperscope/base';
import type {Hva} from '@hyperscope/base';
import {ramOf} from '@hyperscope/machine';
import type {DeviceMemory, PhysicalMemory} from '@hyperscope/machine';
import {GUEST_RAM, KVM_MEMSLOTS, RAM_WINDOW} from '../host/host-layout.js';
import type {GuestImage} from '../technique.js';
import {ramRanges} from '../user-space/video-memory.js';
import type {HardwareKind} from './hardware.js';

/** A memory slot, as KVM_SET_USER_MEMORY_REGION makes it. */
export interface MemorySlot {
  readonly gpa: number;
  readonly bytes: number;
  /** userspace_addr: where it begins in QEMU's address space. */
  readonly hva: Hva;
  /** Where the host's page tables lead from there: the host has it in one piece. */
  readonly host: number;
  readonly access: 'read-write' | 'read-only';
}

const PAGE = 4096;
const ENTRY_BYTES = 32;
const MOST_SLOTS = PAGE / ENTRY_BYTES;
/** KVM_MEM_READONLY. */
const READ_ONLY = 2;
const upTo = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

/**
 * RAM from 0, with a hole where the video card's text memory is; and a slot of its own for every segment that lies outside
 * (a ROM at the top of 4 GiB). The RAM lies in the host's memory as if there were no hole.
 */
export function memorySlots(image: GuestImage, ofKvm?: HardwareKind['privateMemory']): readonly MemorySlot[] {
  const slots: MemorySlot[] = ramRanges(image.memoryBytes).map(({start, end}) => ({
    gpa: start,
    bytes: end - start,
    ...placed(GUEST_RAM + start),
    access: 'read-write',
  }));
  let next = GUEST_RAM + upTo(image.memoryBytes, 0x20_0000);
  for (const {gpa, bytes} of image.segments) {
    if (gpa + bytes.length <= image.memoryBytes) continue;
    const size = upTo(bytes.length, PAGE);
    slots.push({gpa, bytes: size, ...placed(next), access: 'read-only'});
    next += size;
  }
  if (ofKvm !== undefined) slots.push({...ofKvm, ...placed(next), access: 'read-write'});
  return slots;
}

const placed = (host: number): Pick<MemorySlot, 'host' | 'hva'> => ({
  host,
  hva: hva(RAM_WINDOW + BigInt(host - GUEST_RAM)),
});

/** Bytes of host-physical memory that the host and the slots need. */
export function hostMemoryBytes(slots: readonly MemorySlot[]): number {
  return upTo(Math.max(...slots.map(slot => slot.host + slot.bytes)), PAGE);
}

/** The guest's RAM as a device of QEMU's reaches it: QEMU's own memory, behind the slots. */
export function guestRam(memory: PhysicalMemory, slots: readonly MemorySlot[]): DeviceMemory {
  return ramOf(memory, (gpa, length, access) => {
    const slot = slots.find(each => gpa >= each.gpa && gpa + length <= each.gpa + each.bytes);
    return slot === undefined || (access === 'write' && slot.access !== 'read-write')
      ? undefined
      : slot.host + gpa - slot.gpa;
  });
}

/** __gfn_to_hva: the host-virtual address of a guest-physical one that lies in the slot. */
export const hvaOf = (slot: Pick<MemorySlot, 'gpa' | 'hva'>, gpa: number): Hva =>
  hva(slot.hva + BigInt(gpa - slot.gpa));

/** Notes the slots down where KVM has them from now on. */
export function noteMemorySlots(memory: PhysicalMemory, slots: readonly MemorySlot[]): void {
  for (const [index, slot] of slots.slice(0, MOST_SLOTS - 1).entries()) {
    const at = KVM_MEMSLOTS + index * ENTRY_BYTES;
    memory.write(hpa(at), 4, BigInt(index));
    memory.write(hpa(at + 4), 4, BigInt(slot.access === 'read-only' ? READ_ONLY : 0));
    memory.write(hpa(at + 8), 8, BigInt(slot.gpa));
    memory.write(hpa(at + 16), 8, BigInt(slot.bytes));
    memory.write(hpa(at + 24), 8, slot.hva);
  }
}

/** A slot as it lies in memory, for views: KVM does not know where its pages are. */
export type NotedSlot = Omit<MemorySlot, 'host'>;

/** The slots that KVM has been told of, out of the host's memory: none before the ioctl. */
export function notedMemorySlots(memory: Uint8Array): readonly NotedSlot[] {
  if (memory.length < KVM_MEMSLOTS + PAGE) return [];
  const view = new DataView(memory.buffer, memory.byteOffset + KVM_MEMSLOTS, PAGE);
  const slots: NotedSlot[] = [];
  for (let at = 0; at + ENTRY_BYTES <= PAGE; at += ENTRY_BYTES) {
    const bytes = Number(view.getBigUint64(at + 16, true));
    if (bytes === 0) break;
    slots.push({
      gpa: Number(view.getBigUint64(at + 8, true)),
      bytes,
      hva: hva(view.getBigUint64(at + 24, true)),
      access: (view.getUint32(at + 4, true) & READ_ONLY) === 0 ? 'read-write' : 'read-only',
    });
  }
  return slots;
}
