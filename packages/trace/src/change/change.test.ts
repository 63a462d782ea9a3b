import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {composeChanges} from './change-accumulator.js';
import {encodeChange} from './change-encoder.js';
import {ChangeReader, applyChange, changeTouches, invertChange, isWellFormed} from './change.js';
import {StateSpace} from './state-space.js';

const SHAPES = [
  {name: 'registers', size: 16},
  {name: 'memory', size: 300},
  {name: 'uart', size: 5},
];
const space = new StateSpace(SHAPES);

type Banks = readonly {readonly name: string; readonly bytes: Uint8Array}[];
const banksOf = (state: Uint8Array): Banks =>
  space.shapes.map((shape, i) => ({
    name: shape.name,
    bytes: state.slice(space.starts[i], (space.starts[i] ?? 0) + shape.size),
  }));
const flat = (banks: Banks): number[] => banks.flatMap(bank => [...bank.bytes]);

function applied(change: Uint8Array, banks: Banks): Banks {
  const copy = banks.map(bank => ({name: bank.name, bytes: bank.bytes.slice()}));
  applyChange(new ChangeReader(), change, 0, change.length, space, copy);
  return copy;
}

const anyState = fc.uint8Array({minLength: space.size, maxLength: space.size});
const anyBytes = fc
  .uniqueArray(fc.tuple(fc.nat(space.size - 1), fc.nat(255)), {selector: ([place]) => place})
  .map(bytes => bytes.toSorted((a, b) => a[0] - b[0]));

describe('a change', () => {
  test('is undone by its inverse', () =>
    fc.assert(
      fc.property(anyState, anyBytes, (state, bytes) => {
        const change = encodeChange(bytes);
        const banks = banksOf(state);
        expect(flat(applied(invertChange(change), applied(change, banks)))).toEqual(flat(banks));
      }),
    ));

  test('changes exactly the bytes it names', () =>
    fc.assert(
      fc.property(anyState, anyBytes, (state, bytes) => {
        const expected = [...state];
        for (const [place, xor] of bytes) expected[place] = (expected[place] ?? 0) ^ xor;
        expect(flat(applied(encodeChange(bytes), banksOf(state)))).toEqual(expected);
      }),
    ));

  test('composes with the next into one of the same effect', () =>
    fc.assert(
      fc.property(anyState, anyBytes, anyBytes, (state, a, b) => {
        const first = encodeChange(a);
        const second = encodeChange(b);
        const both = applied(second, applied(first, banksOf(state)));
        expect(flat(applied(composeChanges(first, second), banksOf(state)))).toEqual(flat(both));
      }),
    ));

  test('composes to the same bytes in whichever way three are grouped', () =>
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (a, b, c) => {
        const [x, y, z] = [encodeChange(a), encodeChange(b), encodeChange(c)];
        expect(composeChanges(composeChanges(x, y), z)).toEqual(composeChanges(x, composeChanges(y, z)));
      }),
    ));

  test('is read back as it was encoded, unchanged values included', () =>
    fc.assert(
      fc.property(anyBytes, bytes => {
        const change = encodeChange(bytes);
        const reader = new ChangeReader();
        const read: [number, number][] = [];
        reader.start(change, 0, change.length);
        while (reader.next())
          for (let i = 0; i < reader.length; i++) read.push([reader.place + i, change[reader.dataStart + i] ?? -1]);
        expect(read).toEqual(bytes);
        expect(isWellFormed(reader, change, 0, change.length, space.size)).toBe(true);
        for (let place = 0; place < space.size; place++) {
          expect(changeTouches(reader, change, 0, change.length, place)).toBe(bytes.some(([p]) => p === place));
        }
      }),
    ));

  test('keeps places beyond 4 GiB', () => {
    const reader = new ChangeReader();
    const change = encodeChange([[2 ** 40 + 3, 0xff]]);
    reader.start(change, 0, change.length);
    expect(reader.next()).toBe(true);
    expect(reader.place).toBe(2 ** 40 + 3);
  });

  test('that is cut off, or reaches beyond the state, is not well formed', () => {
    const change = encodeChange([
      [10, 1],
      [11, 2],
      [12, 3],
    ]);
    expect(isWellFormed(new ChangeReader(), change, 0, change.length - 1, space.size)).toBe(false);
    expect(isWellFormed(new ChangeReader(), change, 0, change.length, 12)).toBe(false);
    expect(isWellFormed(new ChangeReader(), change, 0, change.length, 13)).toBe(true);
  });
});
