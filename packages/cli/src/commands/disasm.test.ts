import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {DISASM} from './disasm.js';

const disasm = (...args: readonly string[]) => runInProcess([DISASM], ['disasm', ...args]);

test('bytes become instructions with their addresses', async () => {
  const {out} = await disasm('--at', '0x7c00', '--hex', 'fa', 'eb fd');
  expect(out.split('\n').map(line => line.replace(/ {2,}/g, '  '))).toEqual(
    ['00007c00  fa  cli', '00007c01  eb fd  jmp 0x7c00', ''].map(line =>
      expect.stringMatching(new RegExp(`^${line.replace('jmp', 'jmp( short)?')}$`)),
    ),
  );
});

test('what is no instruction is db with its reason, and reading goes on', async () => {
  const {out} = await disasm('--bits', '64', '--hex', '06 f4');
  expect(out).toMatch(/db 0x06 +; #UD: /);
  expect(out).toMatch(/00000001 {2}f4 +hlt/);
});

test('JSON has address, bytes and text', async () => {
  const {out} = await disasm('--bits', '64', '--json', '--hex', '0f01c1');
  expect(JSON.parse(out)).toEqual([{address: '0x0', bytes: '0f01c1', text: 'vmcall'}]);
});

test.each([
  [['--hex', 'zz'], 'two digits'],
  [['--bits', '8', '--hex', '90'], '16, 32 or 64'],
  [[], 'one file'],
])('%j is refused with advice', async (args, advice) => {
  expect(await disasm(...args)).toMatchObject({status: 2, notes: expect.stringContaining(advice)});
});
