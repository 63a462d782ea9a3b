// The container: a magic number, a version, a header, then sections. All numbers are little-endian. docs/trace-format.md
// describes it for readers of other languages.
//
//   file      'HYPERSCOPE RECORD\n\x1a\0' (20 bytes) · version u32 · header length u32 · header, JSON in UTF-8 · section*
//   section   name, 4 ASCII letters · encoding u32: 0 plain, 1 zlib · stored length u32 · raw length u32 · stored bytes
//   the last  section is 'DONE' and empty: a file without it was cut off

import {UserError} from '@hyperscope/base';
import {ByteColumn} from '../record/growable-columns.js';

const MAGIC = 'HYPERSCOPE RECORD\n\u001a\0';
const VERSION = 1;
/** The most bytes that one section may unpack to: 1 GiB. */
const MOST_SECTION_BYTES = 2 ** 30;
/** zlib's best: 1032 to 1, and a little for its own header (zlib's technical notes, "Maximum Compression Factor"). */
const BEST_COMPRESSION = 1040;

export type SectionName = 'INIT' | 'STEP' | 'CHNG' | 'EVNT' | 'TAIL' | 'DONE';

export interface Container {
  readonly header: string;
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

/** Packs a header and sections into one file. */
export async function writeContainer(
  header: string,
  sections: readonly (readonly [SectionName, Uint8Array])[],
): Promise<Uint8Array> {
  const out = new ByteColumn(1 << 16);
  const append = (bytes: Uint8Array): void => out.pushBytes(bytes, 0, bytes.length);
  const encoder = new TextEncoder();
  const json = encoder.encode(header);
  append(encoder.encode(MAGIC));
  append(uint32(VERSION));
  append(uint32(json.length));
  append(json);
  for (const [name, raw] of [...sections, ['DONE', new Uint8Array(0)] as const]) {
    const packed =
      raw.length < 64 ? raw : await through(raw, new CompressionStream('deflate'), Number.POSITIVE_INFINITY);
    const smaller = packed.length < raw.length;
    append(encoder.encode(name));
    append(uint32(smaller ? 1 : 0));
    append(uint32(smaller ? packed.length : raw.length));
    append(uint32(raw.length));
    append(smaller ? packed : raw);
  }
  return out.toBytes();
}

/** Unpacks a file. UserErrors: not-a-record, record-newer, record-truncated, record-damaged, record-too-large. */
export async function readContainer(file: Uint8Array): Promise<Container> {
  const decoder = new TextDecoder();
  if (file.length < MAGIC.length + 8 || decoder.decode(file.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new UserError(
      'not-a-record',
      'This is not a Hyperscope record: it does not begin as one. Give a file that “hyperscope record” wrote.',
    );
  }
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const version = view.getUint32(MAGIC.length, true);
  if (version > VERSION) {
    throw new UserError(
      'record-newer',
      `This record has format version ${version}, and this program reads up to version ${VERSION}. Update Hyperscope, or record the run again.`,
    );
  }
  const headerStart = MAGIC.length + 8;
  let at = headerStart + view.getUint32(MAGIC.length + 4, true);
  if (at > file.length) throw truncated();
  const header = decoder.decode(file.subarray(headerStart, at));
  const sections = new Map<string, Uint8Array>();
  while (!sections.has('DONE')) {
    if (at + 16 > file.length) throw truncated();
    const name = decoder.decode(file.subarray(at, at + 4));
    const end = at + 16 + view.getUint32(at + 8, true);
    if (end > file.length) throw truncated();
    sections.set(
      name,
      await unpack(file.subarray(at + 16, end), view.getUint32(at + 4, true), view.getUint32(at + 12, true)),
    );
    at = end;
  }
  return {header, sections};
}

async function unpack(stored: Uint8Array, encoding: number, rawLength: number): Promise<Uint8Array> {
  if (rawLength > MOST_SECTION_BYTES || rawLength > stored.length * BEST_COMPRESSION + 64) {
    throw new UserError(
      'record-too-large',
      `A part of this record claims to unpack to ${rawLength} bytes, which cannot be. It is damaged; record the run again.`,
    );
  }
  if (encoding === 0 && rawLength === stored.length) return stored.slice();
  if (encoding !== 1) throw damaged();
  const raw = await through(stored, new DecompressionStream('deflate'), rawLength).catch(() => {
    throw damaged();
  });
  if (raw.length !== rawLength) throw damaged();
  return raw;
}

interface ByteTransform {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
}

/** Sends bytes through a stream and collects at most `most` of what comes out. */
async function through(bytes: Uint8Array, transform: ByteTransform, most: number): Promise<Uint8Array> {
  const out = new ByteColumn(Math.max(1024, bytes.length));
  const reader: AsyncIterable<unknown> = new Blob([bytes.slice()]).stream().pipeThrough(transform);
  for await (const chunk of reader) {
    if (!(chunk instanceof Uint8Array)) throw damaged();
    if (out.length + chunk.length > most) throw damaged();
    out.pushBytes(chunk, 0, chunk.length);
  }
  return out.toBytes();
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

const truncated = (): UserError =>
  new UserError(
    'record-truncated',
    'This record is cut off: the file ends before its last part. Copy it again, or record the run again.',
  );
export const damaged = (): UserError =>
  new UserError(
    'record-damaged',
    'This record is damaged: a part of it does not unpack to what it should. Copy it again, or record the run again.',
  );
