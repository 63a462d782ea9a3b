import {expect, test} from 'vitest';
import {GUESTS} from '@hyperscope/simulation';
import {runInProcess} from '../testing/run-in-process.js';
import {GUESTS_COMMAND} from './guests.js';

const guests = (...args: readonly string[]) => runInProcess([GUESTS_COMMAND], ['guests', ...args]);

test('every guest is listed with what it teaches', async () => {
  const {out} = await guests();
  for (const guest of GUESTS) expect(out).toContain(guest.id);
});

test('a name prints the source, unchanged', async () => {
  expect((await guests('popf')).out).toBe(GUESTS.find(({id}) => id === 'popf')?.source);
});

test('JSON lists the facts without the sources', async () => {
  const listed: unknown = JSON.parse((await guests('--json')).out);
  expect(listed).toHaveLength(GUESTS.length);
  expect(listed).not.toContainEqual(expect.objectContaining({source: expect.anything()}));
});

test('a wrong name is answered with the nearest', async () => {
  expect(await guests('hello-kmv')).toMatchObject({
    status: 2,
    notes: expect.stringContaining('Did you mean hello-kvm?'),
  });
});

test('a port is laid beside its original: a unified diff, and what changed in each part', async () => {
  const {out} = await guests('diff', 'mini-os', 'mini-os-pv');
  expect(out).toMatch(/^--- mini-os\.asm\n\+\+\+ mini-os-pv\.asm\n@@ -1,\d+ \+1,\d+ @@/);
  expect(out).toContain('\n-        mov cr3, rax            ; its address space.');
  expect(out).toContain('\n+        hypercall STACK_SWITCH');
  expect(out).toMatch(/\n@@ .* @@ 8: the timer, and who is next\n/);
  expect(out).toMatch(/7 the frame of a program +\d+ +\d+ +\d+ +IRETQ +iret\n/);
  expect(out).toContain('MOV CR3');
  expect(out).toContain('Nothing differs in part 13.');
});

test('the operating system of the port is the original’s: most lines, and all of the programs', async () => {
  const {parts}: {parts: readonly {number: number; kept: number; removed: number; added: number}[]} = JSON.parse(
    (await guests('diff', 'mini-os', 'mini-os-pv', '--summary', '--json')).out,
  );
  const part = (number: number) => parts.find(each => each.number === number);
  expect(part(13)).toMatchObject({removed: 0, added: 0});
  for (const number of [8, 9, 10, 11]) expect(part(number)?.kept).toBeGreaterThan(3 * (part(number)?.removed ?? 0));
});

test('diff wants two guests, and --summary wants diff', async () => {
  expect(await guests('diff', 'mini-os')).toMatchObject({status: 2, notes: expect.stringContaining('Give two guests')});
  expect(await guests('--summary')).toMatchObject({status: 2});
});
