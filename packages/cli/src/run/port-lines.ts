// A port beside its original, as lines of a terminal: a unified diff, and what changed in each part.

import {diffHunks} from '@hyperscope/trace';
import type {DiffLine} from '@hyperscope/trace';
import type {Counted, PortPart} from '@hyperscope/simulation';
import type {Styles} from '../terminal/colours.js';
import {table, wrap} from '../terminal/table.js';
import type {Column} from '../terminal/table.js';

const HEADING = /^; -{4} (.+?) -+$/;

/** As `diff -u` prints it; each hunk names the part of the program that it is in. */
export function diffText(before: string, after: string, lines: readonly DiffLine[], style: Styles): readonly string[] {
  const out = [`--- ${before}.asm`, `+++ ${after}.asm`];
  const headings = headingsOf(lines);
  for (const hunk of diffHunks(lines)) {
    const places = `@@ -${hunk.before.join(',')} +${hunk.after.join(',')} @@`;
    out.push(style('cyan', `${places} ${headings(hunk.before[0])}`.trimEnd()));
    for (const {kind, text} of hunk.lines) {
      if (kind === 'removed') out.push(style('red', `-${text}`));
      else out.push(kind === 'added' ? style('green', `+${text}`) : ` ${text}`);
    }
  }
  return out;
}

/** The part that a line of the original is in. */
function headingsOf(lines: readonly DiffLine[]): (line: number) => string {
  const starts = lines
    .filter(({kind}) => kind !== 'added')
    .flatMap(({text}, index) => {
      const title = HEADING.exec(text)?.[1];
      return title === undefined ? [] : [{line: index + 1, title}];
    });
  return line => starts.findLast(start => start.line <= line)?.title ?? '';
}

const COLUMNS: readonly Column[] = [
  {title: 'part', align: 'left'},
  {title: 'kept', align: 'right'},
  {title: '−', align: 'right'},
  {title: '+', align: 'right'},
  {title: 'sensitive instructions gone', align: 'left'},
  {title: 'hypercalls instead', align: 'left'},
];

const words = (counts: readonly Counted[]): string =>
  counts.map(([name, count]) => (count === 1 ? name : `${name} × ${count}`)).join(', ');

export function partsTable(parts: readonly PortPart[], width: number): readonly string[] {
  const sum = (count: (part: PortPart) => number): number => parts.reduce((total, part) => total + count(part), 0);
  const rows = parts.map(({number, title, newTitle, kept, removed, added, replaced, hypercalls}) => [
    `${number === 0 ? '' : `${number} `}${title}${newTitle === undefined ? '' : ` → ${newTitle}`}`,
    String(kept),
    String(removed),
    String(added),
    words(replaced),
    words(hypercalls),
  ]);
  const [kept, removed, added] = [sum(part => part.kept), sum(part => part.removed), sum(part => part.added)];
  const percent = Math.round((100 * kept) / (kept + removed));
  const untouched = parts.filter(part => part.removed + part.added === 0).map(({number}) => number);
  const same = untouched.length === 0 ? '' : ` Nothing differs in part ${untouched.join(', ')}.`;
  return [
    ...table(COLUMNS, [...rows, ['all', String(kept), String(removed), String(added), '', '']]),
    '',
    ...wrap(`${kept} of ${kept + removed} lines, ${percent} %, are the same in both.${same}`, width),
  ];
}
