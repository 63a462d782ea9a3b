// Which numbers fit where. An assembler takes both readings of a width: 0xff and -1 are the same byte.

export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** Both readings of `width` bits: from the lowest signed to the highest unsigned number. */
export function eitherRange(width: number): Range {
  return {low: -(1n << BigInt(width - 1)), high: (1n << BigInt(width)) - 1n};
}

/** Two's complement of `width` bits. */
export function signedRange(width: number): Range {
  return {low: -(1n << BigInt(width - 1)), high: (1n << BigInt(width - 1)) - 1n};
}

/** Whether `value` lies in the range, its ends included. */
export function within(value: bigint, range: Range): boolean {
  return value >= range.low && value <= range.high;
}

/** Whether `value`, taken as `width` bits, is what sign-extending its low `narrow` bits gives. */
export function signExtends(value: bigint, narrow: number, width: number): boolean {
  const wrapped = BigInt.asIntN(width, value);
  return within(value, eitherRange(width)) && BigInt.asIntN(narrow, wrapped) === wrapped;
}

/** Appends `count` bytes of `value`, lowest first. */
export function appendBytes(bytes: number[], value: bigint, count: number): void {
  if (count <= 4) {
    let low = Number(BigInt.asUintN(32, value));
    for (let index = 0; index < count; index++) {
      bytes.push(low & 0xff);
      low >>>= 8;
    }
    return;
  }
  for (let index = 0; index < count; index++) bytes.push(Number(BigInt.asUintN(8, value >> BigInt(8 * index))));
}
