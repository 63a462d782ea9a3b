// Writes one change, byte by byte in ascending order of place, and joins neighbours into runs.

import {ByteColumn} from '../record/growable-columns.js';

export class ChangeEncoder {
  readonly #out: ByteColumn;
  /** The bytes of the run that is being gathered. A plain array of its own: this is written for every changed byte. */
  #run = new Uint8Array(256);
  #length = 0;
  #runStart = 0;
  #previousEnd = 0;

  constructor(out: ByteColumn) {
    this.#out = out;
  }

  begin(): void {
    this.#length = 0;
    this.#previousEnd = 0;
    this.#runStart = 0;
  }
  /** Adds a byte; `place` must be greater than every place added since `begin`. */
  put(place: number, xor: number): void {
    if (place !== this.#runStart + this.#length) {
      this.#flush();
      this.#runStart = place;
    }
    if (this.#length === this.#run.length) this.#grow();
    this.#run[this.#length++] = xor;
  }
  end(): void {
    this.#flush();
  }

  #flush(): void {
    const length = this.#length;
    if (length === 0) return;
    this.#out.pushVarint(this.#runStart - this.#previousEnd);
    this.#out.pushVarint(length);
    this.#out.pushBytes(this.#run, 0, length);
    this.#previousEnd = this.#runStart + length;
    this.#length = 0;
  }
  #grow(): void {
    const larger = new Uint8Array(this.#run.length * 2);
    larger.set(this.#run);
    this.#run = larger;
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
