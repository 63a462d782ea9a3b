// The translation cache: fragments of x86 code, found by the guest's address, and the map from each of their instructions back.
// All of it lies in the VMM's window. It only grows; when it is full it is emptied, as in Adams and Agesen 2006, section 3.2.

import type {Machine} from '@hyperscope/machine';
import {inWindow} from '../trap-and-emulate/vmm-layout.js';
import {ENTRY_KINDS, mapEntryAt} from './translated-frame.js';
import type {MapEntry} from './translated-frame.js';
import {little} from './cache-code.js';
import type {Piece} from './cache-sequence.js';
import {STUB, STUB_OPCODE} from './translate-instruction.js';
import {
  CACHE,
  CACHE_BYTES,
  FLUSHES,
  FRAGMENTS,
  FRAGMENT_BYTES,
  FRAGMENT_COUNT,
  HASH,
  HASH_CHAINS,
  HEADER,
  IN_USE,
  MAP,
  MAP_COUNT,
  MAP_ENTRY_BYTES,
  MOST_FRAGMENTS,
  MOST_MAP_ENTRIES,
  TRACKED,
  TRACKED_BYTES,
} from './translation-layout.js';

/** What a fragment is found by: the guest's address and everything that its translation took for granted. */
export interface FragmentKey {
  readonly rip: bigint;
  readonly linear: bigint;
  /** Code size, ring, IOPL, limit, in one number. */
  readonly context: bigint;
}
export interface Fragment extends FragmentKey {
  readonly index: number;
  /** Offset in the cache. */
  readonly at: number;
  /** Bytes of the guest's code, and the guest-physical addresses of the first and the last of them. */
  readonly length: number;
  readonly first: number;
  readonly last: number;
}
/** The code size is the lowest byte of the context. */
export const codeSizeOf = ({context}: FragmentKey): number => Number(context & 0xffn);

/** Room that one block may need: 12 instructions, the longest sequences with stubs. */
const MOST_BLOCK_BYTES = 2048;
const MOST_BLOCK_ENTRIES = 256;
const PAGE = 4096;
/** Jcc rel8 with the distance of a stub, as a word; the condition is in the low four bits. */
const OVER_STUB = (STUB.length << 8) | 0x70;
const OPERAND_SIZE = 0x66;
/** A CS override, which Jcc ignores. */
const NO_EFFECT = 0x2e;

export class TranslationCache {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  read(offset: number, bytes: number): bigint {
    return this.#machine.memory.read(inWindow(offset), bytes);
  }
  #number(offset: number): number {
    return Number(this.read(offset, 4));
  }
  write(offset: number, bytes: number, value: bigint): void {
    this.#machine.memory.write(inWindow(offset), bytes, value);
  }
  #writeCode(at: number, bytes: readonly number[]): void {
    this.#machine.memory.load(inWindow(CACHE + at), Uint8Array.from(bytes));
  }
  get bytesInUse(): number {
    return this.#number(HEADER + IN_USE);
  }
  get flushes(): number {
    return this.#number(HEADER + FLUSHES);
  }
  entryAt(offset: number): MapEntry | undefined {
    return mapEntryAt((at, bytes) => this.read(at, bytes), offset);
  }

  // ── fragments ───────────────────────────────────────────────────────────────────────────────────────────────────
  fragment(index: number): Fragment {
    const at = FRAGMENTS + index * FRAGMENT_BYTES;
    return {
      index,
      rip: this.read(at, 8),
      linear: this.read(at + 8, 8),
      context: this.read(at + 16, 8),
      at: this.#number(at + 24),
      length: this.#number(at + 28),
      first: Number(this.read(at + 40, 8)),
      last: Number(this.read(at + 48, 8)),
    };
  }
  #isLive(index: number): boolean {
    return this.#number(FRAGMENTS + index * FRAGMENT_BYTES + 36) === 1;
  }
  fragments(): readonly Fragment[] {
    const count = this.#number(HEADER + FRAGMENT_COUNT);
    const found: Fragment[] = [];
    for (let index = 0; index < count; index++) if (this.#isLive(index)) found.push(this.fragment(index));
    return found;
  }

  find(key: FragmentKey): Fragment | undefined {
    let next = this.#number(this.#chainOf(key.rip));
    while (next !== 0) {
      const fragment = this.fragment(next - 1);
      const isIt = fragment.rip === key.rip && fragment.linear === key.linear && fragment.context === key.context;
      if (isIt && this.#isLive(next - 1)) return fragment;
      next = this.#number(FRAGMENTS + (next - 1) * FRAGMENT_BYTES + 32);
    }
    return undefined;
  }
  #chainOf(rip: bigint): number {
    return HASH + 4 * (Number(rip & 0xffff_ffffn) % HASH_CHAINS);
  }

  /** Empties the cache where a block might not fit any more; says whether it did. */
  makeRoom(): boolean {
    const fits =
      this.bytesInUse + MOST_BLOCK_BYTES <= CACHE_BYTES &&
      this.#number(HEADER + FRAGMENT_COUNT) < MOST_FRAGMENTS &&
      this.#number(HEADER + MAP_COUNT) + MOST_BLOCK_ENTRIES <= MOST_MAP_ENTRIES;
    if (!fits) this.empty();
    return !fits;
  }
  empty(): void {
    const flushes = this.flushes;
    for (let offset = HEADER; offset < HASH + 4 * HASH_CHAINS; offset += 8) this.#clear(offset);
    for (let offset = TRACKED; offset < TRACKED + TRACKED_BYTES; offset += 8) this.#clear(offset);
    this.write(HEADER + FLUSHES, 4, BigInt(flushes + 1));
  }
  #clear(offset: number): void {
    if (this.read(offset, 8) !== 0n) this.write(offset, 8, 0n);
  }

  /** Puts a block into the cache, `at` an offset that is the end of what is in use, or a stub before it. */
  add(at: number, source: Omit<Fragment, 'index' | 'at'>, pieces: readonly Piece[]): Fragment {
    let end = at;
    for (const piece of pieces) {
      this.#addMapEntry(end, piece);
      this.#writeCode(end, piece.bytes);
      end += piece.bytes.length;
    }
    this.write(HEADER + IN_USE, 4, BigInt(Math.max(end, at + STUB.length)));
    const index = this.#number(HEADER + FRAGMENT_COUNT);
    this.write(HEADER + FRAGMENT_COUNT, 4, BigInt(index + 1));
    const record = FRAGMENTS + index * FRAGMENT_BYTES;
    const chain = this.#chainOf(source.rip);
    this.write(record, 8, source.rip);
    this.write(record + 8, 8, source.linear);
    this.write(record + 16, 8, source.context);
    this.write(record + 24, 4, BigInt(at));
    this.write(record + 28, 4, BigInt(source.length));
    this.write(record + 32, 4, this.read(chain, 4));
    this.write(record + 36, 4, 1n);
    this.write(record + 40, 8, BigInt(source.first));
    this.write(record + 48, 8, BigInt(source.last));
    this.write(chain, 4, BigInt(index + 1));
    return this.fragment(index);
  }
  #addMapEntry(at: number, {rip, kind, fixups}: Piece): void {
    const count = this.#number(HEADER + MAP_COUNT);
    const place = MAP + count * MAP_ENTRY_BYTES;
    this.write(place, 8, rip);
    this.write(place + 8, 4, BigInt(at));
    this.write(place + 12, 4, BigInt(ENTRY_KINDS.indexOf(kind) | (fixups << 8)));
    this.write(HEADER + MAP_COUNT, 4, BigInt(count + 1));
  }

  // ── chaining ────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Makes a jump of a stub, and of a conditional jump over it a conditional jump. */
  patch(stub: number, target: number, codeSize: number): void {
    const condition = this.#number(CACHE + stub - 2) & 0xffff;
    if (this.entryAt(stub - 1)?.kind === 'control' && (condition & 0xfff0) === OVER_STUB) {
      // The inverted jump over the stub and the stub itself have seven bytes: a near Jcc with a prefix that makes it as long.
      const distance = BigInt(target - (stub + STUB.length));
      const opcode = [codeSize === 16 ? OPERAND_SIZE : NO_EFFECT, 0x0f, 0x80 | ((condition & 15) ^ 1)];
      this.#writeCode(stub - 2, [...opcode, ...little(distance, 4)]);
      return;
    }
    const bytes = codeSize === 16 ? 2 : 4;
    const distance = BigInt(target - (stub + 1 + bytes));
    this.#writeCode(stub, [0xe9, ...little(distance, bytes)]);
  }
  /** A fragment is found no more, and who still jumps there comes to a stub. */
  invalidate({index, at}: Fragment): void {
    this.write(FRAGMENTS + index * FRAGMENT_BYTES + 36, 4, 0n);
    this.#writeCode(at, [STUB_OPCODE]);
    const entry = this.entryAt(at);
    if (entry !== undefined)
      this.write(MAP + entry.index * MAP_ENTRY_BYTES + 12, 1, BigInt(ENTRY_KINDS.indexOf('stub')));
  }

  // ── tracked pages ───────────────────────────────────────────────────────────────────────────────────────────────
  isTracked(gfn: number): boolean {
    const byte = gfn >> 3;
    return byte < TRACKED_BYTES && (this.read(TRACKED + byte, 1) & (1n << BigInt(gfn & 7))) !== 0n;
  }
  /** Says whether the page was not tracked before. */
  track(gfn: number): boolean {
    if (this.isTracked(gfn)) return false;
    const at = TRACKED + (gfn >> 3);
    this.write(at, 1, this.read(at, 1) | (1n << BigInt(gfn & 7)));
    return true;
  }
  /** The fragments that have an instruction at a linear address of the guest's among theirs. */
  containing(linear: bigint): readonly Fragment[] {
    return this.fragments().filter(fragment => {
      const offset = linear - fragment.linear;
      return offset >= 0n && offset < BigInt(fragment.length);
    });
  }
  /** The fragments of which bytes lie in a stretch of guest-physical memory. */
  madeFrom(gpa: number, bytes: number): readonly Fragment[] {
    const [from, to] = [Math.floor(gpa / PAGE), Math.floor((gpa + bytes - 1) / PAGE)];
    if (!this.isTracked(from) && !this.isTracked(to)) return [];
    const overlaps = (start: number, end: number): boolean => start < gpa + bytes && gpa < end;
    return this.fragments().filter(({first, last, length}) => {
      if (last === first + length - 1) return overlaps(first, last + 1);
      const inFirst = PAGE - (first % PAGE);
      return overlaps(first, first + inFirst) || overlaps(last + 1 - (length - inFirst), last + 1);
    });
  }
}
