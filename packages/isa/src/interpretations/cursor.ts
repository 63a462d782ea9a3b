// Reads an instruction byte by byte and remembers how far it had to go. Past the end it reads zeros: the decoder looks at
// `overrun` where it matters, so running out of bytes is an answer and not an exception.

export class Cursor {
  readonly #bytes: Uint8Array;
  readonly start: number;
  /** Bytes read so far. */
  length = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.start = start;
  }

  /** Whether something past the end was read. */
  get overrun(): boolean {
    return this.start + this.length > this.#bytes.length;
  }
  peek(): number {
    return this.#bytes[this.start + this.length] ?? 0;
  }
  /** The byte at a place that was read, counted from the start of the instruction. */
  at(index: number): number {
    return this.#bytes[this.start + index] ?? 0;
  }
  byte(): number {
    const value = this.peek();
    this.length++;
    return value;
  }
  /** A little-endian number of `bits` bits, unsigned. */
  unsigned(bits: number): bigint {
    let value = 0n;
    for (let shift = 0; shift < bits; shift += 8) value |= BigInt(this.byte()) << BigInt(shift);
    return value;
  }
  signed(bits: number): bigint {
    return BigInt.asIntN(bits, this.unsigned(bits));
  }
  /** What was read, as a copy. */
  taken(): Uint8Array {
    return this.#bytes.slice(this.start, this.start + this.length);
  }
}
