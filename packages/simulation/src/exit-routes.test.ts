// Every exit of every guest that ships says in the record who answered it and why, on every technique whose hypervisor is
// KVM's role, with the interrupt controllers in either place.

import {describe, expect, test} from 'vitest';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {TraceEvent} from '@hyperscope/trace';
import {GUESTS} from '@hyperscope/guests';
import {runToResult} from './run/run-to-result.js';
import {loadGuest, requireTechnique} from './shipped.js';

const KVM = TECHNIQUES.map(({id}) => id).filter(id => /^(vtx|svm)-/.test(id));
const PLAIN = GUESTS.filter(({needs}) => needs === undefined);
const STEPS = 400_000;

interface Exits {
  readonly count: number;
  /** Exits of which nothing was told before the guest was entered again. */
  readonly withoutRoute: readonly string[];
  readonly routes: ReadonlySet<string>;
}

function exitsOf(id: string, technique: string, irqchip: 'kernel' | undefined): Exits {
  const guest = PLAIN.find(each => each.id === id);
  if (guest === undefined) throw new Error(`no guest ${id}`);
  const loaded = loadGuest(guest);
  const {record} = runToResult({
    technique: requireTechnique(technique),
    image: {...loaded, image: {...loaded.image, irqchip}},
    guest: {id, title: guest.title, bytes: loaded.assembly.bytes},
    clock: {now: () => 0},
    maxInstructions: STEPS,
    recording: 'on',
  });
  const routes = new Set<string>();
  const withoutRoute: string[] = [];
  let open: Extract<TraceEvent, {kind: 'vm-exit'}> | undefined;
  let count = 0;
  for (const {index} of record?.steps() ?? []) {
    for (const event of record?.eventsOf(index) ?? []) {
      if (event.kind === 'vm-exit') [open, count] = [event, count + 1];
      if (event.kind === 'exit-handled') {
        routes.add(event.route);
        expect(event.why.length).toBeGreaterThan(10);
        open = undefined;
      }
      if (event.kind === 'vm-entry' && open !== undefined) {
        withoutRoute.push(`step ${index}: exit ${open.exit.reason}`);
        open = undefined;
      }
    }
  }
  if (open !== undefined) withoutRoute.push(`at the end: exit ${open.exit.reason}`);
  return {count, withoutRoute, routes};
}

describe.each(KVM)('%s', {timeout: 300_000}, technique => {
  test.each(PLAIN.map(({id}) => id))('%s: no exit without a route', id => {
    // The longest of them uses no interrupts.
    for (const irqchip of id === 'output-ways' ? [undefined] : (['kernel', undefined] as const)) {
      const {count, withoutRoute, routes} = exitsOf(id, technique, irqchip);
      expect([irqchip, withoutRoute]).toEqual([irqchip, []]);
      expect(count).toBeGreaterThan(0);
      expect(routes).toContain('user-space');
    }
  });
});
