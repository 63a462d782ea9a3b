// The shadow MMU: the hardware walks tables that map guest-virtual addresses to host-physical ones, the product of the guest's
// own tables and the memory slots. They are filled by page faults and kept right by write protection and resynchronization.
// Linux, Documentation/virt/kvm/x86/mmu.rst; Adams and Agesen 2006, section 2.4, "Memory system".
//
//   #PF ─► walk the guest's tables ─┬─ refused: true fault, the guest gets it
//                                   ├─ no RAM there: the instruction is carried out in software
//                                   ├─ a write to a page table: unsync (level 1), or carried out in software
//                                   └─ allowed: hidden fault, the shadow is mended and the instruction repeated

import {gpa, hex, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {DeliberateFault} from '../deliberate-faults.js';
import type {Backing, GuestAccess, ShadowMmu, ShadowMmuOptions, ShadowStatistics, ShadowVerdict} from './ports.js';
import {SHADOW_STATISTICS} from './ports.js';
import {walkGuest} from './guest-walk.js';
import type {GuestTranslation, MarkedEntry} from './guest-walk.js';
import {faultyAccess, heldBack, needsSoftware} from './shadow-access.js';
import {indexAt, isPresent, pageEntry} from './shadow-format.js';
import {entriesWritten} from './shadow-path.js';
import {ShadowPages} from './shadow-pages.js';
import {ShadowRoots} from './shadow-roots.js';
import {ShadowSync} from './shadow-sync.js';
import type {PageNumber} from './shadow-pool.js';
import {ACC_WRITE, modeRoleOf} from './shadow-role.js';
import type {ModeRole} from './shadow-role.js';

const PAGE = 4096;
/** The most that one fault may need: a PAE root with its four directories and a page table; or four levels and the window's two. */
const PATH_PAGES = 6;
/** Writes without a use after which a page is taken to be no page table any more. */
const FLOOD = 3;
const FORMATS_BITS = {'4-level': 48, PAE: 32, '32-bit': 32} as const;

/** A shadow MMU over host memory that holds its state; it may be made again over the same memory at any time. */
export function createShadowMmu(options: ShadowMmuOptions): ShadowMmu {
  return new KvmShadowMmu(options);
}

class KvmShadowMmu implements ShadowMmu {
  readonly #options: ShadowMmuOptions;
  readonly #pages: ShadowPages;
  readonly #sync: ShadowSync;
  readonly #roots: ShadowRoots;

  constructor(options: ShadowMmuOptions) {
    this.#options = options;
    this.#pages = new ShadowPages(options);
    this.#sync = new ShadowSync(options, this.#pages);
    this.#roots = new ShadowRoots(options, this.#pages, this.#sync);
  }

  root(wanted: 'kernel' | 'user'): Hpa {
    const view = this.#has('one-shadow') ? 'kernel' : wanted;
    this.#makeRoom(this.#roots.pagesToLoad(view));
    return this.#pages.pool.tableAt(this.#roots.load(view));
  }
  #has(fault: DeliberateFault): boolean {
    return this.#options.faults?.has(fault) === true;
  }
  rootInUse(view: 'kernel' | 'user'): Hpa | undefined {
    const root = this.#pages.pool.root(view);
    return root === undefined ? undefined : this.#pages.pool.tableAt(root);
  }

  // ── page faults ─────────────────────────────────────────────────────────────────────────────────────────────────
  fault(access: GuestAccess): ShadowVerdict {
    const {pool} = this.#pages;
    const marked: MarkedEntry[] = [];
    const walked = walkGuest(this.#options.host, this.#options.features, access, entry => marked.push(entry));
    if (walked.kind === 'fault') {
      pool.count('trueFaults');
      this.#pages.tell('true-fault', `${walked.why}: the guest gets #PF`, {linear: access.linear});
      this.#forget(access.linear, 'a page fault drops what the processor remembered of the address');
      return {kind: 'true', errorCode: walked.errorCode};
    }
    this.#tellMarked(marked, access.linear);
    const target = gpa(walked.gpa);
    const backing = this.#options.host.backing(gpa(target - (target % PAGE)));
    const mode = this.#mode(access);
    if (backing.kind === 'device' || (backing.kind === 'read-only' && access.kind === 'write'))
      return this.#device(backing, access, target);
    if (needsSoftware(walked.access, mode, this.#options.hardware(), access)) {
      const why =
        'CR0.WP = 0 lets the kernel write, but an entry that allows it would be a kernel page, which SMAP and SMEP do not guard: the instruction is carried out in software';
      this.#pages.tell('mmio', why, {linear: access.linear, gpa: target});
      return {kind: 'device', gpa: target};
    }
    if (this.#isInWindow(access.linear)) return {kind: 'hypervisor-window', gpa: target};
    if (!this.#makeRoom(PATH_PAGES)) return {kind: 'no-memory'};
    return this.#map(access, walked, backing, mode);
  }

  #mode(access: GuestAccess): ModeRole {
    const view = access.privilege === 'user' && !this.#has('one-shadow') ? 'user' : 'kernel';
    return modeRoleOf(this.#options.host.paging(), this.#options.hardware(), view);
  }

  #tellMarked(marked: readonly MarkedEntry[], linear: bigint): void {
    for (const {gpa: at, bit, entry} of marked)
      this.#pages.tell(
        bit === 'accessed' ? 'set-accessed' : 'set-dirty',
        bit === 'accessed'
          ? `the guest’s processor would set Accessed in each entry that it uses: the entry at GPA ${hex(at)} is now ${hex(entry)}`
          : `the guest’s processor would set Dirty at the first write: the entry at GPA ${hex(at)} is now ${hex(entry)}`,
        {linear, gpa: at},
      );
  }

  #device(backing: Backing, {linear}: GuestAccess, target: Gpa): ShadowVerdict {
    this.#pages.pool.count('deviceFaults');
    const why =
      backing.kind === 'device'
        ? `no memory slot covers GPA ${hex(target)}, so it is never mapped: the instruction is carried out in software`
        : `the memory slot of GPA ${hex(target)} is read-only: the write is carried out in software`;
    this.#pages.tell('mmio', why, {linear, gpa: target});
    return {kind: 'device', gpa: target};
  }

  #isInWindow(linear: bigint): boolean {
    const {window} = this.#options;
    if (window === undefined) return false;
    const {format} = this.#options.hardware();
    const at = (address: bigint): bigint =>
      BigInt.asUintN(FORMATS_BITS[format], address) >> (format === '32-bit' ? 22n : 21n);
    return at(linear) === at(window.linear);
  }

  /** Builds the way to the page, and its entry; unless the page holds a table of the guest whose changes must be seen. */
  #map(
    access: GuestAccess,
    walked: GuestTranslation,
    backing: Exclude<Backing, {kind: 'device'}>,
    mode: ModeRole,
  ): ShadowVerdict {
    const {linear} = access;
    const rights = faultyAccess(walked.access, walked.dirty, mode, access, this.#options.faults);
    const leaf = this.#roots.walkTo(linear, walked, rights, mode);
    const gfn = Math.floor(walked.gpa / PAGE);
    const target = gpa(walked.gpa);
    const isTable = this.#pages.isProtected(gfn);
    const isTracked = this.#options.isTracked?.(gfn) ?? false;
    if (isTracked && access.kind === 'write') {
      const why = `the page at GPA ${hex(gfn * PAGE)} holds code that has been translated: the write is carried out in software, and what was made of these bytes is thrown away`;
      this.#pages.tell('tracked-write', why, {linear, gpa: target});
      return {kind: 'tracked-write', gpa: target};
    }
    const trapped = isTable && access.kind === 'write' ? this.#whyTrapped(gfn, linear) : undefined;
    if (trapped !== undefined) {
      const why = `the guest writes to its own page table at GPA ${hex(gfn * PAGE)}, ${trapped}: the write is carried out in software and the shadow follows`;
      this.#pages.tell('page-table-write', why, {linear, gpa: target});
      return {kind: 'page-table-write', gpa: target};
    }
    const isRom = backing.kind === 'read-only';
    const mustNotWrite = isRom || isTracked || (isTable && access.kind !== 'write');
    const allowed = mustNotWrite ? rights & ~ACC_WRITE : rights;
    const slot = {page: leaf, index: indexAt(mode.hardware, 1, linear)};
    const role = this.#pages.pool.role(leaf);
    const before = this.#pages.pool.entry(slot.page, slot.index);
    const value = pageEntry(role, backing.host / PAGE, allowed, this.#options.hardware().noExecute);
    const entry = this.#pages.set(slot, value);
    if (isPresent(before)) this.#options.host.flushTlb(linear);
    const held = heldBack(walked.access, walked.dirty, isTable && mustNotWrite, isRom);
    const mapping = `${hex(linear & ~0xfffn)} → GPA ${hex(gfn * PAGE)} → HPA ${hex(backing.host)}`;
    this.#pages.tell('map', `${mapping}${held === undefined ? '' : `, ${held}`}`, {linear, gpa: target}, entry);
    this.#pages.pool.count('hiddenFaults');
    const because =
      mode.guest === 'none'
        ? 'the guest’s paging is off, so that it may touch any page'
        : `the guest’s own tables allow this ${access.kind}`;
    const why = `${because}: the guest never learns of the fault, and repeats the instruction`;
    this.#pages.tell('hidden-fault', why, {linear, gpa: target});
    return {kind: 'hidden', gpa: target};
  }

  /** Why a write to a guest table is carried out in software; undefined where the table goes out of step instead. */
  #whyTrapped(gfn: number, linear: bigint): string | undefined {
    if (this.#options.leafTables === 'trapped') return 'and every such write is trapped';
    return this.#sync.unsync(gfn, linear) ? undefined : 'of which not all shadows are of level 1';
  }

  // ── what the guest does to its tables ───────────────────────────────────────────────────────────────────────────
  guestLoadedCr3(): void {
    this.#pages.pool.count('cr3Loads');
    if (!this.#has('no-invalidation')) this.#sync.synchronizeAll('MOV to CR3 flushes the TLB');
    this.#roots.leave();
  }
  guestChangedMode(): void {
    this.#sync.synchronizeAll('the change of paging mode flushes the TLB');
    this.#roots.leave();
    this.#options.host.flushTlb();
  }
  guestInvalidated(linear: bigint): void {
    this.#pages.pool.count('invalidations');
    if (this.#has('no-invalidation')) {
      const why = 'INVLPG: left out on purpose, the shadow keeps what it has';
      return this.#pages.tell('invalidate-page', why, {linear});
    }
    const found = this.#forget(linear, 'INVLPG');
    const why = found
      ? 'INVLPG: the shadow entry is dropped and made again from the guest’s tables'
      : 'INVLPG: the shadow has no entry for the address, so there is nothing to forget';
    this.#pages.tell('invalidate-page', why, {linear});
  }

  /** Drops the entry of a linear address in the roots in use, and makes it again where the guest's table allows. */
  #forget(linear: bigint, why: string): boolean {
    let found = false;
    for (const view of ['kernel', 'user'] as const) {
      const slot = this.#roots.leafOf(view, linear);
      if (slot === undefined) continue;
      const again = this.#pages.pool.role(slot.page).source === 'table' ? this.#sync.fromGuest(slot).value : undefined;
      found = this.#pages.drop(slot, `${why}: the entry of the address is forgotten`, {linear}) || found;
      if (again === undefined) continue;
      this.#pages.tell('map', `${why}: made again from the guest’s entry`, {linear}, this.#pages.set(slot, again));
    }
    this.#options.host.flushTlb(linear);
    return found;
  }

  guestWrote(at: Gpa, bytes: number): void {
    let written = 0;
    while (written < bytes) {
      const address = at + written;
      const length = Math.min(bytes - written, PAGE - (address % PAGE));
      this.#wroteInPage(address, length);
      written += length;
    }
  }
  #wroteInPage(address: number, bytes: number): void {
    const gfn = Math.floor(address / PAGE);
    const shadows = this.#pages.shadowsOf(gfn);
    if (shadows.length === 0) return;
    this.#pages.pool.count('pageTableWrites');
    let changed = false;
    for (const page of shadows) changed = this.#followWrite(page, address, bytes) || changed;
    if (changed) this.#options.host.flushTlb();
  }
  /** Drops the entries of one shadow page that a write made stale; says whether there were any. */
  #followWrite(page: PageNumber, address: number, bytes: number): boolean {
    const {pool} = this.#pages;
    const role = pool.role(page);
    const place = {gpa: address};
    if (role.level > 1 && pool.writes(page) + 1 >= FLOOD) {
      const why = `the guest wrote to the page at GPA ${hex(address - (address % PAGE))} ${FLOOD} times without using it: it is taken for no page table any more, and becomes writable`;
      pool.count('floods');
      this.#pages.tell('flood', why, place);
      this.#pages.zap(page);
      return true;
    }
    if (role.level > 1) pool.setWrites(page, pool.writes(page) + 1);
    let changed = false;
    for (const index of entriesWritten(role, address % PAGE, bytes))
      changed = this.#pages.drop({page, index}, 'the guest’s entry behind it was written', place) || changed;
    return changed;
  }

  track(gfn: number): void {
    const host = this.#pages.ramOf(gfn);
    if (host === undefined) return;
    this.#pages.writeProtect(host, gfn * PAGE, 'code of the page has been translated: writes to it must be seen');
  }

  // ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────
  zapAll(why: string): void {
    const {pool} = this.#pages;
    const all = pool.all();
    this.#pages.tell('zap', `${why}: all ${all.length} shadow pages are given back`);
    for (const page of all) this.#pages.zap(page);
    this.#options.host.flushTlb();
  }
  /** Room for shadow pages, if need be by zapping everything. */
  #makeRoom(pages: number): boolean {
    const {pool} = this.#pages;
    if (pool.available >= pages) return true;
    pool.count('poolExhaustions');
    this.#pages.tell('pool-empty', `of ${pool.capacity} shadow pages ${pool.available} are left: all are given back`);
    this.zapAll('the pool is empty');
    return pool.available >= pages;
  }
  statistics(): ShadowStatistics {
    return recordOf(SHADOW_STATISTICS, name => this.#pages.pool.counted(name));
  }
}
