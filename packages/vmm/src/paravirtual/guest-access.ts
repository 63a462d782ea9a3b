// The guest's memory by the guest's linear addresses, as copy_from_guest and copy_to_guest see it: a hypercall's pointers may point
// anywhere, so they lead where the guest's own tables let ring 3 go, or nowhere.

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START} from './xen-interface.js';

const PRESENT_USER = 5n;
const WRITABLE = 2n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
const PAGE = 4096;

export class GuestAccess {
  readonly #memory: PhysicalMemory;
  readonly #root: () => bigint;

  /** `root`: CR3. */
  constructor(memory: PhysicalMemory, root: () => bigint) {
    this.#memory = memory;
    this.#root = root;
  }

  /** The machine address of the level 1 entry for a linear address; undefined where a table above is missing. */
  leafEntry(linear: bigint): Hpa | undefined {
    if (!isGuestAddress(linear)) return undefined;
    let table = this.#root() & ADDRESS;
    for (const shift of [39n, 30n, 21n]) {
      const entry = this.#memory.read(hpa(Number(table + 8n * ((linear >> shift) & 511n))), 8);
      if ((entry & PRESENT_USER) !== PRESENT_USER) return undefined;
      table = entry & ADDRESS;
    }
    return hpa(Number(table + 8n * ((linear >> 12n) & 511n)));
  }

  #machineAddress(linear: bigint, access: 'read' | 'write'): Hpa | undefined {
    const leaf = this.leafEntry(linear);
    if (leaf === undefined) return undefined;
    const entry = this.#memory.read(leaf, 8);
    const needed = access === 'write' ? PRESENT_USER | WRITABLE : PRESENT_USER;
    if ((entry & needed) !== needed) return undefined;
    return hpa(Number((entry & ADDRESS) | (linear & 0xfffn)));
  }

  /** `length` bytes; undefined (-EFAULT) where not all of them can be read. */
  read(linear: bigint, length: number): Uint8Array | undefined {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = this.#machineAddress(linear + BigInt(done), 'read');
      if (at === undefined) return undefined;
      const part = Math.min(length - done, PAGE - (at % PAGE));
      out.set(this.#memory.bytes.subarray(at, at + part), done);
      done += part;
    }
    return out;
  }
  /** All words, eight bytes each, or none. */
  writeWords(linear: bigint, words: readonly bigint[]): 'written' | 'EFAULT' {
    const places: Hpa[] = [];
    for (const index of words.keys()) {
      const at = (linear & 7n) === 0n ? this.#machineAddress(linear + BigInt(8 * index), 'write') : undefined;
      if (at === undefined) return 'EFAULT';
      places.push(at);
    }
    for (const [index, word] of words.entries()) this.#memory.write(places[index] ?? hpa(0), 8, word);
    return 'written';
  }
  /** Four bytes, at a multiple of four. */
  writeWord32(linear: bigint, value: number): 'written' | 'EFAULT' {
    const at = (linear & 3n) === 0n ? this.#machineAddress(linear, 'write') : undefined;
    if (at === undefined) return 'EFAULT';
    this.#memory.write(at, 4, BigInt(value));
    return 'written';
  }
}

/** Canonical, and none of Xen's own. */
export function isGuestAddress(linear: bigint): boolean {
  const upper = linear >> 47n;
  if (upper !== 0n && upper !== 0x1_ffffn) return false;
  return linear < HYPERVISOR_VIRT_START || linear >= HYPERVISOR_VIRT_END;
}
