// Nested paging: the tables that the hardware walks behind the guest's own. Guest memory is mapped lazily, a page on its
// first touch. It knows no VMCS and no VMCB, only the format of an entry, and a pool of host pages.
// Linux, arch/x86/kvm/mmu/mmu.c: kvm_tdp_page_fault, __direct_map.

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {EntryFormat} from './entry-format.js';

const PAGE = 4096;
const LARGE_PAGE = 0x20_0000;
const ADDRESS = 0xf_ffff_ffff_f000n;

/** A stretch of guest-physical memory, and where it lies. */
export interface NestedSlot {
  readonly gpa: number;
  readonly bytes: number;
  readonly host: number;
  readonly access: 'read-write' | 'read-only';
}

export interface NestedHost {
  read(at: Hpa, bytes: 8): bigint;
  write(at: Hpa, bytes: 8, value: bigint): void;
  /** A zeroed page for a table; undefined when there is none left. */
  allocatePage(): Hpa | undefined;
}

export interface NestedMapping {
  readonly gpa: number;
  readonly host: number;
  readonly size: '4 KiB' | '2 MiB';
  /** Where the entry was written. */
  readonly at: number;
}

export class NestedMmu {
  readonly #host: NestedHost;
  readonly #format: EntryFormat;
  readonly #root: Hpa;

  /** `root` is a zeroed page, the table of level 4. */
  constructor(host: NestedHost, format: EntryFormat, root: Hpa) {
    this.#host = host;
    this.#format = format;
    this.#root = root;
  }

  get root(): Hpa {
    return this.#root;
  }

  /** Maps the page of `slot` that `gpa` lies in; undefined where the pool is empty. */
  map(slot: NestedSlot, gpa: number, largest: '4K' | '2M'): NestedMapping | undefined {
    const large = largest === '2M' && coversLargePage(slot, gpa);
    const page = gpa - (gpa % (large ? LARGE_PAGE : PAGE));
    const host = slot.host + page - slot.gpa;
    const at = this.#entryAddress(page, large ? 2 : 1);
    if (at === undefined) return undefined;
    const entry = BigInt(host) | this.#format.leaf(slot.access) | (large ? this.#format.large : 0n);
    this.#host.write(hpa(at), 8, entry);
    return {gpa: page, host, size: large ? '2 MiB' : '4 KiB', at};
  }

  /** Where the entry of `level` for an address lies; makes the tables on the way. */
  #entryAddress(address: number, level: 1 | 2): number | undefined {
    let table: number = this.#root;
    for (let at = 4; at > level; at--) {
      const slot = hpa(table + indexAt(address, at) * 8);
      const entry = this.#host.read(slot, 8);
      if (entry !== 0n) {
        table = Number(entry & ADDRESS);
        continue;
      }
      const fresh = this.#host.allocatePage();
      if (fresh === undefined) return undefined;
      this.#host.write(slot, 8, BigInt(fresh) | this.#format.table);
      table = fresh;
    }
    return table + indexAt(address, level) * 8;
  }
}

function coversLargePage(slot: NestedSlot, gpa: number): boolean {
  const start = gpa - (gpa % LARGE_PAGE);
  return (
    start >= slot.gpa &&
    start + LARGE_PAGE <= slot.gpa + slot.bytes &&
    (slot.host + start - slot.gpa) % LARGE_PAGE === 0
  );
}

const indexAt = (address: number, level: number): number => Math.floor(address / 2 ** (12 + 9 * (level - 1))) % 512;
