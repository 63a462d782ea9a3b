// The translation cache at a moment: the VMM's own map and code, out of the record's memory; what the code was made from, out of the
// events; and how often it ran, counted over the record's steps.

import {decode, disassemble} from '@hyperscope/isa';
import {TranslationView, namedOperand} from '@hyperscope/vmm';
import type {FragmentSeen} from '@hyperscope/vmm';
import type {
  CacheInstruction,
  FragmentRow,
  RunRecord,
  TraceEvent,
  TranslatedInstructionRow,
  TranslationContent,
} from '@hyperscope/trace';
import type {TranslationStatistics} from '../../run/translation-counts.js';
import {TranslationCounts} from '../../run/translation-counts.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

type Translation = Extract<TraceEvent, {kind: 'translation'}>;

const TECHNIQUE = 'binary-translation';
const LONGEST = 15;
/** As long as the jump that a stub may become. */
const STUB_BYTES = 5;

export function translationContent(
  {record, state, index}: LookedAt,
  history: TranslationHistory,
  asked: bigint | undefined,
): Found<TranslationContent> {
  if (record.header.technique !== TECHNIQUE)
    return nothing('Nothing is translated here: that is what binary translation does, and only it.');
  const view = new TranslationView(state.memory);
  const counts = history.upTo(index);
  const made = history.translations(index);
  const seen = view.fragments().toSorted((one, other) => one.at - other.at);
  const {cells} = state;
  const rip = cells('RIP') ?? 0n;
  // In 64-bit mode the base of CS counts for nothing.
  const next = view.offsetOf(rip) ?? view.offsetOf((cells('CS.base') ?? 0n) + rip);
  const here = (cells('CPL') ?? 0n) === 0n ? undefined : next;
  const look: Look = {view, counts, here, fragments: seen};
  const chosen =
    seen.find(({at}) => view.linearOf(at) === asked) ??
    (here === undefined ? undefined : seen.findLast(({at}) => at <= here)) ??
    seen.find(({rip}) => rip === state.guestCells()('RIP')) ??
    seen.find(({at}) => view.linearOf(at) === history.lastAt(index));
  const rowOf = (fragment: FragmentSeen): FragmentRow => fragmentRow(fragment, look, made);
  const source = chosen === undefined ? undefined : made.get(view.linearOf(chosen.at));
  return found({
    sentence: sentenceOf(seen.length, view, here),
    used: view.bytesInUse,
    capacity: view.capacity,
    emptied: view.emptied,
    fragments: seen.map(rowOf),
    block:
      chosen === undefined || source === undefined
        ? undefined
        : {...rowOf(chosen), instructions: instructionRows(chosen, source, look)},
    counters: counters(counts.statistics),
  });
}

function sentenceOf(count: number, view: TranslationView, here: number | undefined): string {
  if (count === 0) return 'Nothing has been translated yet: the cache is empty.';
  const fragments = count === 1 ? '1 fragment' : `${count} fragments`;
  const where = here === undefined ? 'The processor is not in it.' : 'The processor runs code in it.';
  return `${fragments} in ${view.bytesInUse} of ${view.capacity} bytes. ${where}`;
}

interface Look {
  readonly view: TranslationView;
  readonly counts: TranslationCounts;
  /** Where in the cache the processor is. */
  readonly here: number | undefined;
  readonly fragments: readonly FragmentSeen[];
}

function fragmentRow({rip, at, length}: FragmentSeen, {view, counts}: Look, made: Translations): FragmentRow {
  const linear = view.linearOf(at);
  const cacheBytes = made.get(linear)?.translated.length ?? 0;
  return {rip, at: linear, sourceBytes: length, cacheBytes, executions: counts.visitsAt(linear)};
}

// ── one block ───────────────────────────────────────────────────────────────────────────────────────────────────────

function instructionRows(
  fragment: FragmentSeen,
  {source, instructions, at, translated}: Translation,
  look: Look,
): readonly TranslatedInstructionRow[] {
  const end = at + BigInt(translated.length);
  return instructions.map(({rip, text, translation, why, at: start}, index) => {
    const [following] = instructions.slice(index + 1);
    const from = Number(rip - fragment.rip);
    const to = following === undefined ? source.length : Number(following.rip - fragment.rip);
    const bytes = source.slice(from, to);
    const cache = cacheInstructions(fragment, start, following?.at ?? end, look);
    return {rip, bytes, text, translation, why, cache};
  });
}

/** What stands in the cache between two addresses. Where another fragment took the place of a stub, the code falls through to it. */
function cacheInstructions(fragment: FragmentSeen, from: bigint, to: bigint, look: Look): readonly CacheInstruction[] {
  const {view, counts, here} = look;
  const rows: CacheInstruction[] = [];
  let at = view.offsetOf(from);
  const end = view.offsetOf(to - 1n) ?? 0;
  while (at !== undefined && at <= end) {
    const place = at;
    const linear = view.linearOf(place);
    const common = {at: linear, executions: counts.visitsAt(linear), isNext: here === place};
    const taken = look.fragments.find(other => other.at === place && other.at !== fragment.at);
    if (taken !== undefined) return [...rows, {...common, text: 'falls through', what: 'next', leadsTo: taken.rip}];
    const {row, length} = instructionAt(fragment, place, look);
    rows.push({...common, ...row});
    at += length;
  }
  return rows;
}

type Said = Pick<CacheInstruction, 'text' | 'what' | 'leadsTo'>;

/** A stub keeps its five bytes when it becomes a jump. */
function instructionAt(fragment: FragmentSeen, at: number, look: Look): {readonly row: Said; readonly length: number} {
  const {view} = look;
  const entry = view.entryAt(at);
  const isStub = entry?.kind === 'stub' && entry.at === at;
  const decoded = decode(view.bytes(at, LONGEST), fragment.codeSize);
  if (decoded.kind !== 'instruction')
    return {row: {text: 'no instruction', what: 'code', leadsTo: undefined}, length: 1};
  const {instruction} = decoded;
  const {length} = instruction.bytes;
  const [operand] = instruction.operands;
  const target = operand?.kind === 'relative' ? at + length + Number(operand.displacement) : undefined;
  const leadsTo = look.fragments.find(other => other.at === target)?.rip;
  const text = namedOperand(disassemble(instruction, fragment.codeSize === 64 ? view.linearOf(at) : BigInt(at)));
  if (leadsTo !== undefined) return {row: {text, what: 'jump', leadsTo}, length: isStub ? STUB_BYTES : length};
  if (isStub) return {row: {text: 'stub', what: 'stub', leadsTo: entry.guestRip}, length: STUB_BYTES};
  const kind = entry?.kind;
  return {row: {text, what: kind === 'callout' || kind === 'miss' ? kind : 'code', leadsTo: undefined}, length};
}

const counters = (counts: TranslationStatistics): TranslationContent['counters'] => [
  {
    name: 'blocks translated',
    value: counts.blocks,
    meaning: 'up to twelve instructions each, when they are first needed',
  },
  {name: 'jumps chained', value: counts.chained, meaning: 'stubs that became jumps'},
  {
    name: 'look-ups that found something',
    value: counts.lookUpHits,
    meaning: 'returns and indirect jumps, in the cache',
  },
  {name: 'look-ups that did not', value: counts.lookUpMisses, meaning: 'and called the VMM'},
  {name: 'callouts', value: counts.callouts, meaning: 'calls through the VMM’s gate'},
  {name: 'thrown away', value: counts.invalidated, meaning: 'because the code changed, or what lies at its address'},
  {name: 'made callouts', value: counts.calledOut, meaning: 'instructions that kept writing to page tables'},
  {name: 'copied again', value: counts.copiedAgain, meaning: 'when they had stopped'},
];

// ── over the record ─────────────────────────────────────────────────────────────────────────────────────────────────

type Translations = ReadonlyMap<bigint, Translation>;
const BLOCK = 1 << 17;

/** Counts up to any state: a copy every 131,072 steps, and a scan from there. One for a record. */
export class TranslationHistory {
  readonly #record: RunRecord;
  readonly #kept: TranslationCounts[] = [new TranslationCounts()];

  constructor(record: RunRecord) {
    this.#record = record;
  }

  upTo(index: number): TranslationCounts {
    const block = Math.floor(index / BLOCK);
    for (let next = this.#kept.length; next <= block; next++)
      this.#kept.push(this.#counted(this.#kept[next - 1] ?? new TranslationCounts(), (next - 1) * BLOCK, next * BLOCK));
    return this.#counted(this.#kept[block] ?? new TranslationCounts(), block * BLOCK, index);
  }

  #counted(before: TranslationCounts, from: number, to: number): TranslationCounts {
    const counts = before.copy();
    const {columns, events} = this.#record;
    let event = events.firstAt(from);
    for (let step = from; step < to; step++) {
      const executes = columns.kind(step) === 'instruction' && columns.instructionLength(step) > 0;
      if (executes && columns.who(step) === 'guest-kernel') counts.ran(columns.rip(step));
      for (const end = events.firstAt(step + 1); event < end; event++) {
        const told = events.at(event);
        if (told !== undefined && isTranslation(told)) counts.tell(told);
      }
    }
    return counts;
  }

  /** By their place in the cache: the last one there before a state. */
  translations(index: number): Translations {
    const found = new Map<bigint, Translation>();
    for (const {step, event} of this.#record.events.allOf('translation')) {
      if (step >= index) break;
      found.set(event.at, event);
    }
    return found;
  }

  /** Where the last translation before a state was put. */
  lastAt(index: number): bigint | undefined {
    return [...this.translations(index).keys()].at(-1);
  }
}

type Told = Parameters<TranslationCounts['tell']>[0];
const isTranslation = (event: TraceEvent): event is Told & TraceEvent =>
  event.kind === 'host-step' || event.kind.startsWith('translation');
