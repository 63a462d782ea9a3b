// From a frame of host memory to the shadow entries that point to it: KVM's rmap for guest pages, and its parent_ptes for
// shadow tables. To write-protect a guest page that became a page table, every entry that maps it has to be found, also
// those that were made before. Linux, arch/x86/kvm/mmu/mmu.c: struct kvm_rmap_head.

import {SLOTS_PER_PAGE} from './shadow-pool.js';
import type {PageNumber, ShadowPool} from './shadow-pool.js';
import {frameIn} from './shadow-format.js';

/** One shadow entry. */
export interface Slot {
  readonly page: PageNumber;
  readonly index: number;
}

export class ReverseMap {
  readonly #pool: ShadowPool;

  constructor(pool: ShadowPool) {
    this.#pool = pool;
  }

  add(frame: number, {page, index}: Slot): void {
    const slot = page * SLOTS_PER_PAGE + index;
    this.#pool.setLink(slot, this.#pool.chainOf(frame));
    this.#pool.setChain(frame, slot + 1);
  }

  remove(frame: number, {page, index}: Slot): void {
    const slot = page * SLOTS_PER_PAGE + index;
    const after = this.#pool.linkOf(slot);
    if (this.#pool.chainOf(frame) === slot + 1) this.#pool.setChain(frame, after);
    else {
      let before = this.#pool.chainOf(frame) - 1;
      while (this.#pool.linkOf(before) !== slot + 1) before = this.#pool.linkOf(before) - 1;
      this.#pool.setLink(before, after);
    }
    this.#pool.setLink(slot, 0);
  }

  /** The entries that point to a frame. */
  entriesOf(frame: number): readonly Slot[] {
    const found: Slot[] = [];
    for (let next = this.#pool.chainOf(frame); next !== 0; next = this.#pool.linkOf(next - 1)) {
      const slot = {page: Math.floor((next - 1) / SLOTS_PER_PAGE), index: (next - 1) % SLOTS_PER_PAGE};
      if (frameIn(this.#pool.entry(slot.page, slot.index)) === frame) found.push(slot);
    }
    return found;
  }
}
