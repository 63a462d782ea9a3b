// A comparison as text: who, the table of exits, the differences, the verdict.

import type {Comparison, Difference, ExitComparison} from '@hyperscope/trace';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

/** Differences shown; the JSON has all. */
const SHOWN = 12;

export function comparisonLines(comparison: Comparison, terminal: Terminal): readonly string[] {
  const {style} = terminal;
  const width = Math.min(110, terminal.width);
  const {a, b, exits, differences, sentences} = comparison;
  const rows = exits.map(row => [
    row.reason,
    String(row.a),
    String(row.b),
    row.instruction,
    row.class === undefined ? style('green', row.verdict) : style(colourOf(row), `${row.verdict}: ${row.class}`),
  ]);
  const columns = [
    {title: 'exit', align: 'left'},
    {title: a.header.technique, align: 'right'},
    {title: b.header.technique, align: 'right'},
    {title: 'guest instruction', align: 'left'},
    {title: 'verdict', align: 'left'},
  ] as const;
  const reasons = [...new Set(exits.filter(row => row.class !== undefined).map(row => row.why))];
  return [
    style('bold', `${a.header.guest.id}: ${a.name} | ${b.name}`),
    '',
    ...table(columns, rows).map(line => `  ${line}`),
    '',
    ...insideKvmLines(comparison, terminal, width),
    ...reasons.flatMap(why => wrap(why, width, '  ')),
    ...(reasons.length > 0 ? [''] : []),
    ...differences.slice(0, SHOWN).flatMap(difference => differenceLines(difference, terminal, width)),
    ...(differences.length > SHOWN ? [`  … and ${differences.length - SHOWN} more (see --json)`] : []),
    ...(differences.length > 0 ? [''] : []),
    ...sentences.slice(0, -1).flatMap(sentence => wrap(sentence, width)),
    style(comparison.unexplained === 0 ? 'green' : 'red', sentences.at(-1) ?? ''),
    '',
  ];
}

const colourOf = (row: ExitComparison): 'red' | 'yellow' => (row.class === 'unexplained' ? 'red' : 'yellow');

function differenceLines(difference: Difference, {style}: Terminal, width: number): readonly string[] {
  const {at, what, a, b, why} = difference;
  const name = style(difference.class === 'unexplained' ? 'red' : 'yellow', difference.class);
  return [
    `  ${name}  ${what}: ${a} | ${b}  ${style('dim', `(steps ${at.a} | ${at.b})`)}`,
    ...wrap(why, width, '      '),
  ];
}

/** What each side's KVM did by itself; nothing unless real KVM was asked to tell (--inside-kvm). */
function insideKvmLines({a, b}: Comparison, {style}: Terminal, width: number): readonly string[] {
  if (a.statistics === undefined && b.statistics === undefined) return [];
  const side = (each: Comparison['a']): readonly string[] => {
    const counts = each.insideKvm.map(([name, count]) => `${name} ${count}`).join(', ');
    const seen = counts === '' ? 'nothing was traced' : counts;
    return [
      ...wrap(`${each.name}: ${seen}.`, width, '  '),
      ...(each.statistics === undefined ? [] : wrap(`Its counters moved by: ${each.statistics}.`, width, '      ')),
    ];
  };
  return [style('bold', 'Inside KVM, without user space'), ...side(a), ...side(b), ''];
}
