// Who last wrote a byte: the step, in words, with the value before and after, so that a reader can go there.

import {hex} from '@hyperscope/base';
import {ACTOR_NAMES} from '@hyperscope/trace';
import type {MemorySpace, Playhead, WriterContent} from '@hyperscope/trace';
import {placeOf, whyNoSpace} from './memory-content.js';
import type {EntryAt} from './stale-cause.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

/** `byteAt` gives a byte of the bank 'memory' at another state. */
export function writerContent(
  {record, state, index, textOf}: LookedAt,
  space: MemorySpace,
  address: bigint,
  byteAt: (state: number, offset: number) => number | undefined,
): Found<WriterContent> {
  const why = whyNoSpace(record.header, space);
  if (why !== undefined) return nothing(why);
  const place = placeOf(state, record.header.engine, space, address);
  if (place.bank === undefined) return nothing(`There is no byte to ask about: ${place.missing ?? 'nothing is here'}.`);
  const writer = record.lastWriter('memory', place.bank, index);
  const step = writer === undefined ? undefined : record.step(writer);
  const named = `${space.toUpperCase()} ${hex(address)}`;
  const now = state.memory[place.bank];
  if (step === undefined)
    return found({
      space,
      address,
      step: undefined,
      before: undefined,
      after: now,
      sentence: `Nobody has written ${named} since the record began: it is as it was loaded, ${hex(now ?? 0, 2)}.`,
    });
  const before = byteAt(step.index, place.bank);
  const text = textOf(step.index);
  const deed = text === '' ? 'a step that is no instruction' : text;
  const change =
    before === now ? `${hex(now ?? 0, 2)}, which it held already` : `${hex(before ?? 0, 2)} became ${hex(now ?? 0, 2)}`;
  const sentence = `Step ${step.index + 1}, ${ACTOR_NAMES[step.who]}, ${deed}, wrote it: ${change}.`;
  return found({space, address, step, before, after: now, sentence});
}

/** A reader of other states that moves a playhead of its own. */
export function byteReader(head: Playhead): (state: number, offset: number) => number | undefined {
  return (state, offset) => {
    head.seek(state);
    return head.bank('memory')?.[offset];
  };
}

/** A reader of page-table entries in other states, with the same playhead. */
export function entryReader(head: Playhead): EntryAt {
  return (state, place, bytes) => {
    head.seek(state);
    const memory = head.bank('memory');
    if (memory === undefined || place + bytes > memory.length) return undefined;
    const view = new DataView(memory.buffer, memory.byteOffset + place, bytes);
    return bytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  };
}
