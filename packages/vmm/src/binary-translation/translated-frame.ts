// From an address in the translation cache back to the guest's: what makes exceptions precise. Each instruction of the cache has
// an entry in the map, in the order of their addresses, with the RIP that the guest has when the processor is there, and with
// what of the guest's state does not lie where it would: a register put aside, an address that is still being looked up.

import type {GeneralRegister} from '@hyperscope/isa';
import type {GuestFrame, WindowReader} from '../trap-and-emulate/guest-exit.js';
import type {VirtualCpu} from '../trap-and-emulate/virtual-cpu.js';
import {
  CACHE_BYTES,
  FLAGS_BYTE,
  HEADER,
  MAP,
  MAP_COUNT,
  MAP_ENTRY_BYTES,
  SAVED_AX,
  SAVED_CX,
  TARGET,
} from './translation-layout.js';

/** What an instruction of the cache is there for. `miss`: out to the VMM, from a look-up that found nothing. */
export const ENTRY_KINDS = ['ident', 'in-cache', 'callout', 'control', 'stub', 'miss'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Where the guest's state is, before an instruction of the cache is executed, when it is not where it would be. */
export const FIXUP = {
  /** RCX is in the scratch area. */
  cx: 1,
  ax: 2,
  /** RIP is in the scratch area: the address that was looked up. */
  target: 4,
  /** The virtual IF is in the scratch area: POPF is done, but for the virtual CPU. */
  flags: 8,
  /** Interrupts are held back for this instruction: the one before was STI. */
  shadow: 16,
  /** The stack pointer is 2, 4 or 8 bytes too low: what lies there is on its way to be the image of RFLAGS. */
  pushed2: 32,
  pushed4: 64,
  pushed8: 96,
} as const;
const PUSHED_SHIFT = 5;

export interface MapEntry {
  readonly index: number;
  /** Offset in the cache. */
  readonly at: number;
  readonly guestRip: bigint;
  readonly kind: EntryKind;
  /** Of `FIXUP`, or-ed. */
  readonly fixups: number;
}

/** The offset in the cache of an address there: of RIP in 64-bit mode, of EIP or IP in a segment that starts with the cache. */
export const cacheOffset = (rip: bigint): number => Number(rip & BigInt(CACHE_BYTES - 1));

/** The entry of the instruction at an offset in the cache, or that of the last one before it. */
export function mapEntryAt(window: WindowReader, offset: number): MapEntry | undefined {
  let [low, high] = [0, Number(window(HEADER + MAP_COUNT, 4))];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(window(MAP + middle * MAP_ENTRY_BYTES + 8, 4)) <= offset) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const index = low - 1;
  const place = MAP + index * MAP_ENTRY_BYTES;
  const kind = ENTRY_KINDS[Number(window(place + 12, 1))] ?? 'ident';
  const fixups = Number(window(place + 13, 1));
  return {index, at: Number(window(place + 8, 4)), guestRip: window(place, 8), kind, fixups};
}

/** The entry of the instruction that a frame was made at: a call through the gate lies before the address that it pushed. */
export function entryOfFrame({rip, by}: GuestFrame, window: WindowReader): MapEntry | undefined {
  return mapEntryAt(window, cacheOffset(by === 'call gate' ? rip - 1n : rip));
}

const EFER_LMA = 0x400n;
const STACK_IS_32 = 0x4000n;

/** The same frame with the guest's own state, where the processor ran translated code. */
export function translatedFrame(frame: GuestFrame, window: WindowReader, vcpu: VirtualCpu): GuestFrame {
  if (vcpu.slot('translated') === 0) return frame;
  const entry = entryOfFrame(frame, window);
  if (entry === undefined) return frame;
  const {fixups, guestRip} = entry;
  if (fixups === 0) return {...frame, rip: guestRip};
  const has = (fixup: number): boolean => (fixups & fixup) !== 0;
  const bytes = (vcpu.get('EFER') & EFER_LMA) === 0n ? 4 : 8;
  const putAside = new Map<GeneralRegister, bigint>();
  if (has(FIXUP.cx)) putAside.set('RCX', window(SAVED_CX, bytes));
  if (has(FIXUP.ax)) putAside.set('RAX', window(SAVED_AX, bytes));
  return {
    ...frame,
    rip: has(FIXUP.target) ? window(TARGET, bytes) : guestRip,
    rsp: withoutPush(frame.rsp, fixups >> PUSHED_SHIFT, vcpu),
    putAside,
    flagsByte: has(FIXUP.flags) ? window(FLAGS_BYTE, 1) : undefined,
    holdsInterrupts: has(FIXUP.shadow),
  };
}

/**
 * For the sentence on a way out of the cache: what a sequence that stands for one instruction had put aside when it was left in its
 * middle; '' between two instructions of the guest.
 */
export function sequenceWords(frame: GuestFrame, guest: GuestFrame): string {
  const aside: string[] = [...(guest.putAside?.keys() ?? [])];
  if (guest.rsp !== frame.rsp) aside.push('RSP');
  if (guest.flagsByte !== undefined) aside.push('the virtual IF');
  if (aside.length === 0) return '';
  return `; that is in the middle of a sequence of the cache which stands for one instruction, and what it had put aside is the guest’s again: ${aside.join(', ')}`;
}

/** In 16-bit stacks only SP moves. */
function withoutPush(rsp: bigint, code: number, vcpu: VirtualCpu): bigint {
  if (code === 0) return rsp;
  const up = rsp + (1n << BigInt(code));
  if ((vcpu.get('EFER') & EFER_LMA) !== 0n) return BigInt.asUintN(64, up);
  return (vcpu.get('SS.attributes') & STACK_IS_32) === 0n
    ? (rsp & ~0xffffn) | BigInt.asUintN(16, up)
    : BigInt.asUintN(32, up);
}
