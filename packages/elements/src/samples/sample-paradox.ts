// Two workloads of the paradox, for looking at and testing its chart: one decided, one that still runs.

import type {ParadoxRow} from '../paradox-chart.js';

export const SAMPLE_PARADOX: readonly ParadoxRow[] = [
  {
    title: 'fork and wait',
    what: 'page tables are made and write-protected',
    bars: [
      {machine: 'Translation', ratio: 10.14, exitsPerThousand: 151.1, isBest: true, isLine: true},
      {machine: 'VT-x, shadow', ratio: 63.32, exitsPerThousand: 133, isBest: false, isLine: false},
    ],
    breakEven: 'Translation is faster even where an exit costs nothing.',
  },
  {
    title: 'page walks',
    what: 'one of 1,024 pages after the other',
    bars: [
      {machine: 'Translation', ratio: 0.999, exitsPerThousand: 0, isBest: false, isLine: true},
      {machine: 'VT-x, shadow', ratio: undefined, exitsPerThousand: undefined, isBest: false, isLine: false},
    ],
    breakEven: '',
  },
];
