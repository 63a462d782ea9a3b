import {afterAll, describe, expect, test} from 'vitest';
import {readFileSync, writeFileSync} from 'node:fs';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {DOCTOR} from './doctor.js';

const files = scratch();
afterAll(() => files.remove());

const shipped = (program: string): string =>
  new URL(`../../../guests/programs/${program}.asm`, import.meta.url).pathname;

/** The diagnosis of a shipped hypervisor in which one thing was changed. */
async function examine(program: 'tiny-vmx' | 'tiny-svm', change: readonly [string, string], ...options: string[]) {
  const source = readFileSync(shipped(program), 'utf8');
  expect(source).toContain(change[0]);
  const path = files.path(`${program}.asm`);
  writeFileSync(path, source.replace(change[0], change[1]));
  return await runInProcess([DOCTOR], ['doctor', path, ...options]);
}

describe('a hypervisor on VT-x', () => {
  test('that is well is told so, with the number of its VM entries', async () => {
    const {out, status} = await runInProcess([DOCTOR], ['doctor', shipped('tiny-vmx')]);
    expect([out, status]).toEqual(['In good health: 5 VM entries, none refused.\n', 0]);
  });

  test('that left RFLAGS 0 learns field, value, rule, source and usual cause', async () => {
    const {out, status} = await examine('tiny-vmx', ['field 0x6820, 2 ', 'field 0x6820, 0 ']);
    expect(status).toBe(1);
    expect(out).toContain('VM entry refused, reason 33: VM-entry failure: invalid guest state');
    expect(out).toContain('✗ guest RFLAGS: bit 1 is 1');
    expect(out).toContain('GUEST_RFLAGS = 0x0');
    expect(out).toContain('Usually: The field was left 0');
    expect(out).toContain('SDM vol. 3C, "Checks on the Guest State Area"');
  });

  test('that forgot its task register learns all that follows, as JSON too', async () => {
    const {out} = await examine('tiny-vmx', ['field 0x0c0c, 0x20', 'field 0x0c0c, 0'], '--json');
    const [first] = JSON.parse(out);
    expect(first).toMatchObject({what: 'VMLAUNCH failed: VMfailValid(8)'});
    expect(first.failed).toMatchObject([{rule: 'host TR selector ≠ 0', cause: expect.stringContaining('LTR')}]);
  });
});

describe('a hypervisor on SVM', () => {
  test('that forgot the ASID and the VMRUN intercept learns both at once', async () => {
    const {out, status} = await examine(
      'tiny-svm',
      ['mov dword [ASID], 1 ', 'mov dword [INTERCEPT_4], 2 '],
      '--cpu',
      'amd-svm',
    );
    expect(status).toBe(1);
    expect(out).toContain('VM entry refused, EXITCODE −1');
    expect(out).toContain('✗ the VMRUN intercept is set');
    expect(out).toContain('✗ the ASID is not 0: that is the host');
  });
});

test('a program that is no hypervisor is told so', async () => {
  const {out, status} = await runInProcess([DOCTOR], ['doctor', 'hello-real']);
  expect([out, status]).toEqual(['The program never tried to enter a guest.\n', 0]);
});
