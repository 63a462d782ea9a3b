// What the shadow MMU holds at a moment, read from host memory and changing nothing: its counts, its roots, and for one linear
// address the guest's own tables (GVA → GPA) beside the shadow (GVA → HPA), with what is different and why.

import {assert, gpa, hex, recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {walkPageTables} from '@hyperscope/machine';
import type {WalkReference} from '@hyperscope/machine';
import type {Backing, GuestPaging, GuestPagingFeatures, ShadowMmuOptions, ShadowStatistics} from './ports.js';
import {SHADOW_STATISTICS} from './ports.js';
import {pagingRules} from './guest-walk.js';
import {frameIn, indexAt, isPresent, isWritable} from './shadow-format.js';
import {ShadowPool} from './shadow-pool.js';
import type {PageNumber} from './shadow-pool.js';
import type {ShadowRole} from './shadow-role.js';

const PAGE = 4096;
const MOST_LEVELS = 4;
const DIRTY = 0x40n;
/** Of what the hardware walks. A PAE root has four entries, and lower tables 512. */
const ROOT_LEVELS = {'4-level': 4, PAE: 3, '32-bit': 2} as const;
const ENTRIES = {'4-level': 512, PAE: 512, '32-bit': 1024} as const;

/** One table entry of a walk; `address` is guest-physical for a guest table, host-physical for a shadow table. */
export interface ShownEntry {
  readonly level: number;
  readonly address: number;
  readonly entry: bigint;
}

/** How the shadow stands to the guest's tables at an address. */
export type ShadowRelation =
  | 'same'
  | 'unmapped'
  | 'missing'
  | 'device'
  | 'clean'
  | 'page-table'
  | 'kernel-variant'
  | 'read-only'
  | 'stale';

export interface ShadowComparison {
  readonly linear: bigint;
  readonly guest: readonly ShownEntry[];
  readonly shadow: readonly ShownEntry[];
  /** Where each leads; undefined where it leads nowhere. */
  readonly guestPhysical: number | undefined;
  readonly hostPhysical: number | undefined;
  readonly relation: ShadowRelation;
  /** One sentence for the relation, and one more where the last table is unsync. */
  readonly why: readonly string[];
}

/** What the shadow of one of the guest's address spaces takes. */
export interface ShadowRootSize {
  /** The guest's own root table. */
  readonly guestRoot: Gpa;
  /** Shadow pages under this root, itself among them; and those that no other root leads to. */
  readonly pages: number;
  readonly own: number;
}

export interface GuestTables {
  readonly paging: GuestPaging;
  readonly features: GuestPagingFeatures;
  readonly backing: (at: Gpa) => Backing;
}

export class ShadowView {
  readonly #pool: ShadowPool;
  readonly #read: (at: number, bytes: 4 | 8) => bigint;

  /** `read` gives host-physical memory. */
  constructor(pool: ShadowMmuOptions['pool'], read: (at: number, bytes: 4 | 8) => bigint) {
    this.#read = read;
    this.#pool = new ShadowPool({read, write: () => assert(false, 'a view changes nothing')}, pool);
  }

  statistics(): ShadowStatistics {
    return recordOf(SHADOW_STATISTICS, name => this.#pool.counted(name));
  }
  /** Shadow pages in use, and how many there is room for. */
  get pages(): {readonly used: number; readonly capacity: number} {
    return {used: this.#pool.capacity - this.#pool.available, capacity: this.#pool.capacity};
  }
  /** Every root in the cache, each with the shadow pages that it leads to: one for each address space of the guest, and role. */
  roots(): readonly ShadowRootSize[] {
    const roots = this.#pool.all().filter(page => {
      const {level, hardware} = this.#pool.role(page);
      return level === ROOT_LEVELS[hardware];
    });
    const reached = roots.map(root => this.#reachedFrom(root));
    return roots.map((root, index) => {
      const pages = reached[index] ?? new Set<PageNumber>();
      const own = [...pages].filter(page => reached.every((set, other) => other === index || !set.has(page)));
      return {guestRoot: gpa(this.#pool.gfn(root) * PAGE), pages: pages.size, own: own.length};
    });
  }

  #reachedFrom(root: PageNumber): ReadonlySet<PageNumber> {
    const reached = new Set([root]);
    for (const page of reached) {
      const {level, hardware} = this.#pool.role(page);
      if (level === 1) continue;
      for (let index = 0; index < ENTRIES[hardware]; index++) {
        const entry = this.#pool.entry(page, index);
        const child = this.#pool.pageOfTable(frameIn(entry));
        if (isPresent(entry) && child >= 0 && child < this.#pool.capacity) reached.add(child);
      }
    }
    return reached;
  }

  root(view: 'kernel' | 'user'): Hpa | undefined {
    const root = this.#rootPage(view);
    return root === undefined ? undefined : this.#pool.tableAt(root);
  }

  /** Memory may hold anything when a record was written by somebody else: a number that names no page is no root. */
  #rootPage(view: 'kernel' | 'user'): PageNumber | undefined {
    const root = this.#pool.root(view);
    return root !== undefined && root < this.#pool.capacity ? root : undefined;
  }

  /** The two walks of an address side by side; undefined while no shadow root is in use. */
  compare(linear: bigint, view: 'kernel' | 'user', tables: GuestTables): ShadowComparison | undefined {
    const root = this.#rootPage(view) ?? this.#rootPage('kernel');
    if (root === undefined) return undefined;
    const guest = this.#guestWalk(linear, tables);
    const {shadow, leaf} = this.#shadowWalk(linear, root);
    const last = shadow.at(-1);
    const isMapped = last !== undefined && last.level === 1 && isPresent(last.entry);
    const hostPhysical = isMapped ? frameIn(last.entry) * PAGE + Number(linear & 0xfffn) : undefined;
    const walks = {linear, guest: guest.entries, shadow, guestPhysical: guest.address, hostPhysical};
    const difference = this.#relation(guest, isMapped ? last : undefined, hostPhysical, leaf, tables);
    return {...walks, ...difference};
  }

  #guestWalk(linear: bigint, {paging, features, backing}: GuestTables): GuestWalk {
    // Rights of an access are not asked for here: a read by a kernel whose processor has neither SMAP nor SMEP.
    const rules = pagingRules(paging, features, true);
    if (rules === undefined)
      return {entries: [], address: Number(BigInt.asUintN(32, linear)), isWritable: true, isDirty: true};
    const references: WalkReference[] = [];
    const read = (address: number, bytes: 4 | 8): bigint => {
      const found = backing(gpa(address - (address % PAGE)));
      return found.kind === 'device'
        ? (1n << BigInt(bytes * 8)) - 1n
        : this.#read(found.host + (address % PAGE), bytes);
    };
    const walked = walkPageTables(
      linear,
      'read',
      'supervisor',
      {...rules, smap: false},
      {read, write: () => undefined},
      references,
    );
    const entries = references.map(({level, address, entry}) => ({level, address, entry}));
    const isTranslation = walked.kind === 'translation';
    const leaf = references.at(-1)?.entry ?? 0n;
    return {
      entries,
      address: isTranslation ? walked.address : undefined,
      isWritable: isTranslation && walked.writable,
      isDirty: (leaf & DIRTY) !== 0n,
    };
  }

  #shadowWalk(linear: bigint, root: PageNumber): {readonly shadow: readonly ShownEntry[]; readonly leaf: PageNumber} {
    const shadow: ShownEntry[] = [];
    let page = root;
    for (let steps = 1; ; steps++) {
      const {level, hardware}: ShadowRole = this.#pool.role(page);
      const index = indexAt(hardware, level, linear);
      const entry = this.#pool.entry(page, index);
      shadow.push({level, address: this.#pool.entryAt(page, index), entry});
      if (level === 1 || !isPresent(entry) || steps === MOST_LEVELS) return {shadow, leaf: page};
      const child = this.#pool.pageOfTable(frameIn(entry));
      // The hypervisor's window leads out of the pool.
      if (child < 0 || child >= this.#pool.capacity) return {shadow, leaf: page};
      page = child;
    }
  }

  #relation(
    guest: GuestWalk,
    mapped: ShownEntry | undefined,
    hostPhysical: number | undefined,
    leaf: PageNumber,
    {backing}: GuestTables,
  ): Pick<ShadowComparison, 'relation' | 'why'> {
    const {address} = guest;
    if (address === undefined)
      return mapped === undefined
        ? say('unmapped', 'neither maps the address: an access is a true fault, which the guest gets')
        : say(
            'stale',
            'the guest’s tables no longer map the address: until it flushes its TLB, a processor might remember it too',
          );
    const behind = backing(gpa(address - (address % PAGE)));
    if (behind.kind === 'device')
      return say(
        'device',
        `no memory slot covers GPA ${hex(address)}, so the shadow never maps it: each access is carried out in software`,
      );
    if (mapped === undefined)
      return say('missing', 'the shadow has no entry yet: the next access is a hidden fault, which fills it');
    if (hostPhysical !== behind.host + (address % PAGE))
      return say(
        'stale',
        'the guest’s entry names another page now: until it flushes its TLB, a processor might remember the old one too',
      );
    const unsync = this.#pool.isUnsync(leaf)
      ? ['the shadow table is unsync: the guest may write to its page table unseen, until it flushes its TLB']
      : [];
    const {relation, why} = this.#rights(guest, mapped.entry, address, behind.kind === 'read-only');
    return {relation, why: [...why, ...unsync]};
  }

  #rights(
    guest: GuestWalk,
    entry: bigint,
    address: number,
    isRom: boolean,
  ): Pick<ShadowComparison, 'relation' | 'why'> {
    if (isWritable(entry) && !guest.isWritable)
      return say(
        'kernel-variant',
        'the guest’s CR0.WP is 0, the processor’s is 1: this variant is the kernel’s, writable; a user’s access flips it back',
      );
    if (isWritable(entry) || !guest.isWritable)
      return say('same', 'the shadow entry is the product of the guest’s tables and the memory slots');
    if (isRom) return say('read-only', 'the shadow is read-only, because the memory slot is');
    const gfn = Math.floor(address / PAGE);
    const isTable = this.#pool
      .withFrame(gfn)
      .some(page => this.#pool.role(page).source === 'table' && !this.#pool.isUnsync(page));
    if (isTable)
      return say(
        'page-table',
        'the shadow is read-only, because the page holds a page table of the guest: a write must be seen',
      );
    if (!guest.isDirty)
      return say(
        'clean',
        'the shadow is read-only, because the page is clean: the first write has to set Dirty in the guest’s entry',
      );
    return say('read-only', 'the shadow is read-only for now: the next write is a hidden fault');
  }
}

interface GuestWalk {
  readonly entries: readonly ShownEntry[];
  readonly address: number | undefined;
  readonly isWritable: boolean;
  readonly isDirty: boolean;
}

const say = (relation: ShadowRelation, why: string): Pick<ShadowComparison, 'relation' | 'why'> => ({
  relation,
  why: [why],
});
