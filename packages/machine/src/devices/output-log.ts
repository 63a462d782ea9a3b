// Bytes that a device has sent to the outside. Only their number is state: going back in time shortens the log, and
// running forward again writes the same bytes over it.

export class OutputLog {
  #bytes = new Uint8Array(256);

  /** Puts a byte at a position, which is at most the end. */
  put(position: number, byte: number): void {
    if (position >= this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[position] = byte;
  }

  at(position: number): number {
    return this.#bytes[position] ?? 0;
  }

  /** A copy of the first `length` bytes. */
  first(length: number): Uint8Array {
    return this.#bytes.slice(0, length);
  }
}
