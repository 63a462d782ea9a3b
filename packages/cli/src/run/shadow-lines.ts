// What the shadow MMU did in a run, as a table like that of the exits.

import type {RunResult} from '@hyperscope/simulation';
import {table} from '../terminal/table.js';

/** A name for each count; what did not happen is not listed, apart from the two kinds of faults. */
const NAMES: readonly (readonly [key: string, name: string])[] = [
  ['hiddenFaults', 'hidden page faults'],
  ['trueFaults', 'true page faults'],
  ['pageTableWrites', 'page-table writes carried out in software'],
  ['cr3Loads', 'CR3 loads'],
  ['invalidations', 'INVLPGs'],
  ['unsyncs', 'page tables let go'],
  ['syncs', 'page tables synchronized'],
  ['deviceFaults', 'accesses to devices and ROMs'],
  ['zaps', 'shadow pages dropped'],
  ['floods', 'pages written too often for a page table'],
  ['poolExhaustions', 'times that the pool was empty'],
];

/** Nothing where the technique has no shadow page tables. */
export function shadowLines(counts: RunResult['shadowPaging']): readonly string[] {
  if (counts === undefined) return [];
  const rows = NAMES.filter(([key], at) => at < 2 || (counts[key] ?? 0) > 0);
  return table(
    [
      {title: 'shadow paging', align: 'left'},
      {title: 'count', align: 'right'},
    ],
    rows.map(([key, name]) => [name, String(counts[key] ?? 0)]),
  );
}
