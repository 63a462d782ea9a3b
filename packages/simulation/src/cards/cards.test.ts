// Each card goes wrong outside ring 0 as history says, and for that reason: nobody was told. Where somebody is told (UMIP, the
// strict processor), and where nobody has to be (VT-x, SVM), it is right.

import {describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {STEALTH_CARDS, findGuest} from '@hyperscope/guests';
import type {StealthCard} from '@hyperscope/guests';
import {runCard} from './run-card.js';
import type {CardRun} from './run-card.js';
import {popfGrid} from './popf-grid.js';

const run = (card: StealthCard): readonly CardRun[] =>
  runCard(card, assertExists(findGuest(card.id), `${card.id} is a guest`));
const at = (runs: readonly CardRun[], id: string): CardRun =>
  assertExists(
    runs.find(each => each.setting.id === id),
    `there is a column ${id}`,
  );

/** What ring 1 and ring 3 print where that does not depend on where the monitor lies. */
const OUTSIDE: Readonly<Record<string, readonly [string, string]>> = {
  PUSHF: ['00000200', '00000200'],
  POPF: ['00000200', '00000200'],
  LAR: ['00cfbb00', '00cffb00'],
  POP: ['00000092', '00000092'],
  PUSH: ['00000001', '00000003'],
  CALL: ['00000009', '0000000b'],
  JMP: ['0000009a', '0000009a'],
  RET: ['0000009a', '0000009a'],
  MOV: ['00000001', '00000003'],
};
/** In ring 1 the DPL that the monitor chose happens to give the right answer; in ring 3 its limits are not needed. */
const WRONG_IN_RING_3_ONLY = ['VERR', 'VERW'];
const WRONG_IN_RING_1_ONLY = ['LSL'];

describe.each(STEALTH_CARDS.filter(({mnemonic}) => mnemonic !== 'INT n').map(card => [card.mnemonic, card] as const))(
  '%s',
  (mnemonic, card) => {
    const runs = run(card);

    test('prints in ring 0 what its card says, and does not trap', () =>
      expect(at(runs, 'ring 0')).toMatchObject({verdict: 'right', traps: 0}));

    test('goes wrong outside ring 0, and nobody is told', () => {
      const [one, three] = [at(runs, 'ring 1'), at(runs, 'ring 3')];
      expect([one.traps, three.traps]).toEqual([0, 0]);
      expect(one.verdict).toBe(WRONG_IN_RING_3_ONLY.includes(mnemonic) ? 'right' : 'wrong');
      expect(three.verdict).toBe(WRONG_IN_RING_1_ONLY.includes(mnemonic) ? 'right' : 'wrong');
      const expected = OUTSIDE[mnemonic];
      if (expected !== undefined) expect([one.value, three.value]).toEqual(expected);
    });

    test('is right under VT-x and SVM, without an exit', () => {
      expect(at(runs, 'VT-x')).toMatchObject({verdict: 'right', exits: 0});
      expect(at(runs, 'AMD-V')).toMatchObject({verdict: 'right', exits: 0});
    });

    test('is right in translation, on the processor on which it goes wrong', () =>
      expect(at(runs, 'binary translation')).toMatchObject({verdict: 'right', exits: 0}));

    test('traps and is right on the strict processor', () =>
      expect(at(runs, 'strict')).toMatchObject({verdict: 'right', traps: 1}));

    test('traps under UMIP where the card says so', () => {
      const umip = at(runs, 'UMIP');
      expect(umip.traps).toBe(card.umip === 'traps' ? 1 : 0);
      if (card.umip === 'traps') expect(umip.verdict).toBe('right');
    });
  },
);

test('INT n traps by itself outside ring 0, so the monitor can do it right', () => {
  const runs = run(
    assertExists(
      STEALTH_CARDS.find(({mnemonic}) => mnemonic === 'INT n'),
      'there is a card',
    ),
  );
  for (const id of ['ring 1', 'ring 3'])
    expect(at(runs, id)).toMatchObject({verdict: 'right', value: '0000000c', traps: 1});
});

describe('the grid of POPF', () => {
  const grid = popfGrid();
  const row = (cpl: number, of: 'popf' | 'cli' | 'ioplChange') =>
    grid.filter(cell => cell.mode === 'protected' && cell.cpl === cpl).map(cell => cell[of]);

  test('IF is obeyed where CPL ≤ IOPL, and kept in silence elsewhere', () => {
    const [yes, no] = ['obeyed', 'kept in silence'];
    expect([0, 1, 2, 3].map(cpl => row(cpl, 'popf'))).toEqual([
      [yes, yes, yes, yes],
      [no, yes, yes, yes],
      [no, no, yes, yes],
      [no, no, no, yes],
    ]);
  });
  test('IOPL is changed at CPL 0 only', () => {
    expect(row(0, 'ioplChange')).toEqual(Array(4).fill('obeyed'));
    for (const cpl of [1, 2, 3]) expect(row(cpl, 'ioplChange')).toEqual(Array(4).fill('kept in silence'));
  });
  test('CLI gives #GP wherever POPF is silent about IF', () => {
    for (const cell of grid.filter(({mode}) => mode === 'protected'))
      expect(cell.cli).toBe(cell.popf === 'obeyed' ? 'obeyed' : '#GP');
  });
  test('in virtual-8086 mode POPF traps below IOPL 3: the only place where it does', () => {
    expect(grid.filter(({mode}) => mode === 'virtual-8086').map(({popf}) => popf)).toEqual([
      '#GP',
      '#GP',
      '#GP',
      'obeyed',
    ]);
    expect(grid.filter(({mode, popf}) => mode === 'protected' && popf === '#GP')).toEqual([]);
  });
});
