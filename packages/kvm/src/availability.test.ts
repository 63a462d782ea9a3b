import {existsSync, mkdtempSync, rmSync, writeFileSync, chmodSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {native} from '@hyperscope/native';
import {describe, expect, test} from 'vitest';
import {probeKvm, whyMissing} from './availability.js';

describe('probeKvm', () => {
  test('answers on any machine, and never throws', () => {
    const answer = probeKvm();
    if (answer.available) expect(existsSync('/dev/kvm')).toBe(true);
    else
      expect([answer.code, answer.message]).toEqual([
        expect.stringMatching(/^[A-Z]+$/),
        expect.stringMatching(/^[A-Z/].{20,}/),
      ]);
  });
});

describe.skipIf(native === undefined)('why KVM is missing', () => {
  test('no device: says what to load or pass in', () =>
    expect(whyMissing('/dev/kvm-that-is-not')).toMatchObject({
      code: 'ENOENT',
      message: expect.stringMatching(/modprobe|--device|container/),
    }));

  test('a device that is no KVM is told from one that is', () =>
    expect(whyMissing('/dev/null')).toMatchObject({
      available: false,
      code: 'ENOTTY',
      message: expect.stringContaining('not a KVM device'),
    }));

  // Root may open everything.
  test.skipIf(process.getuid?.() === 0)('no permission: names the group', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
    const file = join(folder, 'kvm');
    writeFileSync(file, '');
    chmodSync(file, 0);
    expect(whyMissing(file)).toMatchObject({code: 'EACCES', message: expect.stringMatching(/usermod -aG kvm/)});
    rmSync(folder, {recursive: true});
  });
});
