// Every exit that the conformance cases provoke says in the record who answered it: KVM or user space, and why.

import {describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES} from '../src/conformance/cases.js';
import type {ConformanceCase} from '../src/conformance/conformance-case.js';
import {startImage} from '../src/conformance/start-state.js';
import type {Technique} from '../src/technique.js';
import {TECHNIQUES} from '../src/techniques.js';
import {runToEnd} from '../src/testing/run-guest.js';

const KVM = TECHNIQUES.filter(({id}) => /^(vtx|svm)-/.test(id));
const STEPS = 20_000;

/** The exits after which the guest was entered again, or the run ended, with nothing told of who answered. */
function exitsWithoutRoute(technique: Technique, promise: ConformanceCase): readonly string[] {
  const run = technique.start({
    image: {...startImage(promise), irqchip: promise.devices === 'irqchip' ? 'kernel' : undefined},
    ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
    profile: undefined,
    costModel: undefined,
    disks: promise.disk === undefined ? undefined : [promise.disk.slice()],
  });
  const found: string[] = [];
  let open: number | undefined;
  for (const event of runToEnd(run, STEPS).events) {
    if (event.kind === 'exit-handled') open = undefined;
    if (event.kind === 'vm-entry' && open !== undefined) found.push(`${promise.mode} ${promise.title}: exit ${open}`);
    if (event.kind === 'vm-exit') open = event.exit.reason;
  }
  return open === undefined ? found : [...found, `${promise.mode} ${promise.title}: the last exit, ${open}`];
}

describe.each(KVM.map(technique => [technique.id, technique] as const))('%s', {timeout: 300_000}, (_id, technique) => {
  test('no exit of any conformance case is without a route', () => {
    expect(CONFORMANCE_CASES.flatMap(promise => exitsWithoutRoute(technique, promise))).toEqual([]);
  });
});
