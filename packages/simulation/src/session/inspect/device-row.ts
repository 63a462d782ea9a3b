// A line about a device: a name, a value, what it means; and how bytes of its bank are read.

export interface DeviceRow {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

export const row = (name: string, value: string, meaning = ''): DeviceRow => ({name, value, meaning});
export const byte = (bank: Uint8Array, at: number): number => bank[at] ?? 0;
/** 32 bits, unsigned, little-endian. */
export const word = (bank: Uint8Array, at: number): number =>
  (byte(bank, at) | (byte(bank, at + 1) << 8) | (byte(bank, at + 2) << 16) | (byte(bank, at + 3) << 24)) >>> 0;
/** A moment or a number of ticks: a double. */
export function time(bank: Uint8Array, at: number): number {
  const copy = bank.slice(at, at + 8);
  return copy.length < 8 ? 0 : new DataView(copy.buffer).getFloat64(0, true);
}
export const yes = (value: number, mask: number): boolean => (value & mask) !== 0;
export const listed = (names: readonly string[], none: string): string =>
  names.length === 0 ? none : names.join(', ');
