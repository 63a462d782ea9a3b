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
  /** All of the bytes, or none (-EFAULT). */
  write(linear: bigint, bytes: Uint8Array): 'written' | 'EFAULT' {
    const parts: {readonly at: Hpa; readonly part: Uint8Array}[] = [];
    for (let done = 0; done < bytes.length;) {
      const at = this.#machineAddress(linear + BigInt(done), 'write');
      if (at === undefined) return 'EFAULT';
      const part = bytes.subarray(done, done + Math.min(bytes.length - done, PAGE - (at % PAGE)));
      parts.push({at, part});
      done += part.length;
    }
    for (const {at, part} of parts) this.#memory.load(at, part);
    return 'written';
  }
  /** Words of eight bytes, from the lowest address on. */
  writeWords(linear: bigint, words: readonly bigint[]): 'written' | 'EFAULT' {
    return this.write(linear, new Uint8Array(BigUint64Array.from(words).buffer));
  }
  /** A word of four bytes. */
  writeWord32(linear: bigint, value: number): 'written' | 'EFAULT' {
    return this.write(linear, new Uint8Array(Uint32Array.of(value).buffer));
  }
}

/** Canonical, and none of Xen's own. */
export function isGuestAddress(linear: bigint): boolean {
  const upper = linear >> 47n;
  if (upper !== 0n && upper !== 0x1_ffffn) return false;
  return linear < HYPERVISOR_VIRT_START || linear >= HYPERVISOR_VIRT_END;
}
