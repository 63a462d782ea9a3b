// The second depth of comparison: registers after each instruction that real KVM stepped.

import {afterAll, describe, expect, test} from 'vitest';
import {skipKvmTests} from '@hyperscope/kvm';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {COMPARE} from './compare.js';
import {RECORD} from './record.js';

const files = scratch();
afterAll(() => files.remove());

describe.skipIf(skipKvmTests())('hyperscope compare --single-step', {timeout: 60_000}, () => {
  test.each([
    ['hello-real', 90],
    ['popf', 60],
    ['hello-kvm', 20],
  ])('%s agrees after each instruction, but for what CPUID says', async (guest, atLeast) => {
    const {status, out} = await runInProcess([COMPARE], ['compare', guest, '--on', 'vtx-ept,kvm', '--single-step']);
    expect(status).toBe(0);
    const text = out.replaceAll(/\s+/g, ' ');
    expect(Number(/after each of (\d+) instructions/.exec(text)?.[1])).toBeGreaterThan(atLeast);
    expect(text).toContain('Every difference is explained.');
  });

  test('one instruction that does something else is found, though the outside sees the same', async () => {
    const image = files.program(
      'one.asm.bin',
      'bits 16\norg 0x7c00\nmov bx, 1\nmov bx, 0\nhlt\ntimes 510-($-$$) db 0\ndw 0xaa55',
    );
    const other = files.program(
      'two.asm.bin',
      'bits 16\norg 0x7c00\nmov bx, 2\nmov bx, 0\nhlt\ntimes 510-($-$$) db 0\ndw 0xaa55',
    );
    await runInProcess([RECORD], ['record', image, '--on', 'bare', '--output', files.path('a.hsr')]);
    await runInProcess([RECORD], ['record', other, '--on', 'kvm', '--single-step', '--output', files.path('b.hsr')]);
    const {status, out} = await runInProcess([COMPARE], ['compare', files.path('a.hsr'), files.path('b.hsr')]);
    expect(status).toBe(1);
    expect(out).toMatch(/RBX: 0x1 \| 0x2/);
  });

  test('both ways of looking deeper at once are refused', async () => {
    const {status, notes} = await runInProcess([COMPARE], ['compare', 'popf', '--single-step', '--inside-kvm']);
    expect([status, notes]).toEqual([2, expect.stringContaining('disturb each other')]);
  });
});
