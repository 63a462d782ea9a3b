// Experiments with exits and page walks that teaching labs ask for: what is run, the table that comes of it, and what it shows.
// The numbers in the sentences are those that were counted.

import {countWalks} from '@hyperscope/simulation';
import type {Bench} from '@hyperscope/simulation';

/** An experiment that was made. */
export interface Lab {
  readonly id: string;
  readonly title: string;
  /** The first is what the rows are about. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly sentences: readonly string[];
}

interface LabDefinition {
  readonly id: string;
  readonly question: string;
  run(): Lab;
}

/** The same processor with and without EPT, so that nothing else differs. */
const machine = (technique: string, more: Partial<Bench> = {}): Bench => ({
  technique,
  profile: technique.startsWith('vtx') ? 'westmere' : undefined,
  costModel: undefined,
  ...more,
});

const NESTED = 'vtx-ept';

function pageWalks(): Lab {
  const machines: readonly (readonly [string, Bench])[] = [
    ['native', machine('bare')],
    ['EPT, 4 KiB', machine(NESTED)],
    ['EPT, 2 MiB', machine(NESTED, {nestedPage: '2M'})],
    ['NPT, 4 KiB', machine('svm-npt')],
    ['NPT, 2 MiB', machine('svm-npt', {nestedPage: '2M'})],
  ];
  const walks = machines.map(([, bench]) => countWalks(bench));
  const reference = (column: number, page: string): number | undefined => {
    const walk = walks[column]?.find(each => each.page === page);
    return walk === undefined ? undefined : walk.guest + walk.nested;
  };
  const pages = walks[0]?.map(({page}) => page) ?? [];
  const cold = walks[1]?.find(({page}) => page === '4 KiB');
  return {
    id: 'walks',
    title: 'Memory references of one cold page walk',
    columns: ['the guest’s page', ...machines.map(([name]) => name)],
    rows: pages.map(page => [page, ...machines.map((_, column) => String(reference(column, page) ?? '–'))]),
    sentences: [
      `Native, a walk of four levels reads ${reference(0, '4 KiB')} entries. Through EPT it reads ${reference(1, '4 KiB')}: ` +
        `${cold?.guest} of the guest's and ${cold?.nested} of EPT, because each of the guest's tables, and then the page itself, ` +
        'has a guest-physical address that must be translated first.',
      `Large pages shorten both walks: ${reference(1, '2 MiB')} with 2 MiB pages of the guest, ${reference(2, '4 KiB')} with ` +
        `2 MiB pages of EPT, ${reference(2, '2 MiB')} with both.`,
      `In order (G: the guest's, N: nested): ${cold?.order.join(' ')}.`,
    ],
  };
}

export const EXIT_LABS: readonly LabDefinition[] = [
  {id: 'walks', question: 'how many references a cold page walk makes', run: pageWalks},
];
