// The guest output-ways on real KVM, counted as on the simulator.

import {describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {GUESTS} from '@hyperscope/simulation';
import {runInProcess} from '../testing/run-in-process.js';
import {OUTPUT} from './output.js';
import {RUN} from './run.js';

const text = GUESTS.find(({id}) => id === 'output-ways')?.expectedSerial;

describe.skipIf(skipKvmTests())('output-ways on real KVM', {timeout: 60_000}, () => {
  test('prints by OUT and by REP OUTS what the simulator prints', async () => {
    const real = await runInProcess([RUN], ['run', 'output-ways', '--on', 'kvm']);
    const simulated = await runInProcess([RUN], ['run', 'output-ways', '--on', 'vtx-ept']);
    expect([real.status, real.out, simulated.out]).toEqual([0, text, text]);
  });

  test('the ways that both have take as many exits to user space on both', async () => {
    const {out} = await runInProcess([OUTPUT], ['output', '--on', 'vtx-ept,kvm', '--json']);
    const [simulated, real] = JSON.parse(out);
    const perKiB = (found: typeof real): Record<string, number> =>
      Object.fromEntries(
        found.ways.map((way: {letter: string; userExitsPerKiB: number}) => [way.letter, way.userExitsPerKiB]),
      );
    expect(perKiB(simulated)).toMatchObject({a: 1024, b: 1024, c: 1024, d: 6, e: 1, f: 1});
    // Video memory is plain RAM there, nothing is coalesced, and real KVM does not know the hypercall.
    expect(perKiB(real)).toEqual({a: 1024, b: 1024, c: 0, d: 0, e: 1});
  });
});
