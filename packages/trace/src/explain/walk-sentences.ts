// The page walks of a step, in a sentence each: what the processor had to look up because the TLB did not know.

import {hex} from '@hyperscope/base';
import type {TraceEvent} from '../record-format.js';

type Walk = Extract<TraceEvent, {kind: 'page-walk'}>;
const MOST_WALKS = 2;
const ACCESS = {read: 'reading', write: 'writing', execute: 'fetching from'} as const;

/** Walks that ended in a fault or an exit are told by that. */
export function walkSentences(events: readonly TraceEvent[]): readonly string[] {
  const walks = events.filter(event => event.kind === 'page-walk').filter(walk => walk.outcome === 'mapped');
  const rest = walks.length - MOST_WALKS;
  return [
    ...walks.slice(0, MOST_WALKS).map(walkSentence),
    ...(rest > 0 ? [`${rest} more address translation${rest === 1 ? '' : 's'} needed a page walk.`] : []),
  ];
}

/** Whose tables stand behind the guest's. */
export const nestedName = ({references}: Pick<Walk, 'references'>): 'EPT' | 'NPT' =>
  references.some(({table}) => table === 'npt') ? 'NPT' : 'EPT';

function walkSentence(walk: Walk): string {
  const guest = walk.references.filter(reference => reference.table === 'guest').length;
  const counts: readonly (readonly [number, string])[] = [
    [guest, 'guest'],
    [walk.references.length - guest, nestedName(walk)],
  ];
  const entries = counts
    .filter(([count]) => count > 0)
    .map(([count, whose]) => `${count} ${whose} entr${count === 1 ? 'y' : 'ies'}`);
  return `The TLB did not know linear address ${hex(walk.linear)}: ${ACCESS[walk.access]} it took a page walk that read ${entries.join(' and ')}.`;
}
