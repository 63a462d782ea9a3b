// What binary translation did in a run, as a table.

import type {RunResult} from '@hyperscope/simulation';
import {table} from '../terminal/table.js';

/** Nothing where no kernel was translated. */
export function translationLines(counts: RunResult['translation']): readonly string[] {
  if (counts === undefined) return [];
  const {instructions} = counts;
  const looked = counts.lookUpHits + counts.lookUpMisses;
  const rows: readonly (readonly [name: string, count: number])[] = [
    ['blocks translated', counts.blocks],
    [`bytes of guest code (${counts.cacheBytes} in the cache)`, counts.sourceBytes],
    ['instructions copied as they are', instructions.ident],
    ['replaced by code on the virtual CPU', instructions['in-cache']],
    ['replaced by callouts', instructions.callout],
    ['jumps, calls and returns', instructions.control],
    ['jumps chained', counts.chained],
    [`look-ups in the cache (${counts.lookUpMisses} of them found nothing)`, looked],
    ['callouts executed', counts.callouts],
    ['translations thrown away', counts.invalidated],
    ['times that the cache was full', counts.emptied],
    ['instructions retranslated as callouts', counts.calledOut],
    ['copied again after that', counts.copiedAgain],
  ];
  return table(
    [
      {title: 'binary translation', align: 'left'},
      {title: 'count', align: 'right'},
    ],
    rows.map(([name, count]) => [name, String(count)]),
  );
}
