// Writes to device memory that can wait: KVM notes them in a ring that it shares with user space, and the guest goes on at
// once. User space looks into the ring before it does anything else. Documentation/virt/kvm/api.rst,
// "KVM_(UN)REGISTER_COALESCED_MMIO"; Linux, virt/kvm/coalesced_mmio.c. The ring is the third page of kvm_run:
//
//   +0 first (4), the oldest write · +4 last (4), where the next goes; equal: empty. One entry always stays free.
//   +8 + 24·n  guest-physical address (8) · length (4) · pio (4) · data (8)                                    170 entries

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {COALESCED_MMIO_PAGE} from '../host/host-layout.js';
import type {AddressRange} from '../user-space/video-memory.js';
import type {MmioAccess} from './kvm-mmio.js';

const FIRST = 0,
  LAST = 4,
  ENTRIES = 8,
  ENTRY_BYTES = 24;
/** KVM_COALESCED_MMIO_MAX: what fits into a page. */
const ENTRY_COUNT = 170;

export class CoalescedMmioRing {
  readonly #memory: PhysicalMemory;
  readonly #zone: AddressRange | undefined;

  constructor(memory: PhysicalMemory, zone: AddressRange | undefined) {
    this.#memory = memory;
    this.#zone = zone;
  }

  /** Whether a write lies wholly in the zone. */
  covers({gpa, bytes}: MmioAccess): boolean {
    return this.#zone !== undefined && gpa >= this.#zone.start && gpa + bytes <= this.#zone.end;
  }
  /** Writes that user space has not seen yet. */
  get count(): number {
    return (this.#read(LAST, 4) + ENTRY_COUNT - this.#read(FIRST, 4)) % ENTRY_COUNT;
  }
  get isFull(): boolean {
    return this.count === ENTRY_COUNT - 1;
  }

  /** Notes a write. False where it lies outside the zone, or the ring is full: then user space has to be asked at once. */
  add(write: MmioAccess): boolean {
    if (!this.covers(write) || this.isFull) return false;
    const last = this.#read(LAST, 4);
    const at = ENTRIES + ENTRY_BYTES * last;
    this.#write(at, 8, BigInt(write.gpa));
    this.#write(at + 8, 4, BigInt(write.bytes));
    this.#write(at + 12, 4, 0n);
    this.#write(at + 16, 8, write.value);
    this.#write(LAST, 4, BigInt((last + 1) % ENTRY_COUNT));
    return true;
  }

  /** Takes the oldest write out; undefined when there is none. */
  removeFirst(): MmioAccess | undefined {
    if (this.count === 0) return undefined;
    const first = this.#read(FIRST, 4);
    const at = ENTRIES + ENTRY_BYTES * first;
    const write = {
      gpa: this.#read(at, 8),
      bytes: this.#read(at + 8, 4),
      value: this.#memory.read(hpa(COALESCED_MMIO_PAGE + at + 16), 8),
    };
    this.#write(FIRST, 4, BigInt((first + 1) % ENTRY_COUNT));
    return write;
  }

  #read(offset: number, bytes: 4 | 8): number {
    return Number(this.#memory.read(hpa(COALESCED_MMIO_PAGE + offset), bytes));
  }
  #write(offset: number, bytes: 4 | 8, value: bigint): void {
    this.#memory.write(hpa(COALESCED_MMIO_PAGE + offset), bytes, value);
  }
}
