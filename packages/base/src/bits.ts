// Bit fields, written [high:low] as the manuals write them.

/** Bits high…low of `value`, shifted down. */
export function bits(value: bigint, high: number, low: number): bigint {
  return BigInt.asUintN(high - low + 1, value >> BigInt(low));
}

/** Bit `index` of `value`. */
export function bit(value: bigint, index: number): boolean {
  return ((value >> BigInt(index)) & 1n) === 1n;
}

/** `value` with bits high…low replaced by `field`. */
export function withBits(value: bigint, high: number, low: number, field: bigint): bigint {
  const mask = ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
  return (value & ~mask) | ((field << BigInt(low)) & mask);
}

/** The lowest `width` bits of `value`, read as two's complement. */
export const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);

/** The lowest `width` bits of `value`. */
export const unsigned = (value: bigint, width: number): bigint => BigInt.asUintN(width, value);

/** `0x` and at least `digits` hexadecimal digits. */
export function hex(value: bigint | number, digits = 1): string {
  return '0x' + value.toString(16).padStart(digits, '0');
}

/** Two lowercase hexadecimal digits for each byte: '0f a2'. */
export const hexBytes = (bytes: Iterable<number>, separator = ' '): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(separator);

/** A name for each bit (or field) of a register: what the views decode and the doctor reads. */
export interface Field {
  readonly name: string;
  readonly high: number;
  readonly low: number;
  /** One line: what the field means when set (or what its values mean). */
  readonly meaning: string;
}
