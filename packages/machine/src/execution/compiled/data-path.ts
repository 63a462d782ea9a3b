// The quick way to memory, for accesses at which nothing can happen: the segment allows them, they lie in one page, the
// translation is known without a walk, and there is RAM behind it. Every other access is refused before anything has
// changed, and the reference tier makes it; so this file decides nothing, it only remembers what others decided.
//
// What is remembered of a page is a copy of what MMU and TLB answer now. It is forgotten when the TLB forgets (TlbFollower)
// and when `enter` is told that something else it rests on has changed.

import {hpa} from '@hyperscope/base';
import {SEGMENT_REGISTERS} from '@hyperscope/isa';
import {SEGMENT} from '../../cpu/cell-indexes.js';
import {RIGHTS_UNUSABLE, hasRealModeSegments, isCanonical} from '../../cpu/modes.js';
import type {Processor} from '../../cpu/processor.js';
import type {PhysicalMemory} from '../../mmu/physical-memory.js';
import type {TlbFollower} from '../../mmu/tlb.js';
import type {Observer} from '../../observer.js';

/** Pages remembered for reading and for writing, each: a power of two. */
const SLOTS = 256;
/** A tag that no page has: tags are multiples of 4096. */
const NO_PAGE = 1;

/** Index of a segment register here: its encoding. */
export const segmentIndex = (name: (typeof SEGMENT_REGISTERS)[number]): number => SEGMENT_REGISTERS.indexOf(name);

const wordsOf = (part: 'base' | 'limit' | 'attributes'): Int32Array =>
  Int32Array.from(SEGMENT_REGISTERS, name => 2 * SEGMENT[name][part]);
const BASE = wordsOf('base');
const LIMIT = wordsOf('limit');
const ATTRIBUTES = wordsOf('attributes');

export class DataPath implements TlbFollower {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Who is told of writes: nobody where nobody follows them. */
  observer: Observer | undefined;
  /** Set when the page that instructions come from may have been forgotten. */
  codeForgotten = true;
  readonly #cpu: Processor;
  readonly #memory: PhysicalMemory;
  readonly #words: Int32Array;
  readonly #versions: Uint32Array;
  readonly #readTags = new Int32Array(SLOTS).fill(NO_PAGE);
  readonly #readHighs = new Int32Array(SLOTS);
  readonly #readPages = new Int32Array(SLOTS);
  readonly #writeTags = new Int32Array(SLOTS).fill(NO_PAGE);
  readonly #writeHighs = new Int32Array(SLOTS);
  readonly #writePages = new Int32Array(SLOTS);
  /** Of each segment: the attributes and the limit that the last valid offsets were made from. */
  readonly #attributes = new Int32Array(SEGMENT_REGISTERS.length).fill(-1);
  readonly #limits = new Int32Array(SEGMENT_REGISTERS.length);
  /** The highest offset of a byte that may be read and written; -1 where that is not one simple comparison. */
  readonly #lastRead = new Float64Array(SEGMENT_REGISTERS.length);
  readonly #lastWrite = new Float64Array(SEGMENT_REGISTERS.length);

  constructor(cpu: Processor) {
    this.#cpu = cpu;
    this.#memory = cpu.memory;
    this.#words = cpu.registers.frame;
    this.#versions = cpu.memory.pageVersions;
    this.view = cpu.memory.view;
    this.bytes = cpu.memory.bytes;
    cpu.tlb.follower = this;
  }

  // ── what is forgotten, and when ─────────────────────────────────────────────────────────────────────────────────

  forgetAll(): void {
    this.#readTags.fill(NO_PAGE);
    this.#writeTags.fill(NO_PAGE);
    this.codeForgotten = true;
  }
  forgetPage(linearPage: number): void {
    const slot = linearPage % SLOTS;
    this.#readTags[slot] = NO_PAGE;
    this.#writeTags[slot] = NO_PAGE;
    this.codeForgotten = true;
  }
  /** Mode, privilege or the map of memory changed: nothing that was remembered holds. */
  forgetContext(): void {
    this.forgetAll();
    this.#attributes.fill(-1);
  }

  // ── outside 64-bit mode: segment and 32-bit offset ──────────────────────────────────────────────────────────────

  /** The physical address of `bytes` bytes that may be read; -1 where that takes more than a glance. */
  read(segment: number, offset: number, bytes: number): number {
    const words = this.#words;
    if (
      words[ATTRIBUTES[segment] ?? 0] !== this.#attributes[segment] ||
      words[LIMIT[segment] ?? 0] !== this.#limits[segment]
    )
      this.#learnSegment(segment);
    if ((offset >>> 0) + (bytes - 1) > (this.#lastRead[segment] ?? -1)) return -1;
    const linear = (offset + (words[BASE[segment] ?? 0] ?? 0)) | 0;
    const inPage = linear & 0xfff;
    if (inPage > 4096 - bytes) return -1;
    const slot = (linear >>> 12) & (SLOTS - 1);
    if (this.#readTags[slot] !== (linear & -4096)) return this.#learnRead(linear, 0);
    return (this.#readPages[slot] ?? 0) + inPage;
  }
  write(segment: number, offset: number, bytes: number): number {
    const words = this.#words;
    if (
      words[ATTRIBUTES[segment] ?? 0] !== this.#attributes[segment] ||
      words[LIMIT[segment] ?? 0] !== this.#limits[segment]
    )
      this.#learnSegment(segment);
    if ((offset >>> 0) + (bytes - 1) > (this.#lastWrite[segment] ?? -1)) return -1;
    const linear = (offset + (words[BASE[segment] ?? 0] ?? 0)) | 0;
    const inPage = linear & 0xfff;
    if (inPage > 4096 - bytes) return -1;
    const slot = (linear >>> 12) & (SLOTS - 1);
    if (this.#writeTags[slot] !== (linear & -4096)) return this.#learnWrite(linear, 0);
    return (this.#writePages[slot] ?? 0) + inPage;
  }

  // ── in 64-bit mode: a linear address in two halves ──────────────────────────────────────────────────────────────

  readLong(low: number, high: number, bytes: number): number {
    const inPage = low & 0xfff;
    if (inPage > 4096 - bytes) return -1;
    const slot = (low >>> 12) & (SLOTS - 1);
    if (this.#readTags[slot] !== (low & -4096) || this.#readHighs[slot] !== high) return this.#learnRead(low, high);
    return (this.#readPages[slot] ?? 0) + inPage;
  }
  writeLong(low: number, high: number, bytes: number): number {
    const inPage = low & 0xfff;
    if (inPage > 4096 - bytes) return -1;
    const slot = (low >>> 12) & (SLOTS - 1);
    if (this.#writeTags[slot] !== (low & -4096) || this.#writeHighs[slot] !== high) return this.#learnWrite(low, high);
    return (this.#writePages[slot] ?? 0) + inPage;
  }

  /** Before bytes of RAM change. */
  willWrite(physical: number, bytes: number): void {
    if (this.observer !== undefined) this.observer.willWrite('memory', physical, bytes);
    const page = physical >>> 12;
    this.#versions[page] = (this.#versions[page] ?? 0) + 1;
  }

  // ── learning ────────────────────────────────────────────────────────────────────────────────────────────────────

  #learnSegment(segment: number): void {
    const words = this.#words;
    const rights = words[ATTRIBUTES[segment] ?? 0] ?? 0;
    const limit = words[LIMIT[segment] ?? 0] ?? 0;
    this.#attributes[segment] = rights;
    this.#limits[segment] = limit;
    const isCode = (rights & 0x18) === 0x18;
    const isExpandDown = (rights & 0x1c) === 0x14;
    const isUsable = (rights & RIGHTS_UNUSABLE) === 0;
    const isTyped = !hasRealModeSegments(this.#cpu.registers);
    const last = isExpandDown ? -1 : limit >>> 0;
    const mayRead = !isTyped || (isUsable && (!isCode || (rights & 2) !== 0));
    const mayWrite = !isTyped || (isUsable && !isCode && (rights & 2) !== 0);
    this.#lastRead[segment] = mayRead ? last : -1;
    this.#lastWrite[segment] = mayWrite ? last : -1;
  }

  #learnRead(low: number, high: number): number {
    const page = this.#ramPage(low, high, 'read');
    if (page < 0) return -1;
    const slot = (low >>> 12) & (SLOTS - 1);
    this.#readTags[slot] = low & -4096;
    this.#readHighs[slot] = high;
    this.#readPages[slot] = page;
    return page + (low & 0xfff);
  }
  #learnWrite(low: number, high: number): number {
    const page = this.#ramPage(low, high, 'write');
    if (page < 0) return -1;
    const slot = (low >>> 12) & (SLOTS - 1);
    this.#writeTags[slot] = low & -4096;
    this.#writeHighs[slot] = high;
    this.#writePages[slot] = page;
    return page + (low & 0xfff);
  }

  /** The physical address of a page that is known and wholly RAM; else -1. */
  #ramPage(low: number, high: number, access: 'read' | 'write'): number {
    const linear = (BigInt(high >>> 0) << 32n) | BigInt((low & -4096) >>> 0);
    if (!isCanonical(linear)) return -1;
    const physical = this.#cpu.mmu.known(linear, access, this.#cpu.privilege);
    // Above 2 GiB a physical address would not be an int32.
    if (physical === undefined || physical > 0x7fff_f000 || !this.#memory.isRam(hpa(physical), 4096)) return -1;
    return physical;
  }
}
