// The table of exits, like `perf kvm stat`: why the guest was left, how often, and by which instruction first.

import type {ExitRow} from '../session-view.js';
import {describeQualification} from '../explain/exit-qualification.js';
import {routeOfExit} from '../explain/exit-routes.js';
import {kvmExitDetail, kvmExitDuty, kvmExitName} from '../explain/kvm-exit-words.js';
import type {ExitEvent} from './exit-index.js';
import type {RunRecord} from './run-record.js';

/**
 * One row a reason, the most frequent first. Hardware exits where the record has them; else (a real run) what KVM_RUN
 * returned. `instructionAt` gives the text of a step's instruction.
 */
export function exitRows(record: RunRecord, instructionAt: (step: number) => string): readonly ExitRow[] {
  return record.exits
    .reasons()
    .map(({reason, steps, first}) => ({
      reason,
      count: steps.length,
      instruction: instructionAt(steps.at(0)),
      sentence: sentenceOf(first),
      steps: steps.toNumbers(),
    }))
    .sort((a, b) => b.count - a.count);
}

function sentenceOf(event: ExitEvent): string {
  if (event.kind === 'kvm-exit')
    return `${kvmExitName(event.exit)}: ${kvmExitDetail(event.exit)}. ${kvmExitDuty(event.exit)}`;
  const detail = describeQualification(event.exit);
  return `${detail === undefined ? '' : `First: ${detail}. `}${routeOfExit(event.exit)}`;
}
