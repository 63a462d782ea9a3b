// The host's page tables: the kernel's direct map, and QEMU's address space, in which the guest's RAM is ordinary memory of a
// process. A host-virtual address (HVA) is one of these; KVM finds the page behind a memory slot by walking them, as
// get_user_pages does. All of it is mapped from the beginning, as QEMU does with -mem-prealloc.
// Linux, Documentation/arch/x86/x86_64/mm.rst; QEMU, util/oslib-posix.c: qemu_anon_ram_alloc.

import {hpa} from '@hyperscope/base';
import type {Machine} from '@hyperscope/machine';
import {
  COALESCED_MMIO_PAGE,
  DIRECT_MAP,
  GUEST_RAM,
  HOST_PAGE_TABLES,
  KERNEL_CODE,
  KERNEL_WINDOW,
  KVM_RUN_PAGE,
  KVM_RUN_WINDOW,
  PIO_DATA_PAGE,
  RAM_WINDOW,
  USER_CODE,
  USER_STACK,
  USER_WINDOW,
} from './host-layout.js';

const PAGE = 0x1000;
const LARGE_PAGE = 0x20_0000;
const PRESENT_WRITABLE = 3n;
const USER = 4n;
/** Accessed and dirty: the pages were touched when they were allocated. */
const TOUCHED = 0x60n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;
const DATA_OF_USER = PRESENT_WRITABLE | USER | TOUCHED | NO_EXECUTE;
/** A guest with more memory gets large pages from the host: small ones would take more tables than there is room for. */
const MOST_IN_SMALL_PAGES = 0x1000_0000;

/** By which pages the host maps the guest's RAM. KVM maps no larger ones than the host has. */
export type HostPageSize = '4K' | '2M';

/** Writes all of them at HOST_PAGE_TABLES. */
export function writeHostPageTables(machine: Machine, ramPages: HostPageSize): void {
  const tables = new HostPageTables(machine);
  for (let at = 0; at < machine.memory.size && at < 2 ** 30; at += LARGE_PAGE)
    tables.mapLarge(DIRECT_MAP + BigInt(at), at, PRESENT_WRITABLE);
  tables.mapLarge(KERNEL_WINDOW, KERNEL_CODE, PRESENT_WRITABLE);
  tables.mapLarge(USER_WINDOW, USER_CODE, PRESENT_WRITABLE | USER);
  tables.mapLarge(USER_STACK, USER_CODE, PRESENT_WRITABLE | USER);
  mapGuestRam(tables, machine.memory.size, ramPages);
  for (const [index, page] of [KVM_RUN_PAGE, PIO_DATA_PAGE, COALESCED_MMIO_PAGE].entries())
    tables.map(KVM_RUN_WINDOW + BigInt(index * PAGE), page, DATA_OF_USER);
}

/** QEMU's blocks of memory follow each other; a block that ends within a large page has small ones there. */
function mapGuestRam(tables: HostPageTables, end: number, ramPages: HostPageSize): void {
  const isSmall = ramPages === '4K' && end - GUEST_RAM <= MOST_IN_SMALL_PAGES;
  for (let at = GUEST_RAM; at < end;) {
    const linear = RAM_WINDOW + BigInt(at - GUEST_RAM);
    if (isSmall || end - at < LARGE_PAGE) {
      tables.map(linear, at, DATA_OF_USER);
      at += PAGE;
    } else {
      tables.mapLarge(linear, at, DATA_OF_USER);
      at += LARGE_PAGE;
    }
  }
}

class HostPageTables {
  readonly #machine: Machine;
  #next = HOST_PAGE_TABLES + PAGE;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  map(linear: bigint, physical: number, flags: bigint): void {
    const table = this.#table(this.#directory(linear), linear, 2n);
    this.#write(table, linear, 1n, BigInt(physical) | flags);
  }
  mapLarge(linear: bigint, physical: number, flags: bigint): void {
    this.#write(this.#directory(linear), linear, 2n, BigInt(physical & ~(LARGE_PAGE - 1)) | LARGE | flags);
  }

  #directory(linear: bigint): number {
    return this.#table(this.#table(HOST_PAGE_TABLES, linear, 4n), linear, 3n);
  }
  /** The next table on the way, made where there is none. */
  #table(table: number, linear: bigint, level: bigint): number {
    const entry = this.#machine.memory.read(hpa(slotOf(table, linear, level)), 8);
    if (entry !== 0n) return Number(entry & ~0xfffn);
    const fresh = this.#next;
    this.#next += PAGE;
    this.#write(table, linear, level, BigInt(fresh) | PRESENT_WRITABLE | USER);
    return fresh;
  }
  #write(table: number, linear: bigint, level: bigint, entry: bigint): void {
    this.#machine.memory.write(hpa(slotOf(table, linear, level)), 8, entry);
  }
}

const slotOf = (table: number, linear: bigint, level: bigint): number =>
  table + Number((linear >> (12n + 9n * (level - 1n))) & 511n) * 8;
