// What a disk says of itself: the 256 words of IDENTIFY DEVICE. T13, "AT Attachment 8", "IDENTIFY DEVICE".

export const SECTOR_BYTES = 512;

const HEADS = 16,
  SECTORS_A_TRACK = 63;

/** `sectors` is the size of the disk. */
export function identity(sectors: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number): void => view.setUint16(2 * at, value, true);
  // Two characters a word, the first one in the upper half.
  const text = (at: number, words: number, content: string): void => {
    const padded = content.padEnd(2 * words, ' ');
    for (let index = 0; index < words; index++)
      word(at + index, (padded.charCodeAt(2 * index) << 8) | padded.charCodeAt(2 * index + 1));
  };
  word(0, 0x0040); // A fixed drive.
  word(1, Math.min(16_383, Math.floor(sectors / (HEADS * SECTORS_A_TRACK))));
  word(3, HEADS);
  word(6, SECTORS_A_TRACK);
  text(10, 10, 'HS0001');
  text(23, 4, '1.0');
  text(27, 20, 'Hyperscope disk');
  word(49, 0x0200); // LBA.
  word(53, 0x0002); // Words 64 to 70 are valid.
  view.setUint32(2 * 60, Math.min(sectors, 0x0fff_ffff), true);
  word(64, 3); // PIO modes 3 and 4.
  word(80, 0x007e); // ATA-1 to ATA-6.
  word(83, 0x7400); // LBA48, FLUSH CACHE, FLUSH CACHE EXT: supported,
  word(86, 0x3400); // and enabled.
  word(84, 0x4000);
  view.setUint32(2 * 100, sectors, true);
  return bytes;
}
