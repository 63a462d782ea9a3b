// How far the route of the last exit has been walked: out of the guest, to user space and back into the guest. Found from the
// moment backwards, so that it is exact however long the run is.

import {ROUTE_KINDS, type Moment} from '../session-view.js';
import type {EventColumn} from './event-column.js';

/** The last exit before a state, and what of its route came after it, in the order of time; without an exit all that was last. */
export function walkedRoute(events: EventColumn, state: number): Moment['route'] {
  const found = ROUTE_KINDS.flatMap(kind => {
    const index = events.lastIndexBefore(kind, state);
    return index === undefined ? [] : [{kind, index}];
  });
  const exit = found.find(({kind}) => kind === 'vm-exit')?.index ?? 0;
  return found
    .filter(({index}) => index >= exit)
    .toSorted((a, b) => a.index - b.index)
    .map(({kind, index}) => ({kind, step: events.stepOf(index)}));
}
