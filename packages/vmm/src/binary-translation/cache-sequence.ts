// What stands in the cache for one instruction of the guest's: pieces of code, each with the guest's RIP before it and with what of
// the guest's state is not in its place there. The VMM and whoever looks on can tell at each of them what the guest has.

import {callVmm, jumpIfCxIsZero} from './cache-code.js';
import type {Bytes, CodeShape} from './cache-code.js';
import {CX, LOAD, STORE, onVirtualCpu} from './cache-code.js';
import type {EntryKind} from './translated-frame.js';

/** Bytes for the cache: one instruction. */
export interface Piece {
  readonly bytes: Bytes;
  readonly rip: bigint;
  readonly kind: EntryKind;
  /** Of `FIXUP`: what holds before it. */
  readonly fixups: number;
}

export class CacheSequence {
  readonly pieces: Piece[] = [];
  readonly shape: CodeShape;
  readonly #kind: EntryKind;
  #rip: bigint;
  #fixups = 0;

  constructor(rip: bigint, kind: EntryKind, shape: CodeShape) {
    this.#rip = rip;
    this.#kind = kind;
    this.shape = shape;
  }

  /** Code, before which the state is what was said last. */
  code(bytes: Bytes, kind: EntryKind = this.#kind): this {
    this.pieces.push({bytes, rip: this.#rip, kind, fixups: this.#fixups});
    return this;
  }
  /** From here on this is not in its place. */
  now(fixups: number): this {
    this.#fixups = fixups;
    return this;
  }
  /** From here on the instruction is done. */
  done(next: bigint): this {
    this.#rip = next;
    return this;
  }
  store(register: number, offset: number): this {
    return this.code(onVirtualCpu(STORE, register, offset, this.shape));
  }
  load(register: number, offset: number): this {
    return this.code(onVirtualCpu(LOAD, register, offset, this.shape));
  }
  /** Out to the VMM unless CX is zero. */
  unlessCxIsZero(kind: 'callout' | 'miss'): this {
    const out = callVmm(this.shape);
    return this.code(jumpIfCxIsZero(out.length, this.shape)).code(out, kind);
  }
  /** Loads 8 bytes or fewer of the virtual CPU into CX. */
  loadCx(opcode: Bytes, offset: number, width?: number): this {
    return this.code(onVirtualCpu(opcode, CX, offset, this.shape, width));
  }
}
