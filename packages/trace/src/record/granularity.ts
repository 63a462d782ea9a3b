// Which events a stepper stops at, for each granularity that a person can choose.

import {assertUnreachable} from '@hyperscope/base';
import type {Granularity} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';

/** Events so frequent that stopping at each would be stepping by instructions under another name. */
const ROUTINE: ReadonlySet<TraceEvent['kind']> = new Set(['page-walk', 'host-step']);
/** A refused VM entry counts: the manual has it as a VM exit with bit 31 of the reason set. */
const EXITS: ReadonlySet<TraceEvent['kind']> = new Set(['vm-exit', 'vm-entry-failure', 'kvm-exit']);
/** A change of ring, or of the operation that the rings belong to. */
const RINGS: ReadonlySet<TraceEvent['kind']> = new Set(['ring', 'vm-entry', 'vm-exit']);

/** Whether an event ends a unit of the granularity. */
export function isBoundary(event: TraceEvent, granularity: Granularity): boolean {
  switch (granularity) {
    case 'instruction':
      return true;
    case 'event':
      return !ROUTINE.has(event.kind);
    case 'exit':
      return EXITS.has(event.kind) || isRefusedEntry(event);
    case 'ring':
      return RINGS.has(event.kind) || event.kind === 'ioctl';
    case 'mode':
      return event.kind === 'mode';
    default:
      return assertUnreachable(granularity);
  }
}

/** A VM entry that fails before any guest state is loaded is no VM exit, but as little an entry: whoever waits for the next exit is told. */
function isRefusedEntry(event: TraceEvent): boolean {
  return (
    event.kind === 'vmx-instruction' &&
    event.outcome !== 'VMsucceed' &&
    (event.name === 'VMLAUNCH' || event.name === 'VMRESUME')
  );
}
