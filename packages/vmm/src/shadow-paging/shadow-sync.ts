// Unsynchronized tables. A guest table of level 1 may be left writable: the guest changes it freely, and its shadow is brought
// up to date when the guest flushes its TLB, because until then a processor may remember the old entries as well.
// Linux, Documentation/virt/kvm/x86/mmu.rst, "Synchronized and unsynchronized pages"; SDM vol. 3A, "Invalidation of TLBs".

import {gpa as guestPhysical, hex} from '@hyperscope/base';
import type {ShadowMmuOptions} from './ports.js';
import {accessIn, guestEntryBytes, hasReservedBits, readGuestEntry} from './guest-walk.js';
import {faultyAccess} from './shadow-access.js';
import {frameIn, isPresent, pageEntry} from './shadow-format.js';
import type {ShadowPages} from './shadow-pages.js';
import type {PageNumber} from './shadow-pool.js';
import type {Slot} from './reverse-map.js';
import {guestEntryAddress} from './shadow-path.js';
import {ACC_WRITE} from './shadow-role.js';

const PRESENT = 1n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;

export class ShadowSync {
  readonly #options: ShadowMmuOptions;
  readonly #pages: ShadowPages;

  constructor(options: ShadowMmuOptions, pages: ShadowPages) {
    this.#options = options;
    this.#pages = pages;
  }

  /** Leaves a guest table writable, where all its shadows are of level 1; false where one is not. */
  unsync(gfn: number, linear: bigint): boolean {
    const {pool} = this.#pages;
    const shadows = this.#pages.shadowsOf(gfn);
    if (shadows.some(page => pool.role(page).level !== 1)) return false;
    for (const page of shadows) {
      if (pool.isUnsync(page)) continue;
      pool.setUnsync(page, 'on');
      pool.count('unsyncs');
      this.#pages.tell(
        'unsync',
        `the guest’s page table at GPA ${hex(gfn * 4096)} is of level 1: it stays writable, and its shadow is synchronized when the guest next flushes its TLB`,
        {linear, gpa: gfn * 4096},
      );
    }
    return true;
  }

  /** The guest flushed its TLB: every table that it may have changed unseen. */
  synchronizeAll(why: string): void {
    for (const page of this.#pages.pool.unsyncPages()) this.synchronize(page, why);
  }

  /** One frame's tables, before they are used in a new way. */
  synchronizeFrame(gfn: number, why: string): void {
    for (const page of this.#pages.shadowsOf(gfn)) if (this.#pages.pool.isUnsync(page)) this.synchronize(page, why);
  }

  synchronize(page: PageNumber, why: string): void {
    const {pool} = this.#pages;
    const gfn = pool.gfn(page);
    pool.setUnsync(page, 'off');
    this.protect(gfn);
    let changed = 0;
    for (const index of pool.occupied(page)) if (this.#resync({page, index}, why)) changed++;
    pool.count('syncs');
    this.#pages.tell(
      'sync',
      `${why}: the shadow of the page table at GPA ${hex(gfn * 4096)} is synchronized, ${changed === 1 ? '1 entry' : `${changed} entries`} had changed`,
      {gpa: gfn * 4096},
    );
    if (changed > 0) this.#options.host.flushTlb();
  }

  /** Write-protects a guest table. */
  protect(gfn: number): void {
    if (this.#options.faults?.has('no-write-protection') === true) return;
    const host = this.#pages.ramOf(gfn);
    if (host === undefined) return;
    this.#pages.writeProtect(host, gfn * 4096, 'the page holds a page table of the guest: writes to it must be seen');
  }

  /** Brings one entry that is present up to date with the guest's; says whether it changed. */
  #resync(slot: Slot, why: string): boolean {
    const before = this.#pages.pool.entry(slot.page, slot.index);
    if (!isPresent(before)) return false;
    const {value, because} = this.fromGuest(slot);
    if (value === before) return false;
    if (value === undefined || frameIn(value) !== frameIn(before))
      return this.#pages.drop(slot, `${why}: ${because ?? 'the guest’s entry names another page'}`);
    this.#pages.tell('map', `${why}: the guest changed the rights`, {}, this.#pages.set(slot, value));
    return true;
  }

  /** What an entry of a level-1 shadow page should be by the guest's entry, without an access that asks for it. */
  fromGuest(slot: Slot): {readonly value: bigint | undefined; readonly because?: string} {
    const key = this.#pages.keyOf(slot.page);
    const {role} = key;
    const entry = readGuestEntry(this.#options.host, guestEntryAddress(key, slot.index), guestEntryBytes(role.guest));
    if ((entry & PRESENT) === 0n) return {value: undefined, because: 'the guest’s entry is not present'};
    if ((entry & ACCESSED) === 0n)
      return {value: undefined, because: 'the guest cleared Accessed, and the next access has to set it'};
    if (hasReservedBits(entry, role, this.#options.features))
      return {value: undefined, because: 'the guest’s entry has reserved bits set'};
    const gfn = frameIn(role.guest === '32-bit' ? entry & 0xffff_ffffn : entry);
    const backing = this.#options.host.backing(guestPhysical(gfn * 4096));
    if (backing.kind === 'device') return {value: undefined, because: 'the guest’s entry names a device'};
    const guest = role.access & accessIn(entry, role.noExecute);
    let access = faultyAccess(guest, (entry & DIRTY) !== 0n, role, 'resync', this.#options.faults);
    const isTracked = this.#options.isTracked?.(gfn) ?? false;
    if (backing.kind === 'read-only' || isTracked || this.#pages.isProtected(gfn)) access &= ~ACC_WRITE;
    return {value: pageEntry(role, backing.host / 4096, access, this.#options.hardware().noExecute)};
  }
}
