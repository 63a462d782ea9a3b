// Experiments with exits and page walks that teaching labs ask for: what is run, the table that comes of it, and what it shows.
// The numbers in the sentences are those that were counted.

import {countExits, countWalks, totalOf} from '@hyperscope/simulation';
import type {Bench, ExitPart} from '@hyperscope/simulation';
import {batches} from './batch-lab.js';

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
  /** It takes half a minute: made when it is asked for by name. */
  readonly takes?: 'long';
  run(): Lab;
}

/** The same processor with and without EPT, so that nothing else differs. */
const machine = (technique: string, more: Partial<Bench> = {}): Bench => ({
  technique,
  profile: technique.startsWith('vtx') ? 'westmere' : undefined,
  costModel: undefined,
  ...more,
});

const SHADOW = 'vtx-shadow';
const NESTED = 'vtx-ept';
const countOf = (part: ExitPart, number: string): number => part.find(exit => exit.number === number)?.count ?? 0;
const times = (count: number): string => (count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`);

function nestedPagingOnAndOff(): Lab {
  const guest = 'hello-kvm';
  const off = countExits(guest, machine(SHADOW)).all;
  const on = countExits(guest, machine(NESTED)).all;
  const reasons = new Map([...off, ...on].map(({number, title}) => [number, title] as const));
  return {
    id: 'ept',
    title: `VM exits of ${guest}, with EPT off and on`,
    columns: ['reason', 'EPT off', 'EPT on'],
    rows: [...reasons]
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([number, title]) => [`${number} ${title}`, String(countOf(off, number)), String(countOf(on, number))]),
    sentences: [
      `Without EPT the hypervisor must see what the guest does to its own paging: reason 28 comes ${times(countOf(off, '28'))}, ` +
        `page faults (reason 0) ${times(countOf(off, '0'))}, reason 48 ${times(countOf(off, '48'))}.`,
      `With EPT that is the guest's business: reason 28 comes ${times(countOf(on, '28'))}, ` +
        `reason 0 ${times(countOf(on, '0'))}, and reason 48 ${times(countOf(on, '48'))}, once for each page at its first use.`,
    ],
  };
}

const EDITS = ['writes alone', 'then MOV to CR3', 'each with INVLPG', 'each with INVLPG and a use'] as const;

function pageTableEdits(): Lab {
  const guest = 'page-table-edits';
  const machines: readonly (readonly [string, Bench])[] = [
    [`${SHADOW}, as KVM`, machine(SHADOW)],
    [`${SHADOW}, as in 2006`, machine(SHADOW, {leafTables: 'trapped'})],
    [NESTED, machine(NESTED)],
    ['svm-npt', machine('svm-npt')],
  ];
  const parts = machines.map(([, bench]) => countExits(guest, bench).parts);
  const total = (column: number, part: number): number => totalOf(parts[column]?.[part + 1] ?? []);
  const sums = machines.map((_, column) => EDITS.reduce((sum, _edit, part) => sum + total(column, part), 0));
  return {
    id: 'edits',
    title: 'VM exits of 1,000 changes of a page table',
    columns: ['1,000 changes', ...machines.map(([name]) => name)],
    rows: EDITS.map((name, part) => [name, ...machines.map((_, column) => String(total(column, part)))]),
    sentences: [
      `Shadow page tables have to follow the guest's. In 2006 every write was trapped: ${sums[1]} exits in all. KVM lets a table ` +
        `of the last level go out of step until INVLPG or MOV to CR3 says that it counts: ${sums[0]}. With nested paging the ` +
        `tables are the guest's own: ${sums[2]}.`,
    ],
  };
}

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
  {id: 'ept', question: 'what leaves a guest with EPT off and on', run: nestedPagingOnAndOff},
  {id: 'edits', question: 'who notices 1,000 changes of a page table', run: pageTableEdits},
  {
    id: 'batches',
    question: 'what 1,000 changes of a page table cost by hypercall, one by one and in batches',
    takes: 'long',
    run: () => batches(),
  },
  {id: 'walks', question: 'how many references a cold page walk makes', run: pageWalks},
];
