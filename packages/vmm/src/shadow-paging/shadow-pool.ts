// The memory of the shadow MMU: shadow tables, and what KVM keeps in struct kvm_mmu_page beside each. All of it lies in pages
// of host memory, so that stepping back takes it back. A page that is free holds zeros.
//
//   page 0        counts, lists, roots (CONTROL)      pages 1 to 1     hash of shadow pages by guest frame, 1024 × 4
//   pages 2 to 5  hash of entries by host frame       then             headers, 32 bytes each (HEADER)
//   then          for each shadow page the links of its entries: the next entry with the same hash, 1024 × 4
//   then          the shadow tables themselves
//
//   References are numbers + 1, so that 0 is none. A *slot* is an entry: shadow page × 1024 + index.

import {assert, hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {ShadowHost, ShadowMmuOptions, ShadowStatistics} from './ports.js';
import {SHADOW_STATISTICS} from './ports.js';
import {hardwareOf, packRole, unpackRole} from './shadow-role.js';
import type {ShadowRole} from './shadow-role.js';
import {entryBytes} from './shadow-format.js';

const PAGE = 4096;
const CONTROL = {used: 0, free: 4, unsync: 8, kernelRoot: 12, userRoot: 16, freeCount: 20, statistics: 64} as const;
const PAGE_HASH = PAGE;
const PAGE_BUCKETS = 1024;
const FRAME_HASH = 2 * PAGE;
const FRAME_BUCKETS = 4096;
const HEADERS = 6 * PAGE;
const HEADER_BYTES = 32;
const HEADER = {gfn: 0, role: 8, flags: 12, hashNext: 16, listNext: 20, writes: 24} as const;
const USED = 1;
const UNSYNC = 2;
export const SLOTS_PER_PAGE = 1024;

/** The number of a shadow page in its pool. */
export type PageNumber = number;

export class ShadowPool {
  readonly #host: Pick<ShadowHost, 'read' | 'write'>;
  readonly #start: number;
  readonly #links: number;
  readonly #tables: number;
  /** How many shadow pages there is room for. */
  readonly capacity: number;

  constructor(host: Pick<ShadowHost, 'read' | 'write'>, {start, end}: ShadowMmuOptions['pool']) {
    assert(start % PAGE === 0 && end % PAGE === 0 && end <= 2 ** 32, 'the pool consists of pages below 4 GiB');
    this.#host = host;
    this.#start = start;
    const pages = (end - start) / PAGE - HEADERS / PAGE;
    this.capacity = Math.floor((pages * PAGE) / (2 * PAGE + HEADER_BYTES));
    while (2 * this.capacity + this.#headerPages() > pages) this.capacity--;
    assert(this.capacity >= 5, 'the pool of shadow pages has room for a PAE root');
    this.#links = start + HEADERS + this.#headerPages() * PAGE;
    this.#tables = this.#links + this.capacity * PAGE;
  }
  #headerPages(): number {
    return Math.ceil((this.capacity * HEADER_BYTES) / PAGE);
  }

  // ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────
  #word(at: number): number {
    return Number(this.#host.read(hpa(at), 4));
  }
  #setWord(at: number, value: number): void {
    this.#host.write(hpa(at), 4, BigInt(value));
  }
  #control(field: keyof typeof CONTROL): number {
    return this.#word(this.#start + CONTROL[field]);
  }
  #setControl(field: keyof typeof CONTROL, value: number): void {
    this.#setWord(this.#start + CONTROL[field], value);
  }
  #header(page: PageNumber, field: keyof typeof HEADER): number {
    return this.#word(this.#headerAt(page) + HEADER[field]);
  }
  #setHeader(page: PageNumber, field: keyof typeof HEADER, value: number): void {
    this.#setWord(this.#headerAt(page) + HEADER[field], value);
  }
  #headerAt(page: PageNumber): number {
    return this.#start + HEADERS + page * HEADER_BYTES;
  }

  // ── shadow pages ────────────────────────────────────────────────────────────────────────────────────────────────
  /** How many shadow pages can still be taken. */
  get available(): number {
    return this.capacity - this.#control('used') + this.#control('freeCount');
  }
  /** A page of zeros, entered into the hash under its guest frame. */
  take(gfn: number, role: ShadowRole): PageNumber {
    assert(this.available > 0, 'a shadow page is taken after room for it was made');
    const page = this.#unused();
    this.#host.write(hpa(this.#headerAt(page)), 8, BigInt(gfn));
    this.#setHeader(page, 'role', packRole(role));
    this.#setHeader(page, 'flags', USED);
    this.#setHeader(page, 'writes', 0);
    const bucket = this.#pageBucket(gfn);
    this.#setHeader(page, 'hashNext', this.#word(bucket));
    this.#setWord(bucket, page + 1);
    return page;
  }
  #unused(): PageNumber {
    const free = this.#control('free');
    if (free === 0) {
      const used = this.#control('used');
      this.#setControl('used', used + 1);
      return used;
    }
    this.#setControl('free', this.#header(free - 1, 'listNext'));
    this.#setControl('freeCount', this.#control('freeCount') - 1);
    return free - 1;
  }
  /** Gives a page back whose entries have been cleared and which nothing points to. */
  release(page: PageNumber): void {
    this.setUnsync(page, 'off');
    for (const view of ['kernel', 'user'] as const) if (this.root(view) === page) this.setRoot(view, undefined);
    const bucket = this.#pageBucket(this.gfn(page));
    if (this.#word(bucket) === page + 1) this.#setWord(bucket, this.#header(page, 'hashNext'));
    else {
      let before = this.#word(bucket) - 1;
      while (this.#header(before, 'hashNext') !== page + 1) before = this.#header(before, 'hashNext') - 1;
      this.#setHeader(before, 'hashNext', this.#header(page, 'hashNext'));
    }
    this.#setHeader(page, 'flags', 0);
    this.#setHeader(page, 'listNext', this.#control('free'));
    this.#setControl('free', page + 1);
    this.#setControl('freeCount', this.#control('freeCount') + 1);
  }
  #pageBucket(gfn: number): number {
    return this.#start + PAGE_HASH + 4 * (gfn % PAGE_BUCKETS);
  }
  gfn(page: PageNumber): number {
    return Number(this.#host.read(hpa(this.#headerAt(page)), 8));
  }
  role(page: PageNumber): ShadowRole {
    return unpackRole(this.#header(page, 'role'));
  }
  /** The shadow pages under a guest frame, newest first. */
  withFrame(gfn: number): readonly PageNumber[] {
    const found: PageNumber[] = [];
    let next = this.#word(this.#pageBucket(gfn));
    // No chain is longer than the pool; that of a damaged record might have no end.
    for (let links = 0; next !== 0 && links < this.capacity; links++) {
      if (this.gfn(next - 1) === gfn) found.push(next - 1);
      next = this.#header(next - 1, 'hashNext');
    }
    return found;
  }
  find(gfn: number, role: ShadowRole): PageNumber | undefined {
    const packed = packRole(role);
    return this.withFrame(gfn).find(page => this.#header(page, 'role') === packed);
  }
  has(page: PageNumber, gfn: number, role: ShadowRole): boolean {
    return this.gfn(page) === gfn && this.#header(page, 'role') === packRole(role);
  }
  /** Every shadow page there is. */
  all(): readonly PageNumber[] {
    const used = this.#control('used');
    return Array.from({length: used}, (_, page) => page).filter(page => (this.#header(page, 'flags') & USED) !== 0);
  }
  /** Where the table of a shadow page lies. */
  tableAt(page: PageNumber): Hpa {
    return hpa(this.#tables + page * PAGE);
  }
  /** The shadow page whose table a host frame holds. */
  pageOfTable(frame: number): PageNumber {
    return frame - this.#tables / PAGE;
  }
  /** sp->write_flooding_count: writes to the guest table since the shadow was used last. */
  writes(page: PageNumber): number {
    return this.#header(page, 'writes');
  }
  setWrites(page: PageNumber, writes: number): void {
    if (this.#header(page, 'writes') !== writes) this.#setHeader(page, 'writes', writes);
  }

  // ── unsynchronized pages ────────────────────────────────────────────────────────────────────────────────────────
  isUnsync(page: PageNumber): boolean {
    return (this.#header(page, 'flags') & UNSYNC) !== 0;
  }
  setUnsync(page: PageNumber, state: 'on' | 'off'): void {
    if (this.isUnsync(page) === (state === 'on')) return;
    this.#setHeader(page, 'flags', state === 'on' ? USED | UNSYNC : USED);
    if (state === 'on') {
      this.#setHeader(page, 'listNext', this.#control('unsync'));
      this.#setControl('unsync', page + 1);
      return;
    }
    const after = this.#header(page, 'listNext');
    if (this.#control('unsync') === page + 1) this.#setControl('unsync', after);
    else {
      let before = this.#control('unsync') - 1;
      while (this.#header(before, 'listNext') !== page + 1) before = this.#header(before, 'listNext') - 1;
      this.#setHeader(before, 'listNext', after);
    }
  }
  unsyncPages(): readonly PageNumber[] {
    const found: PageNumber[] = [];
    for (let next = this.#control('unsync'); next !== 0; next = this.#header(next - 1, 'listNext'))
      found.push(next - 1);
    return found;
  }

  // ── roots and counts ────────────────────────────────────────────────────────────────────────────────────────────
  root(view: 'kernel' | 'user'): PageNumber | undefined {
    const root = this.#control(view === 'kernel' ? 'kernelRoot' : 'userRoot');
    return root === 0 ? undefined : root - 1;
  }
  setRoot(view: 'kernel' | 'user', page: PageNumber | undefined): void {
    this.#setControl(view === 'kernel' ? 'kernelRoot' : 'userRoot', page === undefined ? 0 : page + 1);
  }
  count(what: keyof ShadowStatistics, by = 1): void {
    const at = this.#start + CONTROL.statistics + 4 * SHADOW_STATISTICS.indexOf(what);
    this.#setWord(at, this.#word(at) + by);
  }
  counted(what: keyof ShadowStatistics): number {
    return this.#word(this.#start + CONTROL.statistics + 4 * SHADOW_STATISTICS.indexOf(what));
  }

  // ── entries and their links ─────────────────────────────────────────────────────────────────────────────────────
  entryAt(page: PageNumber, index: number): Hpa {
    return hpa(this.tableAt(page) + index * this.#entryBytes(page));
  }
  entry(page: PageNumber, index: number): bigint {
    const bytes = this.#entryBytes(page);
    return this.#host.read(hpa(this.tableAt(page) + index * bytes), bytes);
  }
  setEntry(page: PageNumber, index: number, value: bigint): void {
    this.#host.write(this.entryAt(page, index), this.#entryBytes(page), value);
  }
  /** The indexes of entries that are not zero. */
  *occupied(page: PageNumber): IterableIterator<number> {
    const bytes = this.#entryBytes(page);
    const table = this.tableAt(page);
    for (let index = 0; index < PAGE / bytes; index++)
      if (this.#host.read(hpa(table + index * bytes), bytes) !== 0n) yield index;
  }
  #entryBytes(page: PageNumber): 4 | 8 {
    return entryBytes(hardwareOf(this.#header(page, 'role')));
  }
  /** The first slot of the chain that a host frame's entries are in, + 1. */
  chainOf(frame: number): number {
    return this.#word(this.#start + FRAME_HASH + 4 * (frame % FRAME_BUCKETS));
  }
  setChain(frame: number, slot: number): void {
    this.#setWord(this.#start + FRAME_HASH + 4 * (frame % FRAME_BUCKETS), slot);
  }
  linkOf(slot: number): number {
    return this.#word(this.#links + 4 * slot);
  }
  setLink(slot: number, next: number): void {
    this.#setWord(this.#links + 4 * slot, next);
  }
}
