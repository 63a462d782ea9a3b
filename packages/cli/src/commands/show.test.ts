import {afterAll, describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {RUN} from './run.js';
import {SHOW} from './show.js';

const files = scratch();
afterAll(() => files.remove());

const show = (...args: readonly string[]) => runInProcess([SHOW], ['show', ...args]);

describe('the record of a simulated run', () => {
  const record = async (): Promise<string> => {
    const path = files.path('popf.hsr');
    await runInProcess([RUN], ['run', 'popf', '--record', path]);
    return path;
  };

  test('tells guest, machine, ending, output and exits', async () => {
    const {out, status} = await show(await record());
    expect(status).toBe(0);
    expect(out).toMatch(/^popf on vtx-ept \(simulated\): \d+ steps\n/);
    expect(out).toContain('The guest halted with nothing that could wake it.');
    expect(out).toContain('  IF 0\n  POPF 1\n');
    expect(out).toMatch(/^ {2}IO_INSTRUCTION +12$/m);
  });

  test('gives its events as lines of JSON', async () => {
    const lines = (await show(await record(), '--events')).out.trim().split('\n');
    expect(lines.map(line => JSON.parse(line).kind)).toContain('vm-exit');
  });
});

test('the recording of a real run tells its host', async () => {
  const {out} = await show(new URL('../../../guests/recordings/hello-kvm.kvm.hsr', import.meta.url).pathname);
  expect(out).toMatch(/^hello-kvm on kvm \(the real thing\)/);
  expect(out).toMatch(/^Recorded on .*Linux/m);
  expect(out).toMatch(/KVM_EXIT_IO +5/);
});

test('what is no record is refused', async () => {
  expect(await show(files.file('text', 'text'))).toMatchObject({status: 2});
  expect(await show()).toMatchObject({status: 2, notes: expect.stringContaining('Give one record')});
});
