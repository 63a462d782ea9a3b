import {gzipSync} from 'node:zlib';
import {afterAll, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {scratch} from '../testing/scratch.js';
import {VECTORS} from './vectors.js';

const files = scratch();
afterAll(() => files.remove());
const vectors = (...args: readonly string[]) => runInProcess([VECTORS], ['vectors', ...args]);

/** INC AX from 5 to `ax`, in the packed form. */
const inc = (ax: number): string =>
  `${JSON.stringify({
    f: '40',
    i: 0,
    name: 'inc ax',
    bytes: '40f4',
    init: {
      regs: {ax: 5, cs: 0x200, ip: 0, flags: 2},
      ram: [
        [0x2000, 0x40],
        [0x2001, 0xf4],
      ],
    },
    final: {regs: {ax, ip: 2, flags: 6}, ram: []},
    fmask: 0xffff,
  })}\n`;

test('vectors that come out right end with 0, gzipped or not', async () => {
  const plain = await vectors(files.file('right.ndjson', inc(6)));
  expect([plain.status, plain.out]).toEqual([0, expect.stringContaining('1 right, 0 wrong, 0 excluded.')]);
  expect(plain.notes).toMatch(/1 vectors in .* a second/);
  expect((await vectors(files.file('right.ndjson.gz', gzipSync(inc(6))))).status).toBe(0);
});

test('the first wrong vector is shown, and the status is 1', async () => {
  const {status, out} = await vectors(files.file('wrong.ndjson', inc(6) + inc(7)));
  expect(status).toBe(1);
  expect(out).toMatch(/^40 +1 +1$/m);
  expect(out).toContain('inc ax (40 f4)');
  expect(out).toContain('ax 7, here 6');
});

test('--limit counts for each form, and --json gives the same figures', async () => {
  const path = files.file('three.ndjson', inc(6) + inc(6) + inc(7));
  const {status, out} = await vectors(path, '--limit', '2', '--json', '-');
  expect([status, JSON.parse(out)]).toEqual([0, {vectors: 2, forms: [{form: '40', right: 2, wrong: 0, excluded: {}}]}]);
});

test.each([
  [[], 'Give a file'],
  [[files.file('text', 'hello')], 'neither MOO nor the packed form'],
  [[files.file('empty.gz', gzipSync(''))], 'holds no vectors'],
  [[files.file('damaged.gz', Uint8Array.of(0x1f, 0x8b, 1, 2))], 'gzip cannot unpack'],
  [[files.file('half.ndjson', inc(6).slice(0, 40))], 'Line 1 is no vector'],
  [[files.file('cut.MOO', 'MOO \x0c\0\0\0')], 'ends behind what holds it'],
  [[files.path('missing.MOO.gz')], 'Cannot read'],
  [['x', '--limit', '0'], '--limit'],
])('%j is refused with advice', async (args, advice) => {
  expect(await vectors(...args)).toMatchObject({status: 2, notes: expect.stringContaining(advice)});
});
