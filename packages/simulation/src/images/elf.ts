// ELF, as far as loaders need it: the entry point and the segments to load. System V ABI, "Program Header".

import {UserError} from '@hyperscope/base';

export interface ElfSegment {
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  /** What the file holds, followed by zeros up to the segment's size in memory. */
  readonly bytes: Uint8Array;
}

export interface ElfFile {
  readonly bits: 32 | 64;
  readonly machine: number;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
}

const MAGIC = 0x464c457f;
const PT_LOAD = 1;

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 52 && viewOf(bytes).getUint32(0, true) === MAGIC;
}
/** 32 or 64, by EI_CLASS; undefined where the file is no ELF. */
export function elfClass(bytes: Uint8Array): 32 | 64 | undefined {
  return !isElf(bytes) ? undefined : bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : undefined;
}

/**
 * Parses an ELF file, for memory of so many bytes: a header that asks for more gets none. UserErrors: image-bad-magic,
 * image-truncated, image-too-large.
 */
export function parseElf(bytes: Uint8Array, name: string, memoryBytes: number): ElfFile {
  const bits = elfClass(bytes);
  if (bits === undefined || bytes[5] !== 1)
    throw new UserError('image-bad-magic', `${name} is no little-endian ELF file of 32 or 64 bits.`);
  const view = viewOf(bytes);
  if (bytes.length < (bits === 64 ? 64 : 52)) throw truncated(name);
  const word = (offset: number): bigint =>
    bits === 64 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
  const tableOffset = Number(word(bits === 64 ? 32 : 28));
  const entrySize = view.getUint16(bits === 64 ? 54 : 42, true);
  const entries = view.getUint16(bits === 64 ? 56 : 44, true);
  const segments: ElfSegment[] = [];
  let total = 0;
  for (let i = 0; i < entries; i++) {
    const at = tableOffset + i * entrySize;
    if (at + (bits === 64 ? 56 : 32) > bytes.length) throw truncated(name);
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    // ELF32: type offset vaddr paddr filesz memsz flags align; ELF64 has the flags second.
    const field = (index: number): bigint =>
      bits === 64 ? view.getBigUint64(at + 8 + (index - 1) * 8, true) : BigInt(view.getUint32(at + index * 4, true));
    const [offset, fileSize, memorySize] = [Number(field(1)), Number(field(4)), Number(field(5))];
    total += memorySize;
    if (offset + fileSize > bytes.length) throw truncated(name);
    if (fileSize > memorySize)
      throw new UserError(
        'image-truncated',
        `${name} is damaged: a segment has more bytes in the file than in memory.`,
      );
    if (total > memoryBytes)
      throw new UserError(
        'image-too-large',
        `${name} asks for ${total} bytes in its segments, and memory has ${memoryBytes}. Give the machine more with --memory.`,
      );
    if (memorySize === 0) continue;
    const contents = new Uint8Array(memorySize);
    contents.set(bytes.subarray(offset, offset + fileSize));
    segments.push({virtualAddress: field(2), physicalAddress: field(3), bytes: contents});
  }
  if (segments.length === 0)
    throw new UserError(
      'image-empty',
      `${name} has nothing to load: no program header of type PT_LOAD. Link it as a program, not as an object file.`,
    );
  return {bits, machine: view.getUint16(18, true), entry: word(24), segments};
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const truncated = (name: string): UserError =>
  new UserError('image-truncated', `${name} is cut off: its headers point beyond its end. Copy or build it again.`);
