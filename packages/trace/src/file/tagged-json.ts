// JSON that can carry what JSON cannot: 64-bit integers as {"$bigint": "0x…"} and bytes as {"$bytes": "48 65…" without blanks}.

import {hexBytes} from '@hyperscope/base';
import {isObject} from './shape.js';

/** The text of a value made of plain objects, arrays, strings, numbers, booleans, bigints and byte arrays. */
export function toTaggedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return {$bigint: `0x${inner.toString(16)}`};
    if (inner instanceof Uint8Array) return {$bytes: hexBytes(inner, '')};
    return inner;
  });
}

/** The value of such a text. Throws a SyntaxError where it is no JSON. */
export function fromTaggedJson(source: string): unknown {
  return JSON.parse(source, (_key, inner: unknown) => {
    if (!isObject(inner)) return inner;
    const {$bigint, $bytes} = inner;
    if (typeof $bigint === 'string' && /^0x[0-9a-f]{1,16}$/.test($bigint)) return BigInt($bigint);
    if (typeof $bytes === 'string' && /^([0-9a-f]{2})*$/.test($bytes)) {
      return Uint8Array.from($bytes.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
    }
    return inner;
  });
}
