// What the translator tells: a block and what it became, a jump that needs nobody any more, a translation that is good no more.

import {linearOf} from '../trap-and-emulate/vmm-layout.js';
import type {HypervisorEvent, TranslatedCode} from '../virtual-machine.js';
import type {Piece} from './cache-sequence.js';
import type {TranslatedInstruction} from './translate-instruction.js';
import type {Fragment} from './translation-cache.js';
import {CACHE} from './translation-layout.js';

/** The guest's instructions of a block, in their order. */
export type BlockCode = readonly {readonly rip: bigint; readonly text: string; readonly made: TranslatedInstruction}[];

export function translationEvent(
  fragment: Fragment,
  source: Uint8Array,
  code: BlockCode,
  pieces: readonly Piece[],
): HypervisorEvent {
  const instructions: TranslatedCode[] = [];
  const start = linearOf(CACHE + fragment.at);
  let at = start;
  for (const {rip, text, made} of code) {
    instructions.push({rip, text, translation: made.kind, at, why: made.why, lookUp: lookUpOf(made, at)});
    at += bytesOf(made.pieces);
  }
  const translated = Uint8Array.from(pieces.flatMap(({bytes}) => bytes));
  return {kind: 'translation', rip: fragment.rip, source, at: start, translated, instructions};
}

export function chainedEvent(stub: number, {rip, at}: Fragment, why: string): HypervisorEvent {
  return {kind: 'translation-chained', from: linearOf(CACHE + stub), to: linearOf(CACHE + at), rip, why};
}

/** Without a fragment: all of them. */
export function invalidatedEvent(fragment: Fragment | undefined, why: string): HypervisorEvent {
  const at = fragment === undefined ? undefined : linearOf(CACHE + fragment.at);
  return {kind: 'translation-invalidated', rip: fragment?.rip, at, why};
}

const bytesOf = (pieces: readonly Piece[]): bigint => BigInt(pieces.reduce((sum, {bytes}) => sum + bytes.length, 0));

/** Where it goes on when the look-up found something, and where when not. */
function lookUpOf({pieces}: TranslatedInstruction, at: bigint): TranslatedCode['lookUp'] {
  const miss = pieces.findIndex(({kind}) => kind === 'miss');
  if (miss < 0) return undefined;
  return {hit: at + bytesOf(pieces.slice(0, -1)), miss: at + bytesOf(pieces.slice(0, miss))};
}
