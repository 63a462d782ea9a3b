// `hyperscope run` with several users of a control program: their consoles, their accounts, and what cannot be asked for.

import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {RUN} from './run.js';

const run = (...args: readonly string[]) => runInProcess([RUN], ['run', ...args]);

test('each line names whose console it stood on, and a table who had how much of the processor', async () => {
  const {status, out, notes} = await run('cms-punch', '--user', 'cms3=cms-count', '--share', 'CMS3=4');
  expect(status).toBe(0);
  const lines = out.trimEnd().split('\n');
  expect(lines).toContain('CMS2: COUNTED BY CMS1: 46');
  expect(lines).toContain('CMS3: most Collatz steps: 112');
  expect(lines.every(line => /^CMS[123]: /.test(line))).toBe(true);
  expect(notes).toContain('halted: All virtual machines have come to their ends.');
  const rows = notes.split('\n').map(line => line.trim().split(/ {2,}/));
  expect(rows.filter(([name]) => /^CMS\d$/.test(name ?? '')).map(([name, ended]) => [name, ended])).toEqual([
    ['CMS1', 'halted'],
    ['CMS2', 'halted'],
    ['CMS3', 'halted'],
  ]);
  expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(['#GP', '#UD', 'slice timer']));
});

test('--json has an account for each', async () => {
  const {out} = await run('cms-count', '--user', 'CMS2=popf', '--quantum', '5000', '--json', '-');
  const {virtualMachines} = JSON.parse(out);
  expect(
    virtualMachines.map(({name, serial}: {name: string; serial: string}) => [name, serial.split('\n')[0]]),
  ).toEqual([
    ['CMS1', 'supervisor state, ring 0'],
    ['CMS2', 'IF 0'],
  ]);
  const shares = virtualMachines.map(({share}: {share: number}) => share);
  expect(shares[0] + shares[1]).toBeCloseTo(1, 10);
});

test.each([
  [['cms-punch', '--user', 'CMS2=popf'], 'Two virtual machines are called CMS2.'],
  [['cms-punch', '--user', 'popf'], 'NAME=IMAGE'],
  [['cms-punch', '--user', 'A=popf', '--user', 'B=popf', '--user', 'C=popf'], 'There is room for 4 virtual machines'],
  [['cms-punch', '--share', 'CMS9=2'], 'There is no virtual machine CMS9'],
  [['cms-punch', '--quantum', '10'], 'A time slice has at least 2000 cycles'],
  [['cms-punch', '--user', 'CMS3=mini-os-pv'], 'mini-os-pv is ported to Xen’s hypercalls'],
  [['popf', '--user', 'CMS2=popf'], '--user is for --on control-program'],
])('%j is refused: %s', async (args, message) => {
  const {status, notes} = await run(...args);
  expect(status).toBe(2);
  expect(notes).toContain(message);
});
