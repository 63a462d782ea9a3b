// Why an instruction of the guest went wrong on one machine: who executed it and in which ring, what it was not allowed to do
// there, and that nobody was told. All of it read from the record and from the instruction's recorded meaning.

import {FLAG_BITS, decode, exceptionAt} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import {instructionStory} from '../explain/instruction-story.js';
import {isDeprivileged} from '../record/deprivileged.js';
import {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import {GuestMemory} from '../state/guest-memory.js';
import {instructionText} from '../state/instruction-text.js';
import {codeAddress, codeSizeOf} from '../state/processor-view.js';
import type {CellSource} from '../state/processor-view.js';
import type {FoundStep} from './first-wrong-step.js';
import type {GuestView} from './guest-registers.js';
import type {WrongStep} from './lane.js';

/** Differences that the last sentence names. */
const MOST_NAMED = 3;
/** What tells most comes first. */
const TELLING = ['CPL', 'RFLAGS', 'RIP'];

/** What is known of the step that went wrong in this record; `reference` names the machine on which it goes right. */
export function whyWrong(record: RunRecord, found: FoundStep, reference: string, view: GuestView): WrongStep {
  const differences = found.differences.toSorted((a, b) => telling(a.what) - telling(b.what));
  const step = stepOf(record, found);
  const playhead = new Playhead(record);
  playhead.seek(step);
  const [guest, processor] = [copied(view(playhead), record), copied(name => playhead.cell(name), record)];
  const rip = guest('RIP') ?? record.columns.rip(step);
  const memory = new GuestMemory(record.header, playhead.bank('memory') ?? new Uint8Array(0));
  const bytes = memory.readLinear(guest, codeAddress(guest, rip), 15);
  const size = codeSizeOf(guest);
  const text = bytes === undefined ? '' : instructionText(bytes, size, rip);
  const decoded = bytes === undefined ? undefined : decode(bytes, size);
  playhead.seek(step + 1);
  const after = copied(name => playhead.cell(name), record);
  const trap = trapOf(record, step);
  const story = decoded?.kind === 'instruction' ? storyOf(decoded.instruction, trap, processor, after) : [];
  const what = text === '' ? 'the instruction' : `“${text}”`;
  return {
    at: {reference: found.reference, lane: step},
    rip,
    instruction: text,
    differences,
    sentences: [
      `The guest ran ${what} at ${hex(rip)} ${where(record, processor, guest)}${trap === undefined ? ', and it did not trap' : `, and it led to ${trap}`}.`,
      ...story,
      `Behind it the guest finds ${namedDifferences(differences, reference)}.`,
    ],
  };
}

const telling = (what: string): number => (TELLING.includes(what) ? TELLING.indexOf(what) : TELLING.length);

/** The step in which it was completed; where the processor did not, because it trapped, the one in which it began. */
function stepOf({columns}: RunRecord, {lane, laneAfter}: FoundStep): number {
  for (let step = laneAfter - 1; step > lane; step--)
    if (columns.who(step).startsWith('guest') && columns.kind(step) === 'instruction') return step;
  return lane;
}

/** What the instruction raised, if anything: with hardware for virtualization, the exit. */
function trapOf(record: RunRecord, step: number): string | undefined {
  for (const event of record.eventsOf(step)) {
    if (event.kind === 'exception') return exceptionAt(event.vector)?.name ?? `vector ${event.vector}`;
    if (event.kind === 'vm-exit') return 'a VM exit';
  }
  return undefined;
}

function where(record: RunRecord, processor: CellSource, guest: CellSource): string {
  const [real, believed] = [processor('CPL') ?? 0n, guest('CPL') ?? 0n];
  if (!isDeprivileged(record.header.technique)) return `in ring ${real}`;
  return real === believed ? `in ring ${real}` : `in ring ${real}, where it believes to be in ring ${believed}`;
}

/** An instruction that completed: what its rights were, and what Popek and Goldberg say of it. */
function storyOf(
  instruction: Instruction,
  trap: string | undefined,
  before: CellSource,
  after: CellSource,
): readonly string[] {
  if (trap !== undefined) return [];
  const {rights, verdict} = instructionStory(instruction, before, after);
  return [...rights, ...(verdict === undefined ? [] : [`It is ${verdict}.`])];
}

function namedDifferences(differences: FoundStep['differences'], reference: string): string {
  const named = differences.slice(0, MOST_NAMED).map(each => difference(each, reference));
  const more = differences.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more differ` : ''}`;
}

/** RFLAGS by the flags that differ: `IF = 1 (on bare 0)`. */
export function difference({what, reference, lane}: FoundStep['differences'][number], machine: string): string {
  if (what !== 'RFLAGS') return `${what} = ${lane} (on ${machine} ${reference})`;
  const [left, right] = [BigInt(reference), BigInt(lane)];
  const named = Object.entries(FLAG_BITS).flatMap(([flag, bit]) => {
    const at = (value: bigint): bigint => (value >> BigInt(bit)) & 1n;
    return at(left) === at(right) ? [] : [`${flag} = ${at(right)} (on ${machine} ${at(left)})`];
  });
  return named.length === 0 ? `${what} = ${lane} (on ${machine} ${reference})` : named.join(', ');
}

/** The cells as they are now: the playhead moves on. */
function copied(read: CellSource, record: RunRecord): CellSource {
  const values = new Map(record.header.cells.map(cell => [cell, read(cell)]));
  return cell => values.get(cell);
}
