// The translation cache as a record holds it: the fragments that are found in it, and for each of its instructions what the map says.
// For whoever looks at a state; it writes nothing.

import {CELLS, cellIndex} from '@hyperscope/isa';
import {slotOffset} from '../trap-and-emulate/virtual-cpu.js';
import {VIRTUAL_CPU, VMM_PHYSICAL, linearOf} from '../trap-and-emulate/vmm-layout.js';
import type {WindowReader} from '../trap-and-emulate/guest-exit.js';
import {cacheOffset, mapEntryAt} from './translated-frame.js';
import type {MapEntry} from './translated-frame.js';
import {
  CACHE,
  CACHE_BYTES,
  CR8_TABLE,
  FLAGS_BYTE,
  FLAGS_IMAGE,
  FLUSHES,
  FRAGMENTS,
  FRAGMENT_BYTES,
  FRAGMENT_COUNT,
  GATE_POINTER,
  HEADER,
  IN_USE,
  JUMP,
  LOOKUP_TAGS,
  LOOKUP_TARGETS,
  MOST_FRAGMENTS,
  POPF_TABLE,
  PUSHF_TABLE,
  SAVED_AX,
  SAVED_CX,
  TARGET,
} from './translation-layout.js';

/** What code of the cache has its operands in, by their offset from the virtual CPU. */
const PLACES: ReadonlyMap<number, string> = new Map<number, string>([
  ...CELLS.map((cell, index) => [8 * index, `the guest’s ${cell}`] as const),
  [8 * cellIndex('RFLAGS') + 1, 'the guest’s RFLAGS 15:8'],
  [slotOffset('interrupt_noted'), 'an interrupt waits'],
  [SAVED_CX - VIRTUAL_CPU, 'saved CX'],
  [SAVED_AX - VIRTUAL_CPU, 'saved AX'],
  [TARGET - VIRTUAL_CPU, 'target'],
  [JUMP - VIRTUAL_CPU, 'fragment'],
  [FLAGS_BYTE - VIRTUAL_CPU, 'flags 15:8'],
  [FLAGS_IMAGE - VIRTUAL_CPU, 'flags'],
  [GATE_POINTER - VIRTUAL_CPU, 'the VMM’s gate'],
  [LOOKUP_TAGS - VIRTUAL_CPU, 'look-up tags'],
  [LOOKUP_TARGETS - VIRTUAL_CPU, 'look-up fragments'],
  [PUSHF_TABLE - VIRTUAL_CPU, 'table for PUSHF'],
  [POPF_TABLE - VIRTUAL_CPU, 'table for POPF'],
  [CR8_TABLE - VIRTUAL_CPU, 'table for CR8'],
]);
/** [dword 0xffe08e00], [gs:0xe00]; with an index [eax*8-0x1f7000], [gs:eax*8+0x1000]. */
const OPERAND = /\[(?:dword )?(gs:)?(e[ac]x\*8)?([+-])?0x([0-9a-f]+)\]/u;

/** The text of an instruction of the cache, with a name in the place of an address of the VMM's. */
export function namedOperand(text: string): string {
  return text.replace(OPERAND, (whole, gs: string | undefined, index: string | undefined, sign, digits: string) => {
    const value = BigInt.asUintN(32, sign === '-' ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`));
    const offset = gs === undefined ? value - linearOf(VIRTUAL_CPU) : value;
    const name = PLACES.get(Number(offset));
    if (name === undefined) return whole;
    return `[${index === undefined ? '' : `${index} + `}${name}]`;
  });
}

export interface FragmentSeen {
  readonly rip: bigint;
  /** Offset in the cache. */
  readonly at: number;
  readonly codeSize: 16 | 32 | 64;
  /** Bytes of the guest's code. */
  readonly length: number;
}

export class TranslationView {
  readonly #window: WindowReader;
  readonly #memory: Uint8Array;

  /** `memory`: the host's. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
    this.#window = (offset, bytes) => {
      let value = 0n;
      for (let index = bytes - 1; index >= 0; index--)
        value = (value << 8n) | BigInt(memory[VMM_PHYSICAL + offset + index] ?? 0);
      return value;
    };
  }

  get bytesInUse(): number {
    return this.#number(HEADER + IN_USE);
  }
  get capacity(): number {
    return CACHE_BYTES;
  }
  get emptied(): number {
    return this.#number(HEADER + FLUSHES);
  }
  #number(offset: number): number {
    return Number(this.#window(offset, 4));
  }

  /** Those that the VMM would find, in the order in which they were made. */
  fragments(): readonly FragmentSeen[] {
    const found: FragmentSeen[] = [];
    const count = Math.min(this.#number(HEADER + FRAGMENT_COUNT), MOST_FRAGMENTS);
    for (let index = 0; index < count; index++) {
      const place = FRAGMENTS + index * FRAGMENT_BYTES;
      if (this.#number(place + 36) !== 1) continue;
      const size = Number(this.#window(place + 16, 1));
      const codeSize = size === 64 ? 64 : size === 32 ? 32 : 16;
      const [at, length] = [this.#number(place + 24), this.#number(place + 28)];
      found.push({rip: this.#window(place, 8), at, codeSize, length});
    }
    return found;
  }

  /** What the map says of an offset in the cache. */
  entryAt(offset: number): MapEntry | undefined {
    return mapEntryAt(this.#window, offset);
  }

  bytes(at: number, length: number): Uint8Array {
    const start = VMM_PHYSICAL + CACHE + at;
    return this.#memory.subarray(start, start + length);
  }

  /** The offset in the cache of a linear address; undefined outside. */
  offsetOf(linear: bigint): number | undefined {
    const offset = linear - linearOf(CACHE);
    return offset < 0n || offset >= BigInt(CACHE_BYTES) ? undefined : cacheOffset(linear);
  }
  linearOf(at: number): bigint {
    return linearOf(CACHE + at);
  }
}
