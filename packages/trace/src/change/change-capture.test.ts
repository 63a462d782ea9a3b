import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ByteColumn} from '../record/growable-columns.js';
import {ChangeCapture} from './change-capture.js';
import {ChangeReader, applyChange} from './change.js';

const fresh = (): {name: string; bytes: Uint8Array}[] => [
  {name: 'registers', bytes: new Uint8Array(32)},
  {name: 'memory', bytes: new Uint8Array(256)},
  {name: 'uart', bytes: new Uint8Array(8)},
];

const anyWrite = fc.record({
  bank: fc.constantFrom('registers', 'memory', 'uart'),
  offset: fc.nat(255),
  bytes: fc.uint8Array({minLength: 1, maxLength: 40}),
});

test('whatever is written in a step, however often and overlapping, its change leads back', () => {
  fc.assert(
    fc.property(fc.array(anyWrite, {maxLength: 30}), writes => {
      const banks = fresh();
      banks.forEach(bank =>
        bank.bytes.forEach((_, i) => {
          bank.bytes[i] = (i * 7 + 3) & 0xff;
        }),
      );
      const before = banks.map(bank => bank.bytes.slice());
      const out = new ByteColumn();
      const capture = new ChangeCapture(banks, ['registers'], out);
      for (const write of writes) {
        const bank = banks.find(one => one.name === write.bank);
        const length = Math.min(write.bytes.length, (bank?.bytes.length ?? 0) - write.offset);
        if (bank === undefined || length <= 0) continue;
        capture.willWrite(write.bank, write.offset, length);
        bank.bytes.set(write.bytes.subarray(0, length), write.offset);
      }
      capture.take();
      const change = out.toBytes();
      applyChange(new ChangeReader(), change, 0, change.length, capture.space, banks);
      expect(banks.map(bank => bank.bytes)).toEqual(before);
    }),
  );
});

test('a register that did not change costs nothing', () => {
  const out = new ByteColumn();
  const capture = new ChangeCapture(fresh(), ['registers'], out);
  capture.take();
  expect(out.length).toBe(0);
});

test('a memory write of the same value is still a write', () => {
  const banks = fresh();
  const out = new ByteColumn();
  const capture = new ChangeCapture(banks, ['registers'], out);
  capture.willWrite('memory', 4, 2);
  capture.take();
  expect([...out.toBytes()]).toEqual([36, 2, 0, 0]);
});
