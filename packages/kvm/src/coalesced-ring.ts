// The ring in which KVM notes writes that can wait (KVM_REGISTER_COALESCED_MMIO): a page of a vCPU's mapping. The guest was
// left for each of them, but no further than KVM; user space takes them out when KVM_RUN comes back, before anything else.
//
//   +0 first (4), the oldest write · +4 last (4), where the next goes; equal: empty
//   +8 + 24·n  guest-physical address (8) · length (4) · pio (4) · data (8)

import {gpa} from '@hyperscope/base';
import type {VmExit} from '@hyperscope/vmm';
import {PAGE_BYTES} from './kvm-abi.js';
import {LAYOUT} from './kvm-layout.js';

/** KVM_COALESCED_MMIO_MAX: what fits into a page behind the header. */
const ENTRIES = Math.floor((PAGE_BYTES - LAYOUT.kvm_coalesced_mmio_ring) / LAYOUT.kvm_coalesced_mmio);
const LONGEST = 8;

type Write = Extract<VmExit, {reason: 'mmio'}>;

export class CoalescedRing {
  readonly #page: DataView;

  /** `mapping`: all that the vCPU shares. `page`: what KVM_CAP_COALESCED_MMIO answered. */
  constructor(mapping: ArrayBuffer, page: number) {
    this.#page = new DataView(mapping, page * PAGE_BYTES, PAGE_BYTES);
  }

  /** The writes since the last call, oldest first, as the exits that they would have been; the ring is empty then. */
  take(): readonly Write[] {
    const writes: Write[] = [];
    let first = this.#page.getUint32(0, true) % ENTRIES;
    const last = this.#page.getUint32(4, true) % ENTRIES;
    for (; first !== last; first = (first + 1) % ENTRIES) writes.push(this.#entry(first));
    this.#page.setUint32(0, first, true);
    return writes;
  }

  #entry(index: number): Write {
    const at = LAYOUT.kvm_coalesced_mmio_ring + index * LAYOUT.kvm_coalesced_mmio;
    const length = Math.min(LONGEST, this.#page.getUint32(at + LAYOUT['kvm_coalesced_mmio.len'], true));
    const data = new Uint8Array(
      this.#page.buffer,
      this.#page.byteOffset + at + LAYOUT['kvm_coalesced_mmio.data'],
      length,
    );
    return {
      reason: 'mmio',
      direction: 'write',
      gpa: gpa(Number(this.#page.getBigUint64(at, true))),
      data: data.slice(),
    };
  }
}
