// The table of the experiment of batches. What is counted is tested where it is counted, in entry-counts.test.ts.

import {expect, test} from 'vitest';
import {batches} from './batch-lab.js';

const part = (entries: number, cycles: number) => ({entries, cycles});

test('each way has a row: how often the guest is left, cycles a change; batches have no use in between', () => {
  const {rows, columns, sentences} = batches((guest, {technique}) =>
    guest === 'page-table-edits-pv'
      ? [part(1, 1), part(1000, 900_000), part(10, 310_400), part(1, 300_000), part(1000, 1_000_000)]
      : [
          part(8, 1),
          part(1, 6000),
          part(3, 1),
          part(1001, 1),
          part(2000, technique === 'trap-and-emulate' ? 2_400_000 : 4_700_000),
        ],
  );
  expect(columns).toHaveLength(5);
  expect(rows.map(([name]) => name)).toEqual([
    'vtx-ept',
    'vtx-shadow',
    'trap-and-emulate',
    'binary-translation',
    'paravirtual, one request a hypercall',
    'paravirtual, 100 requests',
    'paravirtual, 1,000 requests',
  ]);
  expect(rows[2]).toEqual(['trap-and-emulate', '1', '6', '2000', '2400']);
  expect(rows.slice(4).map(row => row.slice(1))).toEqual([
    ['1000', '900', '1000', '1000'],
    ['10', '310', '–', '–'],
    ['1', '300', '–', '–'],
  ]);
  expect(sentences[0]).toContain(
    'a hypercall for each costs 900 cycles a change, one for a hundred 310, one for all 300',
  );
  expect(sentences[1]).toContain('trap-and-emulate pays 2400 cycles and VT-x with shadow page tables 4700');
});
