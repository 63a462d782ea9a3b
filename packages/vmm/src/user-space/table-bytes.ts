// Tables laid one after another into a stretch of memory, and the checksum that all of firmware's tables have.

/** What a byte must be, 0 until now, so that all bytes add up to 0. */
export function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

export class TableBytes {
  readonly #start: number;
  readonly #parts: {readonly at: number; readonly bytes: Uint8Array}[] = [];
  #end: number;

  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  /** Room at a multiple of `alignment`; gives its address. */
  reserve(length: number, alignment: number): number {
    const at = Math.ceil(this.#end / alignment) * alignment;
    this.#end = at + length;
    return at;
  }
  put(at: number, bytes: Uint8Array): void {
    this.#parts.push({at, bytes});
  }
  add(bytes: Uint8Array, alignment: number): number {
    const at = this.reserve(bytes.length, alignment);
    this.put(at, bytes);
    return at;
  }

  /** Everything from the start to the end of the last table. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#end - this.#start);
    for (const {at, bytes} of this.#parts) all.set(bytes, at - this.#start);
    return all;
  }
}
