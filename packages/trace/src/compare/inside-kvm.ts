// What KVM did without user space being asked, counted: the kernel's tracepoints on real hardware, the exits that the
// simulated KVM answered itself.

import {exitReasonTitle} from '@hyperscope/isa';
import type {RunRecord} from '../record/run-record.js';
import type {ComparedSide} from './comparison.js';

const STATISTICS = 'statistics';

export function insideKvm(record: RunRecord): Pick<ComparedSide, 'insideKvm' | 'statistics'> {
  const counts = new Map<string, number>();
  const count = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  let statistics: string | undefined;
  for (const {event} of record.events.allOf('inside-kvm')) {
    if (event.name === STATISTICS) statistics = event.text;
    else count(event.name);
  }
  for (const {event} of record.events.allOf('exit-handled'))
    if (event.route === 'kvm') count(exitReasonTitle(event.reason & 0xffff));
  return {insideKvm: [...counts].sort(([, x], [, y]) => y - x), statistics};
}
