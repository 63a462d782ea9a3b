// Columns that grow: what a record keeps per step, as bytes and numbers in typed arrays rather than as objects.
// Growth is by a share of what is there, so appending costs a constant time on average and nothing is allocated per step.

/** Large columns keep less room free: of a history of ten million steps, half would be emptiness. */
const roomAfter = (length: number): number => (length < LARGE ? length * 2 : length + (length >>> 2));
const LARGE = 2 ** 20;

/** Bytes that are appended to. */
export class ByteColumn {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }
  /** The storage; only the first `length` bytes mean anything, and growth replaces it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }
  /** Bytes of memory, with the room for growth. */
  get memoryBytes(): number {
    return this.#bytes.byteLength;
  }
  /** A copy of what was appended. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
  clear(): void {
    this.#length = 0;
  }

  push(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(this.#length + 1);
    this.#bytes[this.#length++] = byte;
  }
  pushBytes(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#length + length > this.#bytes.length) this.#grow(this.#length + length);
    // A subarray object costs more than copying a few bytes by hand.
    if (length <= 32) for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = bytes[start + i] ?? 0;
    else this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length += length;
  }
  /** LEB128: seven bits a byte, least significant first; for integers from 0 to 2^53 - 1. */
  pushVarint(value: number): void {
    while (value >= 0x80) {
      this.push((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    this.push(value);
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, roomAfter(this.#bytes.length)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Doubles that are appended to: cycles, offsets, step numbers (all exact up to 2^53). */
export class NumberColumn {
  #values: Float64Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }
  /** Bytes of memory, with the room for growth. */
  get memoryBytes(): number {
    return this.#values.byteLength;
  }
  at(index: number): number {
    return index < this.#length ? (this.#values[index] ?? 0) : 0;
  }
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(roomAfter(this.#length));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }
  /** A copy of what was appended. */
  toNumbers(): Float64Array<ArrayBuffer> {
    return this.#values.slice(0, this.#length);
  }
  /** The number of leading values that are at most `value`; the column must not decrease. */
  countAtMost(value: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#values[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** 64-bit addresses that are appended to. */
export class AddressColumn {
  #values: BigUint64Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#values = new BigUint64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }
  /** Bytes of memory, with the room for growth. */
  get memoryBytes(): number {
    return this.#values.byteLength;
  }
  at(index: number): bigint {
    return index < this.#length ? (this.#values[index] ?? 0n) : 0n;
  }
  push(value: bigint): void {
    if (this.#length === this.#values.length) {
      const larger = new BigUint64Array(roomAfter(this.#length));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }
}
