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
