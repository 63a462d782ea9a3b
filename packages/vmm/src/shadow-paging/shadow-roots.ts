// Roots: which shadow page the hardware's CR3 holds for the guest's CR3 and mode, and the way from there to a page. Roots that
// the guest left are kept, and found again by guest frame and role. Linux, arch/x86/kvm/mmu/mmu.c: kvm_mmu_reload, fetch.

import {hex} from '@hyperscope/base';
import type {ShadowMmuOptions} from './ports.js';
import type {GuestTranslation} from './guest-walk.js';
import {indexAt, isPresent} from './shadow-format.js';
import {childKey, rootKey, windowKey} from './shadow-path.js';
import type {ShadowKey} from './shadow-path.js';
import type {ShadowPages} from './shadow-pages.js';
import type {PageNumber} from './shadow-pool.js';
import type {Slot} from './reverse-map.js';
import type {ShadowSync} from './shadow-sync.js';
import {ACC_ALL, modeRoleOf, roleWords} from './shadow-role.js';
import type {ModeRole} from './shadow-role.js';

const PRESENT = 1n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

/** A PAE root with its directories is the most; a 4-level root needs one page, and two for the way to the window. */
const ROOT_PAGES = 5;
const WINDOW_PAGES = 2;

interface WantedRoot {
  readonly mode: ModeRole;
  readonly key: ShadowKey;
  /** Which of the roots in use it is. */
  readonly slot: 'kernel' | 'user';
  readonly root: PageNumber | undefined;
}

export class ShadowRoots {
  readonly #options: ShadowMmuOptions;
  readonly #pages: ShadowPages;
  readonly #sync: ShadowSync;

  constructor(options: ShadowMmuOptions, pages: ShadowPages, sync: ShadowSync) {
    this.#options = options;
    this.#pages = pages;
    this.#sync = sync;
  }

  /** The guest's registers changed: the next `load` looks for a root anew. */
  leave(): void {
    for (const view of ['kernel', 'user'] as const)
      if (this.#pages.pool.root(view) !== undefined) this.#pages.pool.setRoot(view, undefined);
  }

  /** How many shadow pages `load` may have to take: none, when all that it gives is there. */
  pagesToLoad(view: 'kernel' | 'user'): number {
    const {root, mode} = this.#wanted(view);
    if (root === undefined) return ROOT_PAGES;
    const missing = mode.hardware === 'PAE' ? this.#missingPointers(root, mode) : 0;
    return missing + (this.#isWindowOpen(root) ? 0 : WINDOW_PAGES);
  }

  /** The root for the guest's registers, complete as far as the hardware cannot wait for faults. */
  load(view: 'kernel' | 'user'): PageNumber {
    const wanted = this.#wanted(view);
    const {mode} = wanted;
    const root = wanted.root ?? this.#findRoot(wanted.key);
    if (wanted.root === undefined) this.#pages.pool.setRoot(wanted.slot, root);
    if (mode.hardware === 'PAE') this.#loadPointers(root, mode);
    else if (mode.guest === 'PAE') this.#checkPointers(root, mode);
    this.#openWindow(root);
    return root;
  }

  /** What the guest's registers ask for, and the root in use if it is that. */
  #wanted(view: 'kernel' | 'user'): WantedRoot {
    const {pool} = this.#pages;
    const paging = this.#options.host.paging();
    const hardware = this.#options.hardware();
    const mode = modeRoleOf(paging, hardware, view);
    const key = rootKey(mode, paging, this.#options.window);
    const slot = hardware.views === 1 ? 'kernel' : view;
    const inUse = pool.root(slot);
    const root = inUse !== undefined && pool.has(inUse, key.gfn, key.role) ? inUse : undefined;
    return {mode, key, slot, root};
  }

  #findRoot(key: ShadowKey): PageNumber {
    const {pool} = this.#pages;
    const known = pool.find(key.gfn, key.role);
    const {cr3} = this.#options.host.paging();
    const what = key.role.guest === 'none' ? 'paging is off' : `guest CR3 ${hex(cr3)}`;
    const root = known ?? this.#obtain(key, {});
    this.#pages.tell(
      known === undefined ? 'new-root' : 'reuse-root',
      known === undefined
        ? `${what}: no shadow root is known for it (${roleWords(key.role)}); an empty one at HPA ${hex(pool.tableAt(root))} is filled by the faults to come`
        : `${what}: its shadow root is still there, at HPA ${hex(pool.tableAt(root))}, with all that was mapped before`,
      {gpa: key.role.source === 'table' ? key.gfn * 4096 : undefined},
    );
    return root;
  }

  /** A shadow page by what it shadows: a known one, brought up to date, or a new one whose guest table is protected first. */
  #obtain(key: ShadowKey, place: {readonly linear?: bigint}): PageNumber {
    const {pool} = this.#pages;
    if (key.role.source === 'table') {
      this.#sync.synchronizeFrame(key.gfn, 'the page table is reached by a new way');
      this.#sync.protect(key.gfn);
    }
    return pool.find(key.gfn, key.role) ?? this.#pages.make(key, place);
  }

  /** The page below, joined to its parent; what was there before is replaced when it stands for something else. */
  #step(parent: PageNumber, linear: bigint, key: ShadowKey): PageNumber {
    const {pool} = this.#pages;
    const role = pool.role(parent);
    const slot: Slot = {page: parent, index: indexAt(role.hardware, role.level, linear)};
    const there = this.#pages.child(slot.page, slot.index);
    if (there !== undefined && pool.has(there, key.gfn, key.role)) return there;
    if (there !== undefined) {
      this.#pages.drop(slot, 'the guest’s entry leads elsewhere now, or allows other rights', {linear});
      this.#options.host.flushTlb();
    }
    const child = this.#obtain(key, {linear});
    this.#pages.link(slot, child);
    return child;
  }

  /** The last table on the way to a linear address; tables that are missing are made. */
  walkTo(linear: bigint, translation: GuestTranslation, access: number, mode: ModeRole): PageNumber {
    const {pool} = this.#pages;
    const {window} = this.#options;
    let page = this.load(mode.view === 'user' ? 'user' : 'kernel');
    while (pool.role(page).level > 1) {
      pool.setWrites(page, 0);
      page = this.#step(page, linear, childKey(this.#pages.keyOf(page), linear, translation, access, window));
    }
    return page;
  }

  /** The entry of level 1 for a linear address in a root in use, where the way there exists. */
  leafOf(view: 'kernel' | 'user', linear: bigint): Slot | undefined {
    const {pool} = this.#pages;
    let page = pool.root(view);
    while (page !== undefined) {
      const {level, hardware} = pool.role(page);
      const index = indexAt(hardware, level, linear);
      if (level === 1) return isPresent(pool.entry(page, index)) ? {page, index} : undefined;
      page = this.#isWindowEntry(page, linear) ? undefined : this.#pages.child(page, index);
    }
    return undefined;
  }
  #isWindowEntry(page: PageNumber, linear: bigint): boolean {
    const {window} = this.#options;
    const {level, hardware, window: holds} = this.#pages.pool.role(page);
    return (
      window !== undefined &&
      holds &&
      level === 2 &&
      indexAt(hardware, 2, linear) === indexAt(hardware, 2, window.linear)
    );
  }

  /**
   * A PAE root's four entries: the processor reads them once, when CR3 is loaded, so that no fault could add them later. The
   * guest's own PDPTEs change at its MOV to CR3 only.
   */
  #loadPointers(root: PageNumber, mode: ModeRole): void {
    const paging = this.#options.host.paging();
    let changed = false;
    for (let index = 0; index < 4; index++) {
      const linear = BigInt(index) << 30n;
      const before = this.#pages.pool.entry(root, index);
      const translation = pointerTranslation(mode, index, paging.cr3, paging.pdptes);
      if (translation === undefined)
        this.#pages.drop({page: root, index}, 'the guest’s PDPTE is not present', {linear});
      else
        this.#step(root, linear, childKey(this.#pages.keyOf(root), linear, translation, ACC_ALL, this.#options.window));
      changed ||= before !== this.#pages.pool.entry(root, index);
    }
    if (changed) this.#options.host.flushTlb();
  }

  #missingPointers(root: PageNumber, mode: ModeRole): number {
    const {cr3, pdptes} = this.#options.host.paging();
    const isMissing = (index: number): boolean =>
      this.#pages.child(root, index) === undefined && pointerTranslation(mode, index, cr3, pdptes) !== undefined;
    return [0, 1, 2, 3].filter(isMissing).length;
  }

  /** The same root may have been loaded with other PDPTEs before: what hangs below the old ones goes. */
  #checkPointers(root: PageNumber, mode: ModeRole): void {
    const {cr3, pdptes} = this.#options.host.paging();
    const directoryPointers = this.#pages.child(root, 0);
    if (directoryPointers === undefined) return;
    let changed = false;
    for (let index = 0; index < 4; index++) {
      const child = this.#pages.child(directoryPointers, index);
      if (child === undefined) continue;
      const directory = pointerTranslation(mode, index, cr3, pdptes)?.tables[0];
      const isWindow = this.#pages.pool.role(child).source === 'passthrough';
      if (isWindow || this.#pages.pool.gfn(child) === directory?.gfn) continue;
      changed = this.#pages.drop({page: directoryPointers, index}, 'the guest loaded another PDPTE') || changed;
    }
    if (changed) this.#options.host.flushTlb();
  }

  #isWindowOpen(root: PageNumber): boolean {
    const {window} = this.#options;
    let page: PageNumber | undefined = window === undefined ? undefined : root;
    while (page !== undefined && window !== undefined) {
      const {level, hardware} = this.#pages.pool.role(page);
      if (level === 2) return true;
      page = this.#pages.child(page, indexAt(hardware, level, window.linear));
    }
    return window === undefined;
  }

  /** The tables that lead to the hypervisor's window, where the guest has none of its own on the way. */
  #openWindow(root: PageNumber): void {
    const {window} = this.#options;
    if (window === undefined) return;
    let page = root;
    while (this.#pages.pool.role(page).level > 2) {
      const {level, hardware} = this.#pages.pool.role(page);
      const child = this.#pages.child(page, indexAt(hardware, level, window.linear));
      page = child ?? this.#step(page, window.linear, windowKey(this.#pages.keyOf(page)));
    }
  }
}

/** What a guest's root says about 1 GiB: which page directory, or memory in one stretch; undefined for nothing. */
function pointerTranslation(
  mode: ModeRole,
  index: number,
  cr3: bigint,
  pdptes: readonly bigint[],
): GuestTranslation | undefined {
  const base = {kind: 'translation', gpa: index * 2 ** 30, access: ACC_ALL, dirty: true} as const;
  if (mode.guest === 'none') return {...base, leafLevel: 0, tables: []};
  const pointer = mode.guest === 'PAE' ? (pdptes[index] ?? 0n) : (cr3 & 0xffff_f000n) | PRESENT;
  if ((pointer & PRESENT) === 0n) return undefined;
  const directory = {level: 2, gfn: Number((pointer & ADDRESS) >> 12n), access: ACC_ALL};
  return {...base, leafLevel: 1, tables: [directory]};
}
