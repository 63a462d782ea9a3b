// Where the guest itself begins: a hypervisor's setting-up comes before it, and most lessons start after that.

import type {RunRecord} from './run-record.js';

/** The first step in which an instruction of the guest completed; undefined while none has. */
export function firstGuestStep(record: RunRecord): number | undefined {
  for (let step = 0; step < record.length; step++) {
    const who = record.columns.who(step);
    const isGuest = who === 'guest-kernel' || who === 'guest-user';
    if (isGuest && record.columns.kind(step) === 'instruction' && record.columns.instructionLength(step) > 0)
      return step;
  }
  return undefined;
}
