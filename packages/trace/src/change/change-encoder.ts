// Writes one change, byte by byte in ascending order of place, and joins neighbours into runs.

import {ByteColumn} from '../record/growable-columns.js';

export class ChangeEncoder {
  #out: ByteColumn;
  readonly #run = new ByteColumn(256);
  #runStart = 0;
  #previousEnd = 0;

  constructor(out: ByteColumn) {
    this.#out = out;
  }

  begin(): void {
    this.#run.clear();
    this.#previousEnd = 0;
    this.#runStart = 0;
  }
  /** Adds a byte; `place` must be greater than every place added since `begin`. */
  put(place: number, xor: number): void {
    if (place !== this.#runStart + this.#run.length) {
      this.#flush();
      this.#runStart = place;
    }
    this.#run.push(xor);
  }
  end(): void {
    this.#flush();
  }

  #flush(): void {
    const length = this.#run.length;
    if (length === 0) return;
    this.#out.pushVarint(this.#runStart - this.#previousEnd);
    this.#out.pushVarint(length);
    this.#out.pushBytes(this.#run.bytes, 0, length);
    this.#previousEnd = this.#runStart + length;
    this.#run.clear();
  }
}

/** Encodes bytes given as [place, XOR] in ascending order. */
export function encodeChange(bytes: Iterable<readonly [place: number, xor: number]>): Uint8Array {
  const out = new ByteColumn();
  const encoder = new ChangeEncoder(out);
  encoder.begin();
  for (const [place, xor] of bytes) encoder.put(place, xor);
  encoder.end();
  return out.toBytes();
}
