// Where the guest itself begins: a hypervisor's setting-up comes before it, and most lessons start after that.

import type {RunRecord} from './run-record.js';

const PF = 14;

/**
 * The first step in which an instruction of the guest completed, or was refused for what it is: a kernel outside ring 0 may trap at
 * once. A page fault before it is the hypervisor's affair: it maps the page of the instruction. Undefined while there is none.
 */
export function firstGuestStep(record: RunRecord): number | undefined {
  for (let step = 0; step < record.length; step++) {
    const who = record.columns.who(step);
    const isGuest = who === 'guest-kernel' || who === 'guest-user';
    if (isGuest && (isCompleted(record, step) || isRefused(record, step))) return step;
  }
  return undefined;
}

const isCompleted = ({columns}: RunRecord, step: number): boolean =>
  columns.kind(step) === 'instruction' && columns.instructionLength(step) > 0;

const isRefused = (record: RunRecord, step: number): boolean =>
  record.eventsOf(step).some(event => event.kind === 'exception' && event.vector !== PF);
