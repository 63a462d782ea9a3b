// What a loader leaves at the top of memory for guests that start with segments or paging on.
//
//   top - 7 pages   PML4            ┐
//   top - 6         PDPT            │ long mode: 4 GiB mapped to themselves in 2 MiB pages
//   top - 5 … -2    4 × PD          ┘      (32-bit paging: one page directory of 4 MiB pages, at top - 2)
//   top - 1         GDT, and the TSS in its second half
//
// Accessed and dirty bits are set beforehand: whether and when a processor sets them is then no difference between two.

import type {TableAddresses} from './processor-state.js';
import {placed} from './place.js';
import type {Segment} from './place.js';

const PAGE = 4096;
const TASK_OFFSET = 0x800;

export interface LoaderTables {
  readonly segments: readonly Segment[];
  readonly addresses: TableAddresses;
  /** CR3; 0 without paging. */
  readonly root: number;
  /** The lowest address that is in use: the stack grows down from here. */
  readonly bottom: number;
}

/** Tables for a mode, at the top of memory. `what` names the image in messages. */
export function loaderTables(mode: 'protected' | 'paged32' | 'long', memoryBytes: number, what: string): LoaderTables {
  const top = Math.floor(Math.min(memoryBytes, 2 ** 32) / PAGE) * PAGE;
  const gdt = top - PAGE;
  const place = (address: number, bytes: Uint8Array): Segment =>
    placed(address, bytes, memoryBytes, `The page tables for ${what}`);
  const descriptors = descriptorPage(gdt + TASK_OFFSET, mode);
  const addresses = {gdt, gdtBytes: 40, task: gdt + TASK_OFFSET};
  switch (mode) {
    case 'protected':
      return {segments: [place(gdt, descriptors)], addresses, root: 0, bottom: gdt};
    case 'paged32': {
      const directory = gdt - PAGE;
      return {
        segments: [place(directory, pageDirectory32()), place(gdt, descriptors)],
        addresses,
        root: directory,
        bottom: directory,
      };
    }
    case 'long': {
      const root = gdt - 6 * PAGE;
      return {segments: [place(root, longModeTables(root)), place(gdt, descriptors)], addresses, root, bottom: root};
    }
  }
}

function descriptorPage(task: number, mode: 'protected' | 'paged32' | 'long'): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  view.setBigUint64(8, mode === 'long' ? 0x00af_9b00_0000_ffffn : 0x00cf_9b00_0000_ffffn, true);
  view.setBigUint64(16, 0x00cf_9300_0000_ffffn, true);
  const base = BigInt(task);
  // A busy TSS of 104 bytes: limit 67h, base spread over the descriptor (SDM vol. 3A, "TSS Descriptor").
  view.setBigUint64(24, 0x67n | ((base & 0xff_ffffn) << 16n) | (0x8bn << 40n) | (((base >> 24n) & 0xffn) << 56n), true);
  // No I/O permission bitmap: its offset lies beyond the limit.
  view.setUint16(TASK_OFFSET + 102, 104, true);
  return page;
}

/** Entry bits: 0 present, 1 writable, 5 accessed, 6 dirty, 7 large page. */
const TABLE = 0x23n;
const LARGE = 0xe3n;

function longModeTables(root: number): Uint8Array {
  const tables = new Uint8Array(6 * PAGE);
  const view = new DataView(tables.buffer);
  view.setBigUint64(0, BigInt(root + PAGE) | TABLE, true);
  for (let gib = 0; gib < 4; gib++) view.setBigUint64(PAGE + gib * 8, BigInt(root + (2 + gib) * PAGE) | TABLE, true);
  for (let page = 0; page < 2048; page++) view.setBigUint64(2 * PAGE + page * 8, (BigInt(page) << 21n) | LARGE, true);
  return tables;
}

function pageDirectory32(): Uint8Array {
  const directory = new Uint8Array(PAGE);
  const view = new DataView(directory.buffer);
  for (let page = 0; page < 1024; page++) view.setUint32(page * 4, ((page << 22) | Number(LARGE)) >>> 0, true);
  return directory;
}
