// One guest on several machines: each beside the first, by what the guest prints, how it ends, and what it finds on the way.

import {align} from './align.js';
import type {Blindly, Pair} from './align.js';
import {compareRecords} from './compare-records.js';
import type {Comparison} from './comparison.js';
import {DifferenceFinder} from './difference-finder.js';
import {firstWrongStep} from './first-wrong-step.js';
import type {SideBySide} from './first-wrong-step.js';
import {guestInstructions} from './guest-progress.js';
import type {GuestInstruction} from './guest-progress.js';
import {PROCESSOR_VIEW} from './guest-registers.js';
import type {GuestView} from './guest-registers.js';
import {laneExits} from './lane-exits.js';
import type {Lane, LaneComparison, LaneVerdict, WrongStep} from './lane.js';
import {printedText, visibleEvents} from './visible-events.js';
import type {VisibleEvent} from './visible-events.js';
import {difference, whyWrong} from './why-wrong.js';
import {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';

/** Records of one guest, the reference first: `bare`, where it is among them, is what the others are to be like. */
export type Lineup = readonly [reference: RunRecord, ...others: RunRecord[]];

/**
 * Compares each record with the first. `view` knows the guest's registers under a hypervisor, as for `compareRecords`. Takes
 * about a second for each hundred thousand steps of a lane.
 */
export const compareLanes = (records: Lineup, view: GuestView = PROCESSOR_VIEW): LaneComparison => ({
  guest: records[0].header.guest,
  lanes: [...laneByLane(records, view)],
});

/**
 * The same, a lane at a time: for whoever shows how far it is, or may have to stop. `records`, the reference first, is asked for
 * the next record when the next lane is: a run can be made while those before it are looked at.
 */
export function* laneByLane(records: Iterable<RunRecord>, view: GuestView = PROCESSOR_VIEW): Generator<Lane> {
  let reference: Listed | undefined;
  for (const record of records) {
    if (reference !== undefined) {
      yield lane(reference, record, view);
      continue;
    }
    reference = {record, instructions: guestInstructions(record, view)};
    yield referenceLane(reference, view);
  }
}

function referenceLane(listed: Listed, view: GuestView): Lane {
  const {record, instructions} = listed;
  return {
    ...facts(listed, view),
    verdict: 'reference',
    sentence: 'What the others are compared with.',
    states: Int32Array.from([...instructions.map(({step}) => step), record.length]),
    ...NOTHING_WRONG,
  };
}

const NOTHING_WRONG = {wrongStep: undefined, comparison: undefined} as const;

interface Listed {
  readonly record: RunRecord;
  readonly instructions: readonly GuestInstruction[];
}

function lane(reference: Listed, record: RunRecord, view: GuestView): Lane {
  const listed = {record, instructions: guestInstructions(record, view)};
  const comparison = compareRecords(reference.record, record, view);
  const sides = {
    reference: reference.instructions,
    lane: listed.instructions,
    isTranslated: record.header.technique === 'binary-translation',
  };
  const verdict = verdictOf(comparison);
  const wrongStep = verdict === 'right' ? undefined : findWrongStep(reference.record, record, sides, view);
  return {
    ...facts(listed, view),
    verdict,
    sentence: sentenceOf(verdict, comparison, wrongStep),
    wrongStep,
    comparison,
    states: statesBeside(reference, listed, alignRuns(reference, listed)),
  };
}

function facts({record, instructions}: Listed, view: GuestView) {
  const isReal = record.header.engine === 'kvm';
  const exits = laneExits(record, view);
  const {header} = record;
  return {
    name: isReal ? `real KVM (${header.host?.flavour ?? 'unknown'})` : `${header.technique}, simulated`,
    header,
    steps: record.length,
    outcome: record.outcome,
    serial: printedText(visibleEvents(record)),
    instructions: isReal && instructions.length === 0 ? undefined : instructions.length,
    cycles: isReal ? undefined : record.endCycle,
    exits,
    exitCount: exits.reduce((sum, {count}) => sum + count, 0),
  };
}

// ── right or wrong ────────────────────────────────────────────────────────────────────────────────────────────────────

function verdictOf(comparison: Comparison): LaneVerdict {
  const {a, b} = comparison;
  if (a.serial !== b.serial || !endsAlike(comparison)) return 'wrong';
  return comparison.unexplained === 0 ? 'right' : 'state-differs';
}

/** Two simulated runs tell their end in the same words; what real KVM saw last is laid beside it. */
function endsAlike({a, b, events}: Comparison): boolean {
  if (a.outcome === undefined || b.outcome === undefined) return a.outcome === b.outcome;
  const areSimulated = [a, b].every(({header}) => header.engine === 'simulated');
  const last = events.at(-1);
  return areSimulated ? a.outcome === b.outcome : last?.a !== undefined && last.b !== undefined;
}

function findWrongStep(
  reference: RunRecord,
  record: RunRecord,
  sides: SideBySide,
  view: GuestView,
): WrongStep | undefined {
  const finder = new DifferenceFinder(new Playhead(reference), new Playhead(record), view);
  const found = firstWrongStep(sides, finder);
  return found === undefined ? undefined : whyWrong(record, found, reference.header.technique, view);
}

const VERDICT_WORDS = {
  reference: '',
  right: 'It prints and ends as on',
  'state-differs': 'It prints and ends the same, but the guest finds something else than on',
  wrong: 'It prints something else or ends otherwise than on',
} as const satisfies Record<LaneVerdict, string>;

function sentenceOf(verdict: LaneVerdict, {a, b, first}: Comparison, wrong: WrongStep | undefined): string {
  const machine = a.header.technique;
  const said = `${VERDICT_WORDS[verdict]} ${machine}`;
  if (verdict === 'right') return `${said}.`;
  if (wrong !== undefined) {
    const what = wrong.differences.slice(0, 2).map(each => difference(each, machine));
    return `${said}. The first instruction that goes wrong is “${wrong.instruction}”: ${what.join(', ')}.`;
  }
  if (first !== undefined) return `${said}. First: ${first.what} is ${first.b}, not ${first.a}. ${first.why}`;
  return `${said}. ${b.outcome ?? 'It has not ended.'}`;
}

// ── beside each other ─────────────────────────────────────────────────────────────────────────────────────────────────

interface Alignment {
  /** Instructions of both runs, by their indices. */
  readonly pairs: readonly Pair[];
  /** What the outside saw of both: the instruction of the reference, and the other's step. All there is of a run on real KVM. */
  readonly seen: readonly (readonly [instruction: number, step: number])[];
}

/**
 * Which instructions of both runs belong together. What the outside sees is laid beside each other first, so that a stretch that
 * went another way does not move all that follows.
 */
function alignRuns(reference: Listed, other: Listed): Alignment {
  const [seenA, seenB] = [ownWork(reference.record), ownWork(other.record)];
  const pairs: Pair[] = [];
  const seen: (readonly [number, number])[] = [];
  let [fromA, fromB] = [0, 0];
  const upTo = (endA: number, endB: number): void => {
    const key = ({rip}: GuestInstruction): string => String(rip);
    const [a, b] = [reference.instructions.slice(fromA, endA), other.instructions.slice(fromB, endB)];
    for (const [i, j] of align(a.map(key), b.map(key), inProportion))
      pairs.push([i === undefined ? undefined : i + fromA, j === undefined ? undefined : j + fromB]);
    [fromA, fromB] = [endA, endB];
  };
  for (const [i, j] of align(
    seenA.map(({key}) => key),
    seenB.map(({key}) => key),
  )) {
    const [left, right] = [i === undefined ? undefined : seenA[i], j === undefined ? undefined : seenB[j]];
    if (left === undefined || right === undefined || left.key !== right.key) continue;
    const instruction = indexAt(reference, left.guestStep, fromA);
    seen.push([instruction, right.guestStep]);
    upTo(instruction, indexAt(other, right.guestStep, fromB));
  }
  upTo(reference.instructions.length, other.instructions.length);
  return {pairs, seen};
}

/** Where programs take turns by the clock, one stretch may have other instructions than the other, and more of them. */
const inProportion: Blindly = (a, b) =>
  Array.from({length: b === 0 ? 0 : a}, (_, i): Pair => [i, Math.floor((i * b) / a)]);

/** Commands of the two interrupt controllers of a PC, the first of them EOI; and the EOI register of a local APIC. */
const COMMANDS_OF_PIC: ReadonlySet<number | undefined> = new Set([0x20, 0xa0]);
const EOI_OF_APIC = `mmio write ${0xfee0_00b0} `;

/**
 * Whether the outside saw the end of an interrupt: that comes when a clock says so, and tells nothing of how far the guest's own
 * work has come.
 */
const isAnswer = ({kind, port, key}: VisibleEvent): boolean =>
  (kind === 'out' && COMMANDS_OF_PIC.has(port)) || key.startsWith(EOI_OF_APIC);

const ownWork = (record: RunRecord): readonly VisibleEvent[] => visibleEvents(record).filter(seen => !isAnswer(seen));

/** The index, from `from` on, of the instruction that a step belongs to: one that faulted first began some steps before. */
function indexAt({instructions}: Listed, step: number, from: number): number {
  let index = from;
  while (index < instructions.length && (instructions[index + 1]?.step ?? Infinity) <= step) index++;
  return index;
}

/** For each instruction of the reference the state of the other run; between two pairs it stays where it was. */
function statesBeside(reference: Listed, other: Listed, {pairs, seen}: Alignment): Int32Array<ArrayBuffer> {
  const states = new Int32Array(reference.instructions.length + 1);
  const steps = new Map<number, number>();
  for (const [instruction, step] of seen) {
    steps.set(instruction, step);
    // What was seen is over when the next instruction begins, also where nobody saw that one begin: on real KVM.
    if (instruction + 1 < reference.instructions.length) steps.set(instruction + 1, step + 1);
  }
  for (const [i, j] of pairs) {
    const step = j === undefined ? undefined : other.instructions[j]?.step;
    if (i !== undefined && step !== undefined) steps.set(i, step);
  }
  let last = 0;
  for (let i = 0; i < reference.instructions.length; i++) {
    last = Math.max(last, steps.get(i) ?? last);
    states[i] = last;
  }
  states[reference.instructions.length] = other.record.length;
  return states;
}
