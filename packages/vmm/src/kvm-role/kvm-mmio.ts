// What KVM remembers of an instruction that is being carried out in software while user space is asked: the answers it has
// got so far, and the writes that are still to be passed on (Linux, struct kvm_mmio_fragment). They lie in kvm_vcpu.
//
//   +0 how many · then 24 bytes each: guest-physical address, bytes, value

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {VCPU_STRUCT} from '../host/host-layout.js';

const ENTRY = 24;
const ROOM = 16;

export interface MmioAccess {
  readonly gpa: number;
  readonly bytes: number;
  readonly value: bigint;
}

export class MmioFragments {
  readonly #memory: PhysicalMemory;
  readonly #base: number;

  constructor(memory: PhysicalMemory, offset: number) {
    this.#memory = memory;
    this.#base = VCPU_STRUCT + offset;
  }

  get count(): number {
    return Number(this.#memory.read(hpa(this.#base), 8));
  }
  at(index: number): MmioAccess | undefined {
    if (index >= this.count) return undefined;
    const at = this.#base + 8 + ENTRY * index;
    return {
      gpa: Number(this.#memory.read(hpa(at), 8)),
      bytes: Number(this.#memory.read(hpa(at + 8), 8)),
      value: this.#memory.read(hpa(at + 16), 8),
    };
  }
  /** False where there is no room for another. */
  add({gpa, bytes, value}: MmioAccess): boolean {
    const {count} = this;
    if (count >= ROOM) return false;
    const at = this.#base + 8 + ENTRY * count;
    this.#memory.write(hpa(at), 8, BigInt(gpa));
    this.#memory.write(hpa(at + 8), 8, BigInt(bytes));
    this.#memory.write(hpa(at + 16), 8, value);
    this.#memory.write(hpa(this.#base), 8, BigInt(count + 1));
    return true;
  }
  removeFirst(): MmioAccess | undefined {
    const all = Array.from({length: this.count}, (_, index) => this.at(index));
    const [first] = all;
    this.clear();
    for (const each of all.slice(1)) if (each !== undefined) this.add(each);
    return first;
  }
  clear(): void {
    if (this.count !== 0) this.#memory.write(hpa(this.#base), 8, 0n);
  }
}

/** Offsets in kvm_vcpu. */
export const MMIO_READS = 0x800;
export const MMIO_WRITES = 0xa00;
