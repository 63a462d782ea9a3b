// The shared-info page, which Xen and the guest's kernel both write: event channels, the mask that is the guest's interrupt flag,
// CR2, and the time. To look or to mask events the guest needs no hypercall. Xen, xen/include/public/xen.h, "struct shared_info".

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {EVENT_CHANNELS, SHARED} from './xen-interface.js';
import {SHARED_INFO} from './xen-layout.js';

const NANOSECONDS = 1_000_000_000;

export class SharedInfo {
  readonly #memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  get upcallPending(): boolean {
    return this.#read(SHARED.upcallPending, 1) !== 0n;
  }
  /** The guest's interrupt flag, upside down. */
  get upcallMask(): boolean {
    return this.#read(SHARED.upcallMask, 1) !== 0n;
  }
  setUpcallMask(state: 'masked' | 'open'): void {
    this.#write(SHARED.upcallMask, 1, state === 'masked' ? 1n : 0n);
  }
  setCr2(address: bigint): void {
    this.#write(SHARED.cr2, 8, address);
  }

  /**
   * An event on a port. What the guest is told depends on what was pending and masked: a bit of the port, a bit for 64 ports in
   * the selector, a byte for the virtual processor. Xen, xen/common/event_2l.c, "evtchn_2l_set_pending".
   */
  setPending(port: number): 'was pending' | 'masked' | 'upcall' {
    const word = Math.floor(port / 64);
    const bit = 1n << BigInt(port % 64);
    const pending = this.#read(SHARED.pending + 8 * word, 8);
    if ((pending & bit) !== 0n) return 'was pending';
    this.#write(SHARED.pending + 8 * word, 8, pending | bit);
    return this.#notify(port);
  }
  /** Opens a port; an event that came while it was masked is told now. */
  unmask(port: number): 'nothing waits' | 'masked' | 'upcall' {
    const word = Math.floor(port / 64);
    const bit = 1n << BigInt(port % 64);
    this.#write(SHARED.mask + 8 * word, 8, this.#read(SHARED.mask + 8 * word, 8) & ~bit);
    return (this.#read(SHARED.pending + 8 * word, 8) & bit) === 0n ? 'nothing waits' : this.#notify(port);
  }
  #notify(port: number): 'masked' | 'upcall' {
    const word = Math.floor(port / 64);
    if ((this.#read(SHARED.mask + 8 * word, 8) & (1n << BigInt(port % 64))) !== 0n) return 'masked';
    this.#write(SHARED.pendingSelector, 8, this.#read(SHARED.pendingSelector, 8) | (1n << BigInt(word)));
    this.#write(SHARED.upcallPending, 1, 1n);
    return 'upcall';
  }
  /** The ports with an event that nobody has cleared. */
  pendingPorts(): readonly number[] {
    const ports: number[] = [];
    for (let word = 0; word < EVENT_CHANNELS / 64; word++) {
      const pending = this.#read(SHARED.pending + 8 * word, 8);
      for (let bit = 0; pending !== 0n && bit < 64; bit++)
        if (((pending >> BigInt(bit)) & 1n) === 1n) ports.push(64 * word + bit);
    }
    return ports;
  }

  /** The time-stamp counter and the system time that goes with it; the version is odd in between. */
  setTime(timeStamp: bigint, nanoseconds: bigint, hertz: number): void {
    const {mul, shift} = timeScale(hertz);
    const version = this.#read(SHARED.timeVersion, 4);
    this.#write(SHARED.timeVersion, 4, version + 1n);
    this.#write(SHARED.tscTimestamp, 8, timeStamp);
    this.#write(SHARED.systemTime, 8, nanoseconds);
    this.#write(SHARED.tscToSystemMul, 4, mul);
    this.#write(SHARED.tscShift, 1, BigInt.asUintN(8, BigInt(shift)));
    this.#write(SHARED.timeVersion, 4, version + 2n);
  }

  #read(offset: number, bytes: number): bigint {
    return this.#memory.read(hpa(SHARED_INFO + offset), bytes);
  }
  #write(offset: number, bytes: number, value: bigint): void {
    if (this.#read(offset, bytes) !== value) this.#memory.write(hpa(SHARED_INFO + offset), bytes, value);
  }
}

/**
 * Nanoseconds are ((cycles << shift) * mul) >> 32: the shift brings the clock to between 1 and 2 GHz. Xen, xen/arch/x86/time.c,
 * "set_time_scale".
 */
function timeScale(hertz: number): {readonly mul: bigint; readonly shift: number} {
  let shift = 0;
  let scaled = hertz;
  for (; scaled > 2 * NANOSECONDS; shift--) scaled = Math.floor(scaled / 2);
  for (; scaled <= NANOSECONDS; shift++) scaled *= 2;
  return {mul: (BigInt(NANOSECONDS) << 32n) / BigInt(scaled), shift};
}
