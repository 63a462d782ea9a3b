// `--cpu list`: the processors that a simulated run may have, one line each.

import {PROCESSORS} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {table} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

const COLUMNS = [
  {title: 'processor', align: 'left'},
  {title: 'year', align: 'right'},
  {title: 'what came with it', align: 'left'},
] as const;

export function listProcessors(terminal: Terminal): number {
  const rows = PROCESSORS.map(({id, year, summary}) => [id, String(year), summary]);
  for (const line of table(COLUMNS, rows)) terminal.line(line);
  terminal.line('');
  terminal.line('Switch features by name: --cpu westmere,+smep,-nx. With +strict every sensitive instruction traps');
  terminal.line('outside ring 0, as Popek and Goldberg ask. Where none is chosen, the processor is westmere.');
  return EXIT.ok;
}
