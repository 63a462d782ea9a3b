// Each figure of a cost model is charged by one kind of event and by nothing else: when it grows by 1,000, a run takes 1,000
// cycles more for each such event in it.

import {describe, expect, test} from 'vitest';
import {runBench} from './bench.js';
import type {TraceEvent} from '@hyperscope/trace';
import {requireGuest} from '../shipped.js';

interface Counted {
  readonly cycles: number;
  readonly events: readonly TraceEvent[];
}

function run(guest: string, technique: string, changes: string): Counted {
  const events: TraceEvent[] = [];
  const push = (event: TraceEvent): void => void events.push(event);
  const bench = {technique, profile: undefined, costModel: `westmere-2010${changes}`};
  const {machine} = runBench(requireGuest(guest), bench, {
    willWrite: () => undefined,
    event: push,
    hypervisorEvent: push,
  });
  return {cycles: machine.cycles, events};
}

type Kind = (event: TraceEvent) => number;
const isOne = (condition: boolean): number => (condition ? 1 : 0);
const isException = (event: TraceEvent): boolean => event.kind === 'vm-exit' && event.exit.reason === 0;

const CHARGED: readonly (readonly [figure: string, base: number, guest: string, technique: string, times: Kind])[] = [
  ['vm-exit', 425, 'rings', 'vtx-ept', event => isOne(event.kind === 'vm-exit' && !isException(event))],
  ['vm-entry', 336, 'rings', 'vtx-ept', event => isOne(event.kind === 'vm-entry')],
  ['vm-exit', 425, 'rings', 'svm-npt', event => isOne(event.kind === 'vm-exit')],
  ['vm-entry', 336, 'rings', 'svm-npt', event => isOne(event.kind === 'vm-entry')],
  ['vm-exit', 425, 'nano-pgfault', 'vtx-shadow', event => isOne(event.kind === 'vm-exit' && !isException(event))],
  ['exception-exit', 425, 'nano-pgfault', 'vtx-shadow', event => isOne(isException(event))],
  ['host-step', 185, 'rings', 'vtx-ept', event => isOne(event.kind === 'host-step' && event.actor === 'hypervisor')],
  ['vmm-step', 116, 'rings', 'trap-and-emulate', event => isOne(event.kind === 'host-step')],
  [
    'call-gate',
    57,
    'nano-in',
    'binary-translation',
    event => isOne(event.kind === 'ring' && event.how.includes('call gate')),
  ],
  ['user-step', 1000, 'rings', 'vtx-ept', event => isOne(event.kind === 'host-step' && event.actor === 'vmm')],
  ['walk-reference', 20, 'rings', 'vtx-ept', event => (event.kind === 'page-walk' ? event.references.length : 0)],
  ['walk-reference', 20, 'nano-pgfault', 'bare', event => (event.kind === 'page-walk' ? event.references.length : 0)],
  ['exception', 500, 'rings', 'bare', event => isOne(event.kind === 'delivery')],
  ['page-fault', 62, 'nano-pgfault', 'bare', event => isOne(event.kind === 'delivery' && event.vector === 14)],
  ['syscall', 75, 'nano-syscall', 'bare', event => isOne(event.kind === 'ring' && event.how.startsWith('SYS'))],
  ['port-access', 1500, 'rings', 'bare', event => isOne(event.kind === 'port')],
  ['cr-write', 75, 'hello-kvm', 'bare', event => isOne(event.kind === 'control-register')],
];

describe('a figure is charged once for each', () => {
  test.each(CHARGED)('%s (%i): %s on %s', (figure, base, guest, technique, times) => {
    const before = run(guest, technique, '');
    const after = run(guest, technique, `,${figure}=${base + 1000}`);
    const expected = before.events.reduce((sum, event) => sum + times(event), 0);
    expect(expected).toBeGreaterThan(0);
    expect(after.cycles - before.cycles).toBe(1000 * expected);
  });
});
