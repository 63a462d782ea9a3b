// The route of the exit under the playhead is found from there backwards: held against a scan of all events of a real run.

import {ROUTE_KINDS, type TraceEvent} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {SHIPPED} from '../shipped.js';
import {SimulationHost} from '../simulation-host.js';

test.each(['vtx-ept', 'svm-npt', 'bare'])(
  'a moment tells the last exit and what came after it of its route, on %s',
  technique => {
    const session = new SimulationHost(SHIPPED).open({guest: 'hello-kvm', technique});
    session.run(10_000);
    const {events, length} = session.record;
    const isLeg = (kind: TraceEvent['kind'] | undefined): boolean => ROUTE_KINDS.some(one => one === kind);
    const all = Array.from({length: events.length}, (_, at) => ({step: events.stepOf(at), kind: events.at(at)?.kind}));
    const legs = all.filter(({kind}) => isLeg(kind));
    let told = 0;
    for (let state = 0; state <= length; state += 7) {
      const before = legs.filter(({step}) => step < state);
      const since = before.slice(
        Math.max(
          0,
          before.findLastIndex(({kind}) => kind === 'vm-exit'),
        ),
      );
      const {route} = session.seek(state);
      // Of each kind the last one: an exit that KVM answers alone has no way to user space.
      const lastOfEach = since.filter(({kind}, at) => since.findLastIndex(other => other.kind === kind) === at);
      expect(route, `state ${state}`).toEqual(lastOfEach);
      told += route.length;
    }
    expect(told > 0).toBe(technique !== 'bare');
  },
);
