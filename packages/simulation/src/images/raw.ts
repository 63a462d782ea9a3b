// A flat binary at an address, in the mode that the caller names; also how shipped guests are loaded.
//
//   real       CS = 0 and IP = the address, when the address is below 64 KiB: plain addresses, as DS = ES = SS = 0.
//              From 64 KiB on: CS.base = the address, CS.selector = address / 16, IP = 0.
//   protected  32-bit, flat; paged32: the same with 4 MiB pages; long: 64-bit with identity page tables.
//   xen        a kernel that is ported to Xen: its domain builder makes all but the image and the first instruction's address.
//
// The stack lies below the loader's tables, or below the image in real mode. `set` overrides any register.

import {UserError, hex} from '@hyperscope/base';
import type {RegisterValues} from '@hyperscope/vmm';
import {loaderTables} from './descriptor-tables.js';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {overlaps, placed} from './place.js';
import {longModeState, paged32State, protectedModeState, realModeState} from './processor-state.js';

export const RAW_MODES = ['real', 'protected', 'paged32', 'long', 'xen'] as const;
export type RawMode = (typeof RAW_MODES)[number];

export interface RawOptions extends ImageOptions {
  /** Guest-physical address of the first byte. */
  readonly at: number;
  readonly mode: RawMode;
  readonly set: RegisterValues;
}

/** Loads a flat binary. UserErrors: image-empty, image-too-large. */
export function loadRaw(bytes: Uint8Array, options: RawOptions): LoadedImage {
  const {at, memoryBytes, name} = options;
  if (bytes.length === 0) throw new UserError('image-empty', `${name} is empty: there is nothing to run.`);
  const program = placed(at, bytes, memoryBytes, name);
  if (options.mode === 'real') {
    return {
      kind: 'raw',
      loadAddress: at,
      image: {memoryBytes, segments: [program], registers: {...realStart(at), ...options.set}},
    };
  }
  if (options.mode === 'xen') {
    const registers = {RIP: BigInt(at), ...options.set};
    return {kind: 'raw', loadAddress: at, image: {startedBy: 'xen', memoryBytes, segments: [program], registers}};
  }
  const tables = loaderTables(options.mode, memoryBytes, name);
  if (tables.segments.some(segment => overlaps(segment, program))) {
    throw new UserError(
      'image-too-large',
      `${name} reaches into the loader’s tables at ${hex(tables.bottom)}. Give the machine more memory with --memory.`,
    );
  }
  const entry = BigInt(at);
  const stack = BigInt(tables.bottom);
  const state =
    options.mode === 'protected'
      ? protectedModeState(entry, stack, tables.addresses)
      : options.mode === 'paged32'
        ? paged32State(entry, stack, tables.addresses, tables.root)
        : longModeState(entry, stack, tables.addresses, tables.root);
  return {
    kind: 'raw',
    loadAddress: at,
    image: {memoryBytes, segments: [...tables.segments, program], registers: {...state, ...options.set}},
  };
}

function realStart(at: number): RegisterValues {
  return at < 0x1_0000
    ? realModeState({codeSelector: 0, codeBase: 0, ip: at, sp: at >= 0x1000 ? at & ~1 : 0xfffe})
    : realModeState({codeSelector: (at >>> 4) & 0xffff, codeBase: at, ip: 0, sp: 0xfffe});
}
