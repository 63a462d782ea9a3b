// A comparison of two records as the lab shows it: row beside row, and marks in the lane of real KVM.
// Runs in the worker, where the records are; only plain data leaves.

import type {CompareRow, RealMark} from '@hyperscope/elements';
import type {AlignedEvent, Comparison, Difference} from '@hyperscope/trace';

/** Where in the simulated run an event of user space belongs: from the VM exit that led to it to KVM_RUN's return. */
interface Span {
  readonly index: number;
  readonly until: number;
}

/** What is asked of the simulated run. */
export interface SimulatedRun {
  /** The steps of its VM exits, in order; none on bare metal. */
  readonly exitSteps: readonly number[];
  cycleAt(state: number): number;
}

/** The exit of the guest instruction lies a few steps before user space hears of it; on bare metal there is none. */
function spanOf(run: SimulatedRun, step: number): Span {
  const exit = run.exitSteps.findLast(candidate => candidate <= step) ?? step;
  return {index: exit + 1, until: step + 1};
}

function reasonsFor(event: AlignedEvent, differences: readonly Difference[], since: number): readonly Difference[] {
  const {a, b} = event;
  if (a === undefined || b === undefined) {
    return differences.filter(
      difference =>
        difference.where === 'sequence' && (a === undefined ? difference.at.b === b?.step : difference.at.a === a.step),
    );
  }
  return differences.filter(
    difference => difference.where === 'registers' && difference.at.a > since && difference.at.a <= a.step + 1,
  );
}

/** Each reason once, with all that differs for it: `RCX 0x0 and 0x1, R11 0x2 and 0x3: SYSCALL …`. */
function reasonText(reasons: readonly Difference[]): string {
  const whys = [...new Set(reasons.map(reason => reason.why))];
  return whys
    .map(why => {
      // A whole event that only one side has is already told by the row.
      const values = reasons.filter(reason => reason.why === why && reason.where !== 'sequence');
      const list = values.map(({what, a, b}) => `${what} ${a} and ${b}`).join(', ');
      return list === '' ? why : `${list}: ${why}`;
    })
    .join(' ');
}

/** The visible events of both runs in order, each with what is known about it. */
export function besideRows(
  found: Pick<Comparison, 'events' | 'differences'>,
  run: SimulatedRun,
): readonly CompareRow[] {
  let since = -1;
  return found.events.map(event => {
    const reasons = reasonsFor(event, found.differences, since);
    since = event.a?.step ?? since;
    const unknown = reasons.some(reason => reason.class === 'unexplained');
    const both = event.a !== undefined && event.b !== undefined;
    const verdict =
      unknown || (!both && reasons.length === 0) ? 'unexplained' : reasons.length > 0 ? 'explained' : 'matched';
    const why =
      verdict === 'matched' ? 'The outside saw the same, and the guest’s registers agree.' : reasonText(reasons);
    return {
      simulated: event.a === undefined ? undefined : {...spanOf(run, event.a.step), text: event.a.label},
      real: event.b === undefined ? undefined : {text: event.b.label},
      verdict,
      why,
    };
  });
}

/** Marks beside the simulated exits: those that the real run had too, those that differ, those that KVM answers inside. */
export function realMarks(rows: readonly CompareRow[], run: SimulatedRun): readonly RealMark[] {
  const marks: RealMark[] = [];
  const told = new Set<number>();
  let index = 0;
  for (const row of rows) {
    index = row.simulated?.index ?? index;
    told.add(index);
    marks.push({
      index,
      cycle: run.cycleAt(index),
      label: `real KVM: ${row.real?.text ?? 'no exit'}`,
      kind: row.verdict === 'unexplained' || row.real === undefined ? 'differs' : 'matched',
    });
  }
  for (const step of run.exitSteps) {
    if (!told.has(step + 1)) {
      marks.push({
        index: step + 1,
        cycle: run.cycleAt(step + 1),
        label: 'answered inside KVM: user space hears nothing',
        kind: 'inside',
      });
    }
  }
  return marks.toSorted((a, b) => a.cycle - b.cycle);
}
