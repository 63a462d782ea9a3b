// The table of exits, like `perf kvm stat`: why the guest was left, how often, and by which instruction first.

import {exitTitle} from '@hyperscope/isa';
import type {VmExit} from '@hyperscope/vmm';
import type {ExitRow} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';
import {describeQualification} from '../explain/exit-qualification.js';
import {routeOfExit} from '../explain/exit-routes.js';
import {kvmExitDetail, kvmExitDuty, kvmExitName} from '../explain/kvm-exit-words.js';
import type {RunRecord} from './run-record.js';

interface Found {
  readonly steps: number[];
  readonly first: Extract<TraceEvent, {kind: 'vm-exit' | 'kvm-exit'}>;
}

/**
 * One row a reason, the most frequent first. Hardware exits where the record has them; else (a real run) what KVM_RUN
 * returned. `instructionAt` gives the text of a step's instruction.
 */
export function exitRows(record: RunRecord, instructionAt: (step: number) => string): readonly ExitRow[] {
  const found = new Map<string, Found>();
  const hardware = record.events.firstOfKind('vm-exit', 0) !== undefined;
  const add = (reason: string, step: number, event: Found['first']): void => {
    const row = found.get(reason);
    if (row === undefined) found.set(reason, {steps: [step], first: event});
    else row.steps.push(step);
  };
  if (hardware) for (const {step, event} of record.events.allOf('vm-exit')) add(exitTitle(event.exit), step, event);
  else {
    for (const {step, event} of record.events.allOf('kvm-exit'))
      if (!isDebuggers(event.exit)) add(kvmExitName(event.exit), step, event);
  }
  return [...found]
    .map(([reason, {steps, first}]) => ({
      reason,
      count: steps.length,
      instruction: instructionAt(steps[0] ?? 0),
      sentence: sentenceOf(first),
      steps,
    }))
    .sort((a, b) => b.count - a.count);
}

/** A single step or a watchdog: the guest did nothing to leave. */
const isDebuggers = (exit: VmExit): boolean => exit.reason === 'debug' || exit.reason === 'interrupted';

function sentenceOf(event: Found['first']): string {
  if (event.kind === 'kvm-exit')
    return `${kvmExitName(event.exit)}: ${kvmExitDetail(event.exit)}. ${kvmExitDuty(event.exit)}`;
  const detail = describeQualification(event.exit);
  return `${detail === undefined ? '' : `First: ${detail}. `}${routeOfExit(event.exit)}`;
}
