// The bytes of db, dw, dd and dq.

import {certaintyOf} from './operand-values.js';
import {SourceError} from './diagnostics.js';
import {evaluate, type Scope} from './evaluation.js';
import type {Place} from './expression.js';
import type {Body} from './statement.js';

type Data = Extract<Body, {readonly kind: 'data'}>;
type Warn = (place: Place, message: string, advice: string) => void;

/** Strings are padded with zeros to whole units; numbers too large for a unit are cut, with a warning. */
export function dataBytes(data: Data, scope: Scope, warn: Warn): Uint8Array {
  const {unit} = data;
  const bytes: number[] = [];
  for (const item of data.items) {
    switch (item.kind) {
      case 'text': {
        for (const byte of item.bytes) bytes.push(byte);
        while (bytes.length % unit !== 0) bytes.push(0);
        break;
      }
      case 'uninitialized':
        for (let index = 0; index < unit; index++) bytes.push(0);
        break;
      case 'value': {
        const value = evaluate(item.value, scope);
        if (value.registers.length > 0)
          throw new SourceError(
            item.value.place,
            'A register is not a number.',
            'Data holds numbers, labels and strings.',
          );
        // Only a check: an address that was added to another one is refused here.
        certaintyOf(value, '', item.value.place);
        pushNumber(bytes, value.number, unit, item.value.place, warn);
        break;
      }
    }
  }
  return Uint8Array.from(bytes);
}

function pushNumber(bytes: number[], value: bigint, unit: number, place: Place, warn: Warn): void {
  const width = 8 * unit;
  if (value < -(1n << BigInt(width)) || value >= 1n << BigInt(width)) {
    warn(
      place,
      `${value} does not fit into ${unit === 1 ? 'a byte' : `${unit} bytes`} and was cut.`,
      'Use a larger unit: db, dw, dd or dq.',
    );
  }
  for (let index = 0; index < unit; index++) bytes.push(Number(BigInt.asUintN(8, value >> BigInt(8 * index))));
}
