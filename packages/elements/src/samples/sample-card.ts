// A card for looking at and testing its element: POPF's, shortened.

import type {StealthCardPicture} from '../stealth-card.js';

export const SAMPLE_CARD: StealthCardPicture = {
  mnemonic: 'POPF',
  sentences: [
    'The kernel switches interrupts off by popping a flags image without IF.',
    'Outside ring 0 it believes that they are off.',
  ],
  runs: [
    {where: 'on the bare machine, in ring 0', value: '00000000', verdict: 'right', told: 'nobody'},
    {where: 'under trap-and-emulate, in ring 1', value: '00000200', verdict: 'wrong', told: 'nobody'},
    {
      where: 'in ring 1 of the strict processor',
      value: '00000000',
      verdict: 'right',
      told: 'the monitor, by an exception',
    },
  ],
  answers: [
    ['VT-x', 'never exits: RFLAGS is the guest’s own'],
    ['UMIP', 'makes no difference'],
  ],
  grid: [
    {
      name: 'CPL 3',
      cells: [
        {fate: 'kept in silence', cli: '#GP'},
        {fate: 'kept in silence', cli: '#GP'},
        {fate: 'kept in silence', cli: '#GP'},
        {fate: 'obeyed', cli: 'obeyed'},
      ],
    },
  ],
};
