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

  /** A copy of the bytes from a position up to another. */
  between(from: number, to: number): Uint8Array {
    return this.#bytes.slice(from, to);
  }

  /** A copy of the first `length` bytes. */
  first(length: number): Uint8Array {
    return this.#bytes.slice(0, length);
  }
}

/** How much of an output a sentence quotes. */
const QUOTED = 24;

/** '12 bytes, “Hello, ring!”,': control characters are shown as a space. */
export function outputText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, QUOTED), byte =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ' ',
  ).join('');
  const count = bytes.length === 1 ? '1 byte' : `${bytes.length} bytes`;
  return `${count}, “${shown}${bytes.length > QUOTED ? '…' : ''}”,`;
}
