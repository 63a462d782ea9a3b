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

  test.each([
    ['off', 1024, 1024],
    ['all', 6, 6],
  ])('--coalesced-mmio %s is the same choice as on the simulator', async (choice, c, d) => {
    const {out} = await runInProcess([OUTPUT], ['output', '--on', 'kvm', '--coalesced-mmio', choice, '--json']);
    for (const {ways} of JSON.parse(out)) {
      const exits = new Map(ways.map((way: {letter: string; userExits: number}) => [way.letter, way.userExits]));
      expect([exits.get('c'), exits.get('d')]).toEqual([c, d]);
    }
  });

  test('the ways that both have take as many exits to user space on both', async () => {
    const {out} = await runInProcess([OUTPUT], ['output', '--on', 'vtx-ept,kvm', '--json']);
    const [simulated, real] = JSON.parse(out);
    const perKiB = (found: typeof real): Record<string, number> =>
      Object.fromEntries(
        found.ways.map((way: {letter: string; userExitsPerKiB: number}) => [way.letter, way.userExitsPerKiB]),
      );
    expect(perKiB(simulated)).toMatchObject({a: 1024, b: 1024, c: 1024, d: 6, e: 1, f: 1});
    // Real KVM does not know the hypercall.
    expect(perKiB(real)).toEqual({a: 1024, b: 1024, c: 1024, d: 6, e: 1});
  });
});
