import {afterAll, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {COMPARE} from './compare.js';
import {RECORD} from './record.js';

const files = scratch();
afterAll(() => files.remove());
const hyperscope = (...args: readonly string[]) => runInProcess([COMPARE, RECORD], args);

test('the same guest on bare metal and under VT-x: every difference is explained, and the status is 0', async () => {
  const {status, out} = await hyperscope('compare', 'popf', '--on', 'bare,vtx-ept');
  expect(out).toContain('popf: bare, simulated | vtx-ept, simulated');
  expect([status, out]).toEqual([0, expect.stringContaining('Every difference is explained.')]);
});

test('two records of different programs differ, and the status is 1', async () => {
  for (const [name, value] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    const source = files.file(`${name}.asm`, `bits 16\norg 0x8000\nmov dx, 0x3f8\nmov al, ${value}\nout dx, al\nhlt\n`);
    expect((await hyperscope('record', source, '--on', 'bare', '-o', files.path(`${name}.hsr`))).status).toBe(0);
  }
  const {status, out} = await hyperscope('compare', files.path('a.hsr'), files.path('b.hsr'));
  expect([status, out]).toEqual([1, expect.stringMatching(/unexplained/)]);
});

test('many machines come as one table: which are right, and the first instruction that goes wrong and why', async () => {
  const {status, out} = await hyperscope('compare', 'popf', '--on', 'bare,trap-and-emulate,vtx-ept');
  expect(status).toBe(1);
  expect(out).toMatch(/^machine +output +exits +cycles +instructions +first wrong step$/m);
  expect(out).toMatch(/^bare +the reference +– +\d+ +79$/m);
  expect(out).toMatch(/^trap-and-emulate +WRONG +\d+ +\d+ +79 +pushfq at 0x8000$/m);
  expect(out).toMatch(/^vtx-ept +right +\d+ +\d+ +79$/m);
  expect(out.replaceAll(/\s+/g, ' ')).toContain(
    '“pushfq” at 0x8000 in ring 3, where it believes to be in ring 0, and it did not trap.',
  );
});

test('the table as JSON has each machine with its exits', async () => {
  const {status, out} = await hyperscope('compare', 'popf', '--on', 'bare,vtx-ept,vtx-ept', '--json', '-');
  const [{lanes}] = JSON.parse(out);
  expect(status).toBe(0);
  expect(lanes[2]).toMatchObject({
    verdict: 'right',
    unexplained: 0,
    exits: [{reason: 'I/O instruction', count: 12}, {}, {}],
  });
});

test('all machines can be counted by one model', async () => {
  const {out} = await hyperscope('compare', 'popf', '--on', 'bare,vtx-shadow,vtx-ept', '--cost-model', 'nehalem-2009');
  expect(out).toContain('Cycles of nehalem-2009.');
});

test('JSON carries both sides, the exits and the differences', async () => {
  const {out} = await hyperscope('compare', 'hello-real', '--on', 'vtx-ept,vtx-ept', '--json', '-');
  expect(JSON.parse(out)).toMatchObject([{a: {name: 'vtx-ept, simulated'}, differences: [], unexplained: 0}]);
});

test.each([
  [['compare'], 'Give a guest'],
  [['compare', 'popf', '--on', 'bare'], 'two machines'],
  [['compare', 'one.hsr'], 'two or more records'],
  [['record'], 'Give one image'],
])('%j is refused with advice', async (args, advice) => {
  expect(await hyperscope(...args)).toMatchObject({status: 2, notes: expect.stringContaining(advice)});
});

test('a guest that does other things on other machines is not compared, and says what to use instead', async () => {
  const {status, notes} = await runInProcess([COMPARE], ['compare', 'output-ways', '--on', 'bare,vtx-ept']);
  expect([status, notes]).toEqual([2, expect.stringContaining('hyperscope output shows machines side by side')]);
});
