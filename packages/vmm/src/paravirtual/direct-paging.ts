// Direct paging: the guest's page tables are those that the processor walks, so each entry is looked at before it counts. A table
// is validated as a whole when the frame becomes one, and entry by entry from then on; what its entries refer to is counted,
// so that no frame is a page table and writable at once, and none is given away while somebody refers to it.
// Barham and others 2003, "Xen and the Art of Virtualization", section 3.3.3; Xen, xen/arch/x86/mm.c, "_get_page_type".

import {assert, hex, hpa} from '@hyperscope/base';
import {check} from '@hyperscope/machine';
import type {Check, PhysicalMemory} from '@hyperscope/machine';
import {FRAME_TYPE, frameTypeWords} from './frame-table.js';
import type {FrameTable, FrameType, TableLevel} from './frame-table.js';
import {FIRST_XEN_SLOT, LAST_XEN_SLOT} from './xen-interface.js';
import type {Errno} from './xen-interface.js';
import {XEN_L3, XEN_LINEAR} from './xen-layout.js';

const PAPER = 'Barham and others 2003, section 3.3.3, "Virtual address translation"';
const MM = 'Xen, xen/arch/x86/mm.c';
const ENTRIES = 512;

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED_DIRTY = 0x60n;
const GLOBAL = 0x100n;
/** Xen's mark, in a bit that the processor ignores, on what the guest meant for its kernel: _PAGE_GUEST_KERNEL. */
export const GUEST_KERNEL = 1n << 52n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** Bits 53 to 62: Xen lets no guest use them. */
const RESERVED = 0x7fe0_0000_0000_0000n;
/** Above level 1 also PWT, PCD, PS and G: no large pages. */
const RESERVED_ABOVE_L1 = RESERVED | 0x198n;
const XEN_SLOT = Number((XEN_LINEAR >> 39n) & 511n);
const XEN_ENTRY = BigInt(XEN_L3) | 0x63n;

export interface DirectPagingParts {
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  /** Whose tables they are. */
  readonly domain: number;
  flushTlb(): void;
  /** So many entries were looked at. */
  looked(entries: number): void;
}

/** What became of one update. */
export interface EntryUpdate {
  readonly errno: Errno | undefined;
  /** Level of the table; undefined where the frame was none. */
  readonly level: TableLevel | undefined;
  readonly from: bigint;
  readonly to: bigint;
}

export const mfnOf = (entry: bigint): number => Number((entry & ADDRESS) >> 12n);
const isPresent = (entry: bigint): boolean => (entry & PRESENT) !== 0n;
const typeOfLevel = (level: TableLevel): FrameType => level;

export class DirectPaging {
  readonly #parts: DirectPagingParts;

  constructor(parts: DirectPagingParts) {
    this.#parts = parts;
  }

  get frames(): FrameTable {
    return this.#parts.frames;
  }

  // ── references and types ──────────────────────────────────────────────────────────────────────────────────────────

  /** A reference to a frame, if it is the domain's. */
  getPage(mfn: number, checks: Check[]): boolean {
    const {frames, domain} = this.#parts;
    const owner = frames.has(mfn) ? frames.ownerOf(mfn) : undefined;
    const isOwn = owner === domain;
    const whose = !frames.has(mfn) ? 'nobody: there is no such frame' : owner === undefined ? 'Xen' : `domain ${owner}`;
    const values = [
      ['frame', hex(mfn)],
      ['owner', whose],
    ] as const;
    checks.push(check('the machine frame belongs to the domain', isOwn, values, PAPER));
    if (isOwn) frames.addReference(mfn);
    return isOwn;
  }
  putPage(mfn: number): void {
    this.#parts.frames.dropReference(mfn);
  }

  /** One more use of a frame as `type`. Its first use as a page table validates all of its entries. */
  getType(mfn: number, type: FrameType, checks: Check[]): boolean {
    const {frames} = this.#parts;
    const now = frames.info(mfn);
    const fits = now.uses === 0 || now.type === type;
    const values = [
      ['frame', hex(mfn)],
      ['used as', now.uses === 0 ? 'nothing' : `${frameTypeWords(now.type)}, ${times(now.uses)}`],
    ] as const;
    checks.push(check(`the frame is free to be ${frameTypeWords(type)}, or is one already`, fits, values, PAPER));
    if (!fits) return false;
    if (now.uses > 0) {
      frames.addUse(mfn);
      return true;
    }
    frames.setType(mfn, type);
    // The TLB may still know the way by which it was written to.
    if (now.type === FRAME_TYPE.writable && type !== FRAME_TYPE.writable) this.#parts.flushTlb();
    if (type === FRAME_TYPE.none || type === FRAME_TYPE.writable || this.#validate(mfn, type, checks)) {
      frames.setValidated(mfn, 'validated');
      return true;
    }
    frames.dropUse(mfn);
    return false;
  }
  /** The last use as a page table ends what its entries refer to. */
  putType(mfn: number): void {
    const {frames} = this.#parts;
    const {type, uses, isValidated} = frames.info(mfn);
    if (uses === 1 && isValidated) {
      if (type !== FRAME_TYPE.none && type !== FRAME_TYPE.writable) this.#release(mfn, type, ENTRIES);
      frames.setValidated(mfn, 'not validated');
    }
    frames.dropUse(mfn);
  }

  getTable(mfn: number, level: TableLevel, checks: Check[]): boolean {
    if (!this.getPage(mfn, checks)) return false;
    if (this.getType(mfn, typeOfLevel(level), checks)) return true;
    this.putPage(mfn);
    return false;
  }
  putTable(mfn: number): void {
    this.putType(mfn);
    this.putPage(mfn);
  }

  /** A pinned frame stays a page table while nothing refers to it. */
  pin(mfn: number, level: TableLevel, checks: Check[]): Errno | undefined {
    if (!this.getTable(mfn, level, checks)) return 'EINVAL';
    const {frames} = this.#parts;
    const isNew = !frames.info(mfn).isPinned;
    checks.push(check('the frame is not pinned already', isNew, [['frame', hex(mfn)]], MM));
    if (isNew) frames.setPinned(mfn, 'pinned');
    else this.putTable(mfn);
    return isNew ? undefined : 'EINVAL';
  }
  unpin(mfn: number, checks: Check[]): Errno | undefined {
    if (!this.getPage(mfn, checks)) return 'EINVAL';
    const {frames} = this.#parts;
    const {isPinned} = frames.info(mfn);
    checks.push(check('the frame is pinned', isPinned, [['frame', hex(mfn)]], MM));
    if (isPinned) {
      frames.setPinned(mfn, 'not pinned');
      this.putTable(mfn);
    }
    this.putPage(mfn);
    return isPinned ? undefined : 'EINVAL';
  }

  // ── whole tables ──────────────────────────────────────────────────────────────────────────────────────────────────

  #validate(mfn: number, level: TableLevel, checks: Check[]): boolean {
    let present = 0;
    for (let index = 0; index < ENTRIES; index++) {
      if (level === 4 && isXenSlot(index)) continue;
      const entry = this.#read(mfn, index);
      if (!isPresent(entry)) continue;
      const found: Check[] = [];
      present++;
      if (this.#refer(entry, level, found) === undefined) {
        this.#write(mfn, index, adjusted(entry, level));
        continue;
      }
      this.#release(mfn, level, index);
      this.#parts.looked(present);
      checks.push(...found);
      const place = [
        ['entry', String(index)],
        ['is', hex(entry)],
      ] as const;
      checks.push(check(`every entry may stand in ${frameTypeWords(level)}`, false, place, PAPER));
      return false;
    }
    if (level === 4) this.#insertXen(mfn);
    this.#parts.looked(present);
    const values = [
      ['frame', hex(mfn)],
      ['present entries', String(present)],
    ] as const;
    checks.push(check(`every entry may stand in ${frameTypeWords(level)}`, true, values, PAPER));
    return true;
  }

  /** Gives back what the first `count` entries refer to. */
  #release(mfn: number, level: TableLevel, count: number): void {
    for (let index = 0; index < count; index++)
      if (level !== 4 || !isXenSlot(index)) this.#forget(this.#read(mfn, index), level);
  }

  /** Xen is in every address space. */
  #insertXen(mfn: number): void {
    for (let index = FIRST_XEN_SLOT; index <= LAST_XEN_SLOT; index++)
      this.#write(mfn, index, index === XEN_SLOT ? XEN_ENTRY : 0n);
  }

  // ── single entries ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Counts what a present entry refers to, if it may. */
  #refer(entry: bigint, level: TableLevel, checks: Check[]): Errno | undefined {
    const reserved = entry & (level === 1 ? RESERVED : RESERVED_ABOVE_L1);
    const rule = level === 1 ? 'bits 62:53 are 0' : 'bits 62:53 and PWT, PCD, PS and G are 0: no large pages';
    checks.push(check(rule, reserved === 0n, [['entry', hex(entry)]], MM));
    if (reserved !== 0n) return 'EINVAL';
    const mfn = mfnOf(entry);
    if (level > 1) return this.getTable(mfn, lower(level), checks) ? undefined : 'EINVAL';
    if (!this.#parts.frames.has(mfn)) {
      this.getPage(mfn, checks);
      return 'EPERM';
    }
    if (!this.getPage(mfn, checks)) return 'EBUSY';
    if ((entry & WRITABLE) === 0n || this.getType(mfn, FRAME_TYPE.writable, checks)) return undefined;
    this.putPage(mfn);
    return 'EBUSY';
  }
  #forget(entry: bigint, level: TableLevel): void {
    if (!isPresent(entry)) return;
    const mfn = mfnOf(entry);
    if (level > 1) this.putTable(mfn);
    else {
      if ((entry & WRITABLE) !== 0n) this.putType(mfn);
      this.putPage(mfn);
    }
  }

  /** Writes 8 bytes at machine address `at`: an entry where a page table lies there, else plain data. */
  update(at: number, value: bigint, how: 'as it is' | 'keep accessed and dirty', checks: Check[]): EntryUpdate {
    const {frames} = this.#parts;
    const mfn = Math.floor(at / 4096);
    const failed = (errno: Errno): EntryUpdate => ({errno, level: undefined, from: 0n, to: value});
    if (!this.getPage(mfn, checks)) return failed('EINVAL');
    const level = frames.levelOf(mfn);
    const index = (at & 0xfff) >> 3;
    const from = this.#read(mfn, index);
    const to = how === 'as it is' ? value : value | (from & ACCESSED_DIRTY);
    const done =
      level === undefined
        ? {errno: this.#writePlain(mfn, index, to, checks), level, from, to}
        : this.updateEntry(mfn, index, level, to, checks);
    this.putPage(mfn);
    return done;
  }

  #writePlain(mfn: number, index: number, value: bigint, checks: Check[]): Errno | undefined {
    if (!this.getType(mfn, FRAME_TYPE.writable, checks)) return 'EINVAL';
    this.#write(mfn, index, value);
    this.putType(mfn);
    return undefined;
  }

  /** New things are counted before old ones are given back: what both refer to is never free in between. */
  updateEntry(mfn: number, index: number, level: TableLevel, value: bigint, checks: Check[]): EntryUpdate {
    const from = this.#read(mfn, index);
    this.#parts.looked(1);
    const failed = (errno: Errno): EntryUpdate => ({errno, level, from, to: value});
    if (level === 4 && isXenSlot(index)) {
      const slots = `${FIRST_XEN_SLOT} to ${LAST_XEN_SLOT}`;
      checks.push(check(`the slot is none of Xen’s (${slots})`, false, [['slot', String(index)]], MM));
      return failed('EINVAL');
    }
    if (isPresent(value)) {
      const errno = this.#refer(value, level, checks);
      if (errno !== undefined) return failed(errno);
    }
    const to = isPresent(value) ? adjusted(value, level) : value;
    this.#write(mfn, index, to);
    this.#forget(from, level);
    return {errno: undefined, level, from, to};
  }

  #read(mfn: number, index: number): bigint {
    return this.#parts.memory.read(hpa(mfn * 4096 + index * 8), 8);
  }
  #write(mfn: number, index: number, value: bigint): void {
    const at = hpa(mfn * 4096 + index * 8);
    if (this.#parts.memory.read(at, 8) !== value) this.#parts.memory.write(at, 8, value);
  }
}

const isXenSlot = (index: number): boolean => index >= FIRST_XEN_SLOT && index <= LAST_XEN_SLOT;
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function lower(level: TableLevel): TableLevel {
  assert(level > 1, 'a level below this one');
  return level === 4 ? 3 : level === 3 ? 2 : 1;
}

/**
 * The guest's kernel runs in ring 3, so all that it has must be open to ring 3. What it meant for itself Xen marks, and makes the
 * rest global: programs keep their translations while the kernel is at work. Xen, xen/arch/x86/pv/mm.h, "adjust_guest_l1e".
 */
function adjusted(entry: bigint, level: TableLevel): bigint {
  if (level > 1) return entry | USER;
  const marked = (entry & (USER | GUEST_KERNEL)) === 0n ? entry | GUEST_KERNEL | USER : entry;
  return (marked & GUEST_KERNEL) !== 0n ? (marked & ~GLOBAL) | USER : marked | GLOBAL | USER;
}
