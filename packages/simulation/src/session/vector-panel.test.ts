// The group of vector registers: silent until used, then each register with what it was.

import {VECTOR_BANK_BYTES, vectorPlace} from '@hyperscope/isa';
import type {VectorCell} from '@hyperscope/isa';
import type {Moment} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {SimulationHost} from '../simulation-host.js';
import {vectorPanel} from './vector-panel.js';
import {SHIPPED} from '../shipped.js';

/** The panel before the first instruction and after each, on `technique`; moments without a change are left out. */
function panels(code: string, technique = 'bare'): readonly Moment['vector'][] {
  const bytes = Uint8Array.from(code.split(' '), byte => parseInt(byte, 16));
  const session = new SimulationHost(SHIPPED).open({
    guest: {id: 'vectors', title: 'vectors', bytes, lines: [], loadAddress: 0x8000, memoryMiB: 2, mode: 'real'},
    technique,
  });
  while (!session.record.finished) session.driver.advance();
  const all = Array.from({length: session.record.length + 1}, (_, index) => session.seek(index).vector);
  return [all[0] ?? [], ...all.slice(1).filter(rows => rows.some(row => row.changed))];
}

const named = (rows: Moment['vector'] | undefined, name: string): Moment['vector'][number] | undefined =>
  rows?.find(row => row.name === name);

// mov eax, cr4; or ah, 2; mov cr4, eax
const ENABLE = '0f 20 e0 80 cc 02 0f 22 e0';
const ONES = '0xffffffffffffffffffffffffffffffff';
const ZEROS = '0x00000000000000000000000000000000';

test.each(['bare', 'vtx-ept', 'vtx-shadow'])(
  'on %s XMM0 appears when it is written, and says what it was',
  technique => {
    // pcmpeqb xmm0, xmm0; pxor xmm0, xmm0; hlt
    const [untouched, written, cleared, ...rest] = panels(`${ENABLE} 66 0f 74 c0 66 0f ef c0 f4`, technique);
    expect(untouched).toEqual([]);
    expect(written).toEqual([
      {name: 'XMM0', value: ONES, changed: true, was: ZEROS, meaning: ''},
      {
        name: 'MXCSR',
        value: '0x1f80',
        changed: false,
        was: undefined,
        meaning: 'every exception masked; rounds to nearest',
      },
    ]);
    expect(named(cleared, 'XMM0')).toMatchObject({value: ZEROS, changed: true, was: ONES});
    expect(rest).toEqual([]);
  },
);

test('where every vector register is as after RESET again, nothing is shown', () => {
  const bytes = Uint8Array.from(`${ENABLE} 66 0f 74 c0 66 0f ef c0 90 f4`.split(' '), byte => parseInt(byte, 16));
  const session = new SimulationHost(SHIPPED).open({
    guest: {id: 'vectors', title: 'vectors', bytes, lines: [], loadAddress: 0x8000, memoryMiB: 2, mode: 'real'},
    technique: 'bare',
  });
  while (!session.record.finished) session.driver.advance();
  expect(session.seek(session.record.length).vector).toEqual([]);
});

test('FNINIT empties the stack and shows the words; MMX fills it, EMMS empties it', () => {
  // fninit; mov eax, 0x1234; movd mm3, eax; emms; hlt
  const [untouched, initialized, filled, emptied] = panels(`${ENABLE} db e3 66 b8 34 12 00 00 0f 6e d8 0f 77 f4`);
  expect(untouched).toEqual([]);
  expect(initialized?.map(({name, value, was}) => [name, value, was])).toEqual([
    ['FCW', '0x037f', '0x0040'],
    ['FSW', '0x0000', undefined],
    ['FTW', '0x00', '0xff'],
  ]);
  expect(named(initialized, 'FCW')?.meaning).toBe('every exception masked; 64-bit precision; rounds to nearest');
  expect(filled?.slice(3).map(row => row.name)).toEqual(Array.from({length: 8}, (_, depth) => `ST(${depth})`));
  expect(named(filled, 'ST(3)')).toEqual({
    name: 'ST(3)',
    value: '0xffff0000000000001234',
    changed: true,
    was: 'empty',
    meaning: 'R3, which MMX calls MM3: special',
  });
  expect(named(emptied, 'FTW')).toMatchObject({value: '0x00', was: '0xff'});
  expect(named(emptied, 'ST(0)')).toBeUndefined();
});

test('the stack starts at the register that TOP names, and a tag says what a register holds', () => {
  const bank = new Uint8Array(VECTOR_BANK_BYTES);
  const put = (cell: VectorCell, ...bytes: readonly number[]): void => bank.set(bytes, vectorPlace(cell).offset);
  // TOP 6, IE and C1; R6 is 1.0, R7 is +0.0, R0 a denormal; the others are empty.
  put('FSW', 0x01, 0x32);
  put('FTW', 0b1100_0001);
  put('MM6', 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f);
  put('MM0', 1);
  put('MXCSR', 0x80, 0x1f);
  const rows = vectorPanel(bank, undefined);
  expect(rows.slice(3, 7).map(({value, meaning}) => [value, meaning])).toEqual([
    ['0x3fff8000000000000000', 'R6, which MMX calls MM6: valid'],
    ['0x00000000000000000000', 'R7, which MMX calls MM7: zero'],
    ['0x00000000000000000001', 'R0, which MMX calls MM0: special'],
    ['0x00000000000000000000', 'R1, which MMX calls MM1: empty'],
  ]);
  expect(named(rows, 'FSW')?.meaning).toBe('ST(0) is R6; IE; C1');
  expect(named(rows, 'FTW')?.meaning).toBe('abridged tags: not empty: R0 R6 R7');
  expect(rows.some(row => row.changed)).toBe(false);
});

test('MXCSR alone is enough to be shown, with its modes and flags in words', () => {
  const bank = new Uint8Array(VECTOR_BANK_BYTES);
  // FCW and tags as after RESET; FZ, rounding up, #Z not masked, PE.
  bank.set([0x40, 0, 0, 0, 0xff]);
  bank.set([0xa0, 0xdd], vectorPlace('MXCSR').offset);
  expect(vectorPanel(bank, undefined)).toEqual([
    {
      name: 'MXCSR',
      value: '0xdda0',
      changed: false,
      was: undefined,
      meaning: 'not masked: #Z; rounds up; FZ; PE',
    },
  ]);
});

test('a record without these registers shows none', () => {
  expect(vectorPanel(undefined, undefined)).toEqual([]);
});
