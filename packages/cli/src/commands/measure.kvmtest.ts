import {describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {runInProcess} from '../testing/run-in-process.js';
import {MEASURE} from './measure.js';

describe.skipIf(skipKvmTests())('hyperscope measure', () => {
  test('shows each operation, who answers it, and the published generations beside this machine', async () => {
    const {status, out} = await runInProcess([MEASURE], ['measure']);
    expect(status).toBe(0);
    expect(out).toMatch(/CPUID +KVM +\d/);
    expect(out).toMatch(/OUT to port 80h +user space +\d/);
    expect(out).toMatch(/Westmere \(2010\) +761/);
    expect(out).toContain('this machine: CPUID');
  });
  test('JSON has the histograms and the host', async () => {
    const {out} = await runInProcess([MEASURE], ['measure', '--json', '-']);
    const {host, operations} = JSON.parse(out);
    expect(host.apiVersion).toBe(12);
    expect(operations.find(({id}: {id: string}) => id === 'hlt-user').time.histogram.length).toBeGreaterThan(0);
  });
});

test('a guest on the command line is a mistake that is explained', async () => {
  const {status, notes} = await runInProcess([MEASURE], ['measure', 'hello-kvm']);
  expect([status, notes]).toEqual([2, expect.stringContaining('brings its own')]);
});
