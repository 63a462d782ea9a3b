// Numbers as bytes, least significant first.

/** `value`, truncated to so many bytes. */
export function encodeLittle(value: bigint, bytes: number): readonly number[] {
  const bits = BigInt.asUintN(64, value);
  return Array.from({length: bytes}, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
}
