// Sections of a flat binary: bytes that grow, and the order in which they are put one after the other.

/** More than this is a mistake in a `times`, not a guest. */
export const SIZE_LIMIT = 64 * 1024 * 1024;

export class Section {
  readonly name: string;
  /** A section without bytes in the file: .bss. */
  readonly reserved: boolean;
  /** Where it starts, by the layout of the pass before. */
  readonly start: bigint;
  /** The boundary that its start is rounded up to. */
  alignment: bigint;
  private buffer = new Uint8Array(256);
  private used = 0;

  constructor(name: string, reserved: boolean, start: bigint, alignment: bigint) {
    this.name = name;
    this.reserved = reserved;
    this.start = start;
    this.alignment = alignment;
  }

  get size(): number {
    return this.used;
  }

  /** Address of the next byte. */
  get address(): bigint {
    return this.start + BigInt(this.used);
  }

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.used);
  }

  append(bytes: Uint8Array): void {
    this.grow(bytes.length);
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** Reserves zeroed space. */
  skip(count: number): void {
    this.grow(count);
    this.used += count;
  }

  private grow(count: number): void {
    const wanted = this.used + count;
    if (wanted <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(wanted, 2 * this.buffer.length));
    larger.set(this.bytes);
    this.buffer = larger;
  }
}

/** What a pass leaves behind for the next one. */
export interface Placement {
  readonly start: bigint;
  readonly offset: number;
}

/** .text first, then the others as they appear, then those without bytes; each on its boundary. */
export function placeSections(sections: readonly Section[], origin: bigint): ReadonlyMap<string, Placement> {
  const placements = new Map<string, Placement>();
  let address = origin;
  for (const section of ordered(sections)) {
    address = rounded(address, section.alignment);
    placements.set(section.name, {start: address, offset: Number(address - origin)});
    address += BigInt(section.size);
  }
  return placements;
}

function ordered(sections: readonly Section[]): readonly Section[] {
  const rank = (section: Section): number => (section.name === '.text' ? 0 : section.reserved ? 2 : 1);
  return [...sections].sort((a, b) => rank(a) - rank(b));
}

function rounded(address: bigint, alignment: bigint): bigint {
  return ((address + alignment - 1n) / alignment) * alignment;
}

/** The file: all sections that have bytes, with zeros between them. */
export function image(sections: readonly Section[], origin: bigint): Uint8Array {
  const placements = placeSections(sections, origin);
  const offsetOf = (section: Section): number => placements.get(section.name)?.offset ?? 0;
  const stored = sections.filter(section => !section.reserved && section.size > 0);
  const length = stored.reduce((end, section) => Math.max(end, offsetOf(section) + section.size), 0);
  const bytes = new Uint8Array(length);
  for (const section of stored) bytes.set(section.bytes, offsetOf(section));
  return bytes;
}
