// The frame table: for each frame of machine memory whose it is, how often it is referred to, what it is used as and how often.
// A frame has one type at a time, and keeps it while anything uses it as that. Xen, xen/arch/x86/include/asm/mm.h, "struct page_info".
//
//   0  count_info   31:0 references · 47:32 owner (0 Xen, else domain + 1)
//   8  type_info    63:61 type · 59 pinned · 58 validated · 55:0 uses as this type

import {assert, hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {FRAME_TABLE} from './xen-layout.js';

/** PGT_*. A frame that is used as none of them can become any. */
export const FRAME_TYPE = {none: 0, l1: 1, l2: 2, l3: 3, l4: 4, writable: 7} as const;
export type FrameType = (typeof FRAME_TYPE)[keyof typeof FRAME_TYPE];
/** Page tables, by their level. */
export type TableLevel = 1 | 2 | 3 | 4;

const ENTRY_BYTES = 16;
const PINNED = 1n << 59n;
const VALIDATED = 1n << 58n;
const USES = (1n << 56n) - 1n;
const REFERENCES = 0xffff_ffffn;
const XEN = 0n;

export interface FrameInfo {
  readonly references: number;
  readonly type: FrameType;
  readonly uses: number;
  readonly isPinned: boolean;
  readonly isValidated: boolean;
}

export class FrameTable {
  readonly #memory: PhysicalMemory;
  /** Frames that there are. */
  readonly frames: number;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    this.frames = memory.size / 4096;
  }

  has(mfn: number): boolean {
    return mfn >= 0 && mfn < this.frames;
  }
  /** The domain that a frame belongs to; undefined for Xen's own. */
  ownerOf(mfn: number): number | undefined {
    const owner = (this.#counts(mfn) >> 32n) & 0xffffn;
    return owner === XEN ? undefined : Number(owner) - 1;
  }
  /** Gives a frame to a domain, which refers to it once by having it. */
  assign(mfn: number, domain: number): void {
    this.#setCounts(mfn, (BigInt(domain + 1) << 32n) | 1n);
  }

  info(mfn: number): FrameInfo {
    const raw = this.#types(mfn);
    return {
      references: Number(this.#counts(mfn) & REFERENCES),
      type: typeOf(raw),
      uses: Number(raw & USES),
      isPinned: (raw & PINNED) !== 0n,
      isValidated: (raw & VALIDATED) !== 0n,
    };
  }
  levelOf(mfn: number): TableLevel | undefined {
    const {type, uses} = this.info(mfn);
    return uses === 0 || type === FRAME_TYPE.none || type === FRAME_TYPE.writable ? undefined : type;
  }

  addReference(mfn: number): void {
    this.#setCounts(mfn, this.#counts(mfn) + 1n);
  }
  dropReference(mfn: number): void {
    assert((this.#counts(mfn) & REFERENCES) > 0n, `frame ${mfn.toString(16)} is referred to`);
    this.#setCounts(mfn, this.#counts(mfn) - 1n);
  }
  /** Makes an unused frame one of `type`, used once; not validated. */
  setType(mfn: number, type: FrameType): void {
    assert((this.#types(mfn) & USES) === 0n, 'a frame changes its type while nobody uses it');
    this.#setTypes(mfn, (BigInt(type) << 61n) | 1n);
  }
  addUse(mfn: number): void {
    this.#setTypes(mfn, this.#types(mfn) + 1n);
  }
  dropUse(mfn: number): void {
    assert((this.#types(mfn) & USES) > 0n, `frame ${mfn.toString(16)} is used as what it is`);
    this.#setTypes(mfn, this.#types(mfn) - 1n);
  }
  setValidated(mfn: number, state: 'validated' | 'not validated'): void {
    const others = this.#types(mfn) & ~VALIDATED;
    this.#setTypes(mfn, state === 'validated' ? others | VALIDATED : others);
  }
  setPinned(mfn: number, state: 'pinned' | 'not pinned'): void {
    const others = this.#types(mfn) & ~PINNED;
    this.#setTypes(mfn, state === 'pinned' ? others | PINNED : others);
  }

  #counts(mfn: number): bigint {
    return this.#memory.read(this.#place(mfn), 8);
  }
  #setCounts(mfn: number, value: bigint): void {
    this.#memory.write(this.#place(mfn), 8, value);
  }
  #types(mfn: number): bigint {
    return this.#memory.read(hpa(this.#place(mfn) + 8), 8);
  }
  #setTypes(mfn: number, value: bigint): void {
    this.#memory.write(hpa(this.#place(mfn) + 8), 8, value);
  }
  #place(mfn: number): ReturnType<typeof hpa> {
    assert(this.has(mfn), 'a frame of this machine');
    return hpa(FRAME_TABLE + mfn * ENTRY_BYTES);
  }
}

function typeOf(raw: bigint): FrameType {
  switch (Number(raw >> 61n)) {
    case 1:
      return FRAME_TYPE.l1;
    case 2:
      return FRAME_TYPE.l2;
    case 3:
      return FRAME_TYPE.l3;
    case 4:
      return FRAME_TYPE.l4;
    case 7:
      return FRAME_TYPE.writable;
    default:
      return FRAME_TYPE.none;
  }
}

/** 'an L1 page table' */
export function frameTypeWords(type: FrameType): string {
  if (type === FRAME_TYPE.none) return 'nothing in particular';
  return type === FRAME_TYPE.writable ? 'a writable page' : `an L${type} page table`;
}
