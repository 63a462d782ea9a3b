// The virtual card reader and punch of a control program's users, in words. Their banks: status, column, then the card.

import type {DeviceKind, DeviceRow} from './device-words.js';

const STATUS = 0,
  COLUMN = 1,
  CARD = 2;

const rowsOf =
  (bits: readonly (readonly [mask: number, name: string])[], idle: string) =>
  (bank: Uint8Array): readonly DeviceRow[] => {
    const set = bits.filter(([mask]) => ((bank[STATUS] ?? 0) & mask) !== 0).map(([, name]) => name);
    return [
      {name: 'status', value: set.length === 0 ? idle : set.join(', '), meaning: ''},
      {name: 'next column', value: String((bank[COLUMN] ?? 0) + 1), meaning: 'of 80'},
      {name: 'card', value: `“${cardText(bank)}”`, meaning: 'without the blanks at its end'},
    ];
  };

const cardText = (bank: Uint8Array): string =>
  String.fromCharCode(...bank.subarray(CARD))
    .replace(/[^\x20-\x7e]/g, '·')
    .trimEnd();

export const CARD_DEVICES: readonly (readonly [bank: string, kind: DeviceKind])[] = [
  [
    'card-reader',
    {
      title: 'Virtual card reader',
      place: 'ports c00h, c01h',
      rows: rowsOf(
        [
          [2, 'a card is in the station'],
          [4, 'end of file'],
        ],
        'no card in the station',
      ),
    },
  ],
  [
    'card-punch',
    {
      title: 'Virtual card punch',
      place: 'ports d00h, d01h',
      rows: rowsOf(
        [
          [1, 'ready'],
          [2, 'intervention required'],
        ],
        'not ready',
      ),
    },
  ],
];
