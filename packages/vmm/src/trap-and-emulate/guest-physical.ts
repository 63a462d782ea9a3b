// Guest-physical memory as the VMM serves it: RAM and ROMs in host memory, the devices of the board everywhere else.

import {gpa, hpa} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import type {Backing} from '../shadow-paging/ports.js';
import type {GuestImage} from '../technique.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import {ONLY_PLACE} from './vmm-layout.js';
import type {VmPlace} from './vmm-layout.js';

/** A stretch of guest-physical memory that lies in host memory. */
export interface MemorySlot {
  readonly gpa: number;
  readonly bytes: number;
  readonly host: number;
  readonly access: 'read-write' | 'read-only';
}

const PAGE = 4096;
const LARGE_PAGE = 0x20_0000;
const upTo = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

/** RAM from 0, and a slot of its own for every segment of the image that lies outside: a ROM. */
export function memorySlotsOf(
  {memoryBytes, segments}: GuestImage,
  {ram}: Pick<VmPlace, 'ram'> = ONLY_PLACE,
): readonly MemorySlot[] {
  const slots: MemorySlot[] = [{gpa: 0, bytes: memoryBytes, host: ram, access: 'read-write'}];
  let next = ram + upTo(memoryBytes, LARGE_PAGE);
  for (const {gpa: at, bytes} of segments) {
    if (at + bytes.length <= memoryBytes) continue;
    const size = upTo(bytes.length, PAGE);
    slots.push({gpa: at, bytes: size, host: next, access: 'read-only'});
    next += size;
  }
  return slots;
}

/** Bytes of host-physical memory that the VMM and the slots need. */
export function hostBytesFor(slots: readonly MemorySlot[]): number {
  return upTo(Math.max(...slots.map(slot => slot.host + slot.bytes)), PAGE);
}

export class GuestPhysical {
  readonly #memory: PhysicalMemory;
  readonly #slots: readonly MemorySlot[];
  readonly #board: DeviceBoard;

  constructor(memory: PhysicalMemory, slots: readonly MemorySlot[], board: DeviceBoard) {
    this.#memory = memory;
    this.#slots = slots;
    this.#board = board;
  }

  /** Bytes of RAM. */
  get bytes(): number {
    return this.#slots[0]?.bytes ?? 0;
  }
  #slotAt(address: number): MemorySlot | undefined {
    return this.#slots.find(slot => address >= slot.gpa && address < slot.gpa + slot.bytes);
  }
  /** Where RAM and ROMs lie in host memory; undefined for devices and for nothing. */
  hostAddress(address: number): Hpa | undefined {
    const slot = this.#slotAt(address);
    return slot === undefined ? undefined : hpa(slot.host + address - slot.gpa);
  }
  /** Where `length` bytes lie in host memory that may be accessed so; undefined where they are not all in one slot. */
  hostStretch(address: number, length: number, access: 'read' | 'write'): number | undefined {
    const slot = this.#slotAt(address);
    if (slot === undefined || address + length > slot.gpa + slot.bytes) return undefined;
    return access === 'write' && slot.access !== 'read-write' ? undefined : slot.host + address - slot.gpa;
  }
  backing(address: Gpa): Backing {
    const slot = this.#slotAt(address);
    if (slot === undefined) return {kind: 'device'};
    const host = hpa(slot.host + address - slot.gpa);
    return slot.access === 'read-write' ? {kind: 'ram', host} : {kind: 'read-only', host};
  }
  isWritable(address: number): boolean {
    return this.#slotAt(address)?.access === 'read-write';
  }

  /** 1, 2, 4 or 8 bytes. Where nothing answers, all ones. */
  read(address: number, bytes: number): bigint {
    const at = this.hostAddress(address);
    if (at !== undefined) return this.#memory.read(at, bytes);
    const region = this.#board.regionAt(address);
    return region === undefined ? (1n << BigInt(8 * bytes)) - 1n : region.read(address - region.start, bytes);
  }
  /** What is written to a ROM, or where nothing answers, is lost. */
  write(address: number, bytes: number, value: bigint): void {
    const at = this.hostAddress(address);
    if (at === undefined) {
      const region = this.#board.regionAt(address);
      region?.write(address - region.start, bytes, value);
    } else if (this.isWritable(address)) this.#memory.write(at, bytes, value);
  }
  /** What answers at an address, for sentences. */
  nameAt(address: number): string {
    if (this.hostAddress(address) !== undefined) return 'memory';
    return this.#board.regionAt(address)?.name ?? 'nothing';
  }
  readOnlyStretches(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.#slots
      .filter(({access}) => access === 'read-only')
      .map(({gpa: address, bytes}) => ({gpa: gpa(address), bytes}));
  }
}
