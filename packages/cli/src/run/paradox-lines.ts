// The paradox of 2005 as text: each workload over the generations, each hypervisor beside native, who has the fewest cycles; and
// where translation and the first hardware change places.

import {WORKLOADS} from '@hyperscope/simulation';
import type {
  DensityBreakEven,
  Generation,
  ParadoxCell,
  RivalRun,
  RoundTripBreakEven,
  WorkloadId,
} from '@hyperscope/simulation';
import {table, wrap} from '../terminal/table.js';
import type {Column} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

/** What was found of one generation by running it again and again. */
export interface BreakEvens {
  readonly generation: Generation;
  readonly roundTrips: readonly (readonly [WorkloadId, RoundTripBreakEven])[];
  readonly density: DensityBreakEven | undefined;
}

const COLUMNS: readonly Column[] = [
  {title: 'cycles of', align: 'left'},
  {title: 'round trip', align: 'right'},
  {title: 'native', align: 'right'},
  {title: 'translation', align: 'right'},
  {title: 'exits', align: 'right'},
  {title: 'vtx-shadow', align: 'right'},
  {title: 'exits', align: 'right'},
  {title: 'vtx-ept', align: 'right'},
  {title: 'exits', align: 'right'},
  {title: 'fewest cycles', align: 'left'},
];

export function paradoxLines(
  cells: readonly ParadoxCell[],
  found: BreakEvens | undefined,
  terminal: Terminal,
): readonly string[] {
  const {style, width} = terminal;
  return [
    ...WORKLOADS.flatMap(({id, title, what}) => {
      const rows = cells.filter(({workload}) => workload === id).map(cell => row(cell, terminal));
      return rows.length === 0
        ? []
        : [...wrap(`${style('bold', title)}: ${what}`, width), ...table(COLUMNS, rows).map(line => `  ${line}`), ''];
    }),
    ...wrap(
      'Under each hypervisor: its cycles divided by the native ones of the same model, and how often it had the processor for each thousand instructions of the guest. ' +
        'Software is the same in all generations; page tables are followed write by write, as in 2006. Before Nehalem there is no EPT.',
      width,
    ).map(line => style('dim', line)),
    ...(found === undefined ? [] : ['', ...breakEvenLines(found, terminal)]),
  ];
}

function row({generation, native, rivals, winners}: ParadoxCell, {style}: Terminal): readonly string[] {
  const columns = (['binary-translation', 'vtx-shadow', 'vtx-ept'] as const).flatMap(technique => {
    const run = rivals.find(each => each.technique === technique);
    return run === undefined
      ? ['–', '']
      : rivalTexts(run, winners.includes(technique) ? text => style('green', text) : text => text);
  });
  const wins =
    winners.length === rivals.length ? 'all alike' : winners.join(', ').replace('binary-translation', 'translation');
  return [shortName(generation), String(generation.roundTrip), String(native.cycles), ...columns, wins];
}

/** With a star where figures were changed. */
const shortName = ({costModel}: Generation): string => costModel.replace(/,.*/, '*');

const rivalTexts = ({ratio, exitsPerThousand}: RivalRun, shown: (text: string) => string): readonly string[] => [
  shown(ratio.toFixed(2)),
  exitsPerThousand.toFixed(1),
];

function breakEvenLines({generation, roundTrips, density}: BreakEvens, {style, width}: Terminal): readonly string[] {
  const title = (id: WorkloadId): string => WORKLOADS.find(each => each.id === id)?.title ?? id;
  return [
    ...wrap(
      style(
        'bold',
        `Where binary translation and VT-x with shadow page tables change places (${generation.title}; runs repeated with another round trip)`,
      ),
      width,
    ),
    ...table(
      [
        {title: 'workload', align: 'left'},
        {title: 'they change places', align: 'left'},
      ],
      roundTrips.map(([id, found]) => [title(id), roundTripText(found, generation)]),
    ).map(line => `  ${line}`),
    ...(density === undefined
      ? []
      : [
          '',
          ...wrap(
            `From ${density.exitsPerThousand.toFixed(1)} VM exits in a thousand instructions on, translation wins in a guest that makes system calls: there ${density.edits} of 1,000 calls change a page-table entry (${density.cycles.translated} cycles translated, ${density.cycles.hardware} with VT-x).`,
            width,
          ),
        ]),
  ];
}

function roundTripText(found: RoundTripBreakEven, {roundTrip}: Generation): string {
  switch (found.kind) {
    case 'round-trip':
      return `at a round trip of ${found.cycles} cycles (it is ${roundTrip})`;
    case 'translation-wins':
      return `never: translation is faster ${found.why}`;
    case 'hardware-wins':
      return `never: VT-x is faster, ${found.why}`;
    case 'even':
      return `never: ${found.why}`;
  }
}
