// Machine code as an assembler's listing shows it: bytes in hexadecimal, then ';' and the source they came from.

/** The bytes of a listing; everything behind a ';' is for the reader. */
export function listing(text: string): Uint8Array {
  const columns = text.split('\n').map(line => line.split(';')[0] ?? '');
  const bytes = columns
    .join(' ')
    .split(/\s+/)
    .filter(word => word !== '');
  return Uint8Array.from(bytes, word => Number.parseInt(word, 16));
}
