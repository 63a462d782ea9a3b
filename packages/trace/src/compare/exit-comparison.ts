// The table of exits of two runs: what user space was asked on both sides, and what only one side could see.

import {exitReasonTitle} from '@hyperscope/isa';
import type {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import {kvmExitName} from '../explain/kvm-exit-words.js';
import {routeSentence} from '../explain/exit-routes.js';
import {textOfStep} from '../state/instruction-text.js';
import type {VmExit} from '@hyperscope/vmm';
import type {DifferenceClass, ExitComparison} from './comparison.js';
import {STAYS_IN_KERNEL, irqchipOf, isHiddenBy} from './kernel-devices.js';
import type {Irqchip} from './kernel-devices.js';
import {visibleEvents} from './visible-events.js';

interface Row {
  count: number;
  /** The step of the guest instruction of the first. */
  readonly first: number;
}

/** What becomes of an exit that only one side has. */
export type Excuse = (reason: string) => {readonly class: DifferenceClass; readonly why: string} | undefined;

export function compareExits(a: Playhead, b: Playhead, excuse: Excuse): readonly ExitComparison[] {
  const rows: ExitComparison[] = [];
  const [irqchipA, irqchipB] = [irqchipOf(a.record), irqchipOf(b.record)];
  const [userA, userB] = [userSpaceExits(a.record, irqchipB), userSpaceExits(b.record, irqchipA)];
  const bareSide = a.record.header.technique === 'bare' || b.record.header.technique === 'bare';
  for (const reason of new Set([...userA.keys(), ...userB.keys()])) {
    const [left, right] = [userA.get(reason), userB.get(reason)];
    rows.push(
      row(reason, left, right, textOf(a, left) || textOf(b, right), bareSide ? noHypervisor : () => excuse(reason)),
    );
  }
  const [inA, inB] = [hiddenExits(a.record, irqchipB), hiddenExits(b.record, irqchipA)];
  for (const reason of new Set([...inA.keys(), ...inB.keys()])) {
    const [left, right] = [inA.get(reason), inB.get(reason)];
    rows.push(
      row(reason, left, right, textOf(a, left) || textOf(b, right), () => ({
        class: 'kept-inside-kvm',
        why: STAYS_IN_KERNEL,
      })),
    );
  }
  const [keptA, keptB] = [keptExits(a.record), keptExits(b.record)];
  for (const reason of new Set([...keptA.keys(), ...keptB.keys()])) {
    const [left, right] = [keptA.get(reason), keptB.get(reason)];
    const why = routeSentence(reason);
    rows.push(
      row(
        exitReasonTitle(reason),
        left,
        right,
        textOf(a, left) || textOf(b, right),
        bareSide ? noHypervisor : () => ({class: 'kept-inside-kvm', why}),
      ),
    );
  }
  return rows;
}

const noHypervisor = (): ReturnType<Excuse> => ({
  class: 'no-hypervisor',
  why: 'On bare metal the device is right there: with no hypervisor, there is nothing to exit to.',
});

function row(
  reason: string,
  a: Row | undefined,
  b: Row | undefined,
  instruction: string,
  excuse: () => ReturnType<Excuse>,
): ExitComparison {
  const [left, right] = [a?.count ?? 0, b?.count ?? 0];
  if (left === right)
    return {
      reason,
      a: left,
      b: right,
      instruction,
      verdict: 'matched',
      class: undefined,
      why: 'The same number of times on both sides.',
    };
  const verdict = right === 0 ? 'only-a' : left === 0 ? 'only-b' : 'counts-differ';
  const excused = excuse();
  return {
    reason,
    a: left,
    b: right,
    instruction,
    verdict,
    class: excused?.class ?? 'unexplained',
    why:
      excused?.why ??
      'No rule explains it: this is a bug in the simulator, or a departure of this host that nobody has described yet.',
  };
}

const textOf = (playhead: Playhead, row: Row | undefined): string =>
  row === undefined ? '' : textOfStep(playhead, row.first);

/** KVM_EXIT reasons that the other run could have, too; those of a debugger left out. */
const userSpaceExits = (record: RunRecord, other: Irqchip): ReadonlyMap<string, Row> =>
  countExits(record, exit =>
    exit.reason === 'debug' || exit.reason === 'interrupted' || isHiddenBy(other, exit) ? undefined : kvmExitName(exit),
  );

/** Those that it could not, because there the devices are in the kernel. */
const hiddenExits = (record: RunRecord, other: Irqchip): ReadonlyMap<string, Row> =>
  countExits(record, exit =>
    !isHiddenBy(other, exit)
      ? undefined
      : exit.reason === 'io'
        ? `${kvmExitName(exit)} (interrupt controllers, timer)`
        : kvmExitName(exit),
  );

/** Element by element as the guest made them. */
function countExits(record: RunRecord, nameOf: (exit: VmExit) => string | undefined): ReadonlyMap<string, Row> {
  const found = new Map<string, Row>();
  const guestSteps = new Map(visibleEvents(record).map(event => [event.step, event.guestStep]));
  for (const {step, event} of record.events.allOf('kvm-exit')) {
    const name = nameOf(event.exit);
    if (name === undefined) continue;
    count(found, name, event.exit.reason === 'io' ? event.exit.count : 1, guestSteps.get(step) ?? step);
  }
  return found;
}

/** Hardware exits that were answered inside KVM. */
function keptExits(record: RunRecord): ReadonlyMap<number, Row> {
  const found = new Map<number, Row>();
  let asked = false;
  let pending: {readonly reason: number; readonly step: number} | undefined;
  const settle = (): void => {
    if (pending !== undefined && !asked) count(found, pending.reason, 1, pending.step);
    pending = undefined;
    asked = false;
  };
  for (let i = 0; i < record.events.length; i++) {
    const event = record.events.at(i);
    if (event?.kind === 'vm-exit') {
      settle();
      pending = {reason: event.exit.reason & 0xffff, step: record.events.stepOf(i)};
    } else if (event?.kind === 'kvm-exit') asked = true;
  }
  settle();
  return found;
}

function count<K>(rows: Map<K, Row>, key: K, by: number, step: number): void {
  const row = rows.get(key);
  if (row === undefined) rows.set(key, {count: by, first: step});
  else row.count += by;
}
