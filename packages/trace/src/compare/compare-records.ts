// Compares two runs of one guest by what the guest can see of the machine and the world can see of the guest.

import {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import {align} from './align.js';
import type {AlignedEvent, Comparison, ComparedSide, Difference, ExitComparison} from './comparison.js';
import {DifferenceFinder} from './difference-finder.js';
import {compareExits} from './exit-comparison.js';
import {PROCESSOR_VIEW} from './guest-registers.js';
import type {GuestView} from './guest-registers.js';
import {irqchipOf, visibleBeside} from './kernel-devices.js';
import {insideKvm} from './inside-kvm.js';
import {InstructionsBetween, isStepped} from './stepped-instructions.js';
import {printedText, visibleEvents} from './visible-events.js';
import type {VisibleEvent} from './visible-events.js';

/**
 * `unexplained` is 0 exactly when every difference has a reason. `view` knows the guest's registers under a hypervisor; without it
 * the processor's are compared.
 */
export function compareRecords(a: RunRecord, b: RunRecord, view: GuestView = PROCESSOR_VIEW): Comparison {
  const [headA, headB] = [new Playhead(a), new Playhead(b)];
  const [seenA, seenB] = [visibleBeside(irqchipOf(b), visibleEvents(a)), visibleBeside(irqchipOf(a), visibleEvents(b))];
  const finder = new DifferenceFinder(headA, headB, view);
  const events: AlignedEvent[] = [];
  const between =
    isStepped(a) || isStepped(b)
      ? new InstructionsBetween({record: a, seen: seenA}, {record: b, seen: seenB}, finder, view)
      : undefined;
  for (const [i, j] of align(
    seenA.map(event => event.key),
    seenB.map(event => event.key),
  )) {
    const [left, right] = [i === undefined ? undefined : seenA[i], j === undefined ? undefined : seenB[j]];
    between?.compareUntil(left, right);
    if (left !== undefined && right !== undefined && left.key === right.key) finder.matched(left, right);
    else finder.onlyOne(left, right);
    events.push({a: entry(left), b: entry(right)});
  }
  between?.compareRest();
  finder.compareMemory();
  finder.compareInsideKvm();
  const exits = compareExits(headA, headB, () => finder.exitExcuse());
  const [sideA, sideB] = [side(a, seenA), side(b, seenB)];
  const unexplainedExits = exits.filter(row => row.class === 'unexplained').length;
  const unexplained = (finder.counts.get('unexplained') ?? 0) + unexplainedExits;
  const first = finder.differences[0];
  return {
    a: sideA,
    b: sideB,
    exits,
    events,
    differences: finder.differences,
    first,
    unexplained,
    sentences: sentences(sideA, sideB, {
      exits,
      events,
      first,
      unexplained,
      counts: finder.counts,
      instructions: between?.count,
    }),
  };
}

const entry = (event: VisibleEvent | undefined): AlignedEvent['a'] =>
  event === undefined ? undefined : {step: event.step, label: event.label};

function side(record: RunRecord, seen: readonly VisibleEvent[]): ComparedSide {
  const {header} = record;
  const name =
    header.engine === 'kvm' ? `real KVM (${header.host?.flavour ?? 'unknown'})` : `${header.technique}, simulated`;
  return {
    name,
    header,
    steps: record.length,
    outcome: record.outcome,
    serial: printedText(seen),
    ...insideKvm(record),
  };
}

interface Findings extends Pick<Comparison, 'exits' | 'events' | 'first' | 'unexplained'> {
  readonly counts: DifferenceFinder['counts'];
  /** Instructions after each of which the registers were compared; undefined where neither side was stepped. */
  readonly instructions: number | undefined;
}

function sentences(a: ComparedSide, b: ComparedSide, found: Findings): readonly string[] {
  const {exits, events, first, unexplained, counts, instructions} = found;
  const matched = events.filter(event => event.a !== undefined && event.b !== undefined).length;
  const differences = [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
  return [
    `${a.name} and ${b.name}: ${matched} of ${events.length} visible events match.`,
    ...(instructions === undefined
      ? []
      : [`Real KVM was single-stepped: registers were compared after each of ${instructions} instructions as well.`]),
    a.serial === b.serial ? `Both printed the same ${a.serial.length} characters.` : 'They printed different texts.',
    exitSentence(exits),
    differences === ''
      ? `Registers and memory agree at every event${instructions === undefined ? '' : ' and instruction'} and at the end.`
      : `Differences: ${differences}.`,
    ...(first === undefined
      ? []
      : [`The first difference, at step ${first.at.a} and ${first.at.b}: ${describe(first)}`]),
    unexplained === 0
      ? 'Every difference is explained.'
      : `${unexplained} difference${unexplained === 1 ? ' is' : 's are'} unexplained.`,
  ];
}

function exitSentence(exits: readonly ExitComparison[]): string {
  const kept = exits.filter(row => row.class === 'kept-inside-kvm');
  const matched = exits
    .filter(row => row.verdict === 'matched')
    .map(row => `${row.a} × ${row.reason}`)
    .join(', ');
  const inside = kept.map(row => `${Math.max(row.a, row.b)} × ${row.reason}`).join(', ');
  return `Exits that match: ${matched === '' ? 'none' : matched}.${inside === '' ? '' : ` Answered inside KVM, so only the simulation shows them: ${inside}.`}`;
}

const describe = (difference: Difference): string =>
  `${difference.what} is ${difference.a} on one side and ${difference.b} on the other (${difference.class}). ${difference.why}`;
