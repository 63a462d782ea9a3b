// A kernel by the Multiboot Specification version 0.6.96 (GRUB's first protocol): found by a header in its first 8 KiB,
// loaded as ELF32 or by the header's own address fields, entered in 32-bit protected mode with EAX = 0x2badb002 and EBX
// pointing at what the boot loader knows.

import {UserError, hex} from '@hyperscope/base';
import {loaderTables} from './descriptor-tables.js';
import {isElf, parseElf} from './elf.js';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {multibootInformation} from './multiboot-information.js';
import {alignUp, checkRoom, overlaps, placed} from './place.js';
import type {Segment} from './place.js';
import {protectedModeState} from './processor-state.js';

const HEADER_MAGIC = 0x1badb002;
const LOADER_MAGIC = 0x2badb002n;
const SEARCHED = 8192;
/** Bits 15:0 of the flags are demands; those that this loader meets: 0 align modules, 1 memory information. */
const KNOWN_DEMANDS = 0b111;
const ADDRESS_FIELDS = 1 << 16;

interface Header {
  readonly offset: number;
  readonly flags: number;
}

/** The header, where there is one. */
export function findMultibootHeader(bytes: Uint8Array): Header | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let offset = 0; offset + 12 <= Math.min(bytes.length, SEARCHED); offset += 4) {
    const flags = view.getUint32(offset + 4, true);
    const sum = (HEADER_MAGIC + flags + view.getUint32(offset + 8, true)) >>> 0;
    if (view.getUint32(offset, true) === HEADER_MAGIC && sum === 0) return {offset, flags};
  }
  return undefined;
}

/** Loads a multiboot kernel. UserErrors: image-bad-magic, image-truncated, image-too-large, image-unusable. */
export function loadMultiboot(bytes: Uint8Array, options: ImageOptions): LoadedImage {
  const {name, memoryBytes} = options;
  const header = findMultibootHeader(bytes);
  if (header === undefined)
    throw new UserError(
      'image-bad-magic',
      `${name} has no multiboot header (1BADB002 with a correct checksum) in its first 8 KiB.`,
    );
  const unmet = header.flags & 0xffff & ~KNOWN_DEMANDS;
  if (unmet !== 0)
    throw new UserError(
      'image-unusable',
      `${name} demands multiboot features that this loader does not have: flag bits ${hex(unmet)}.`,
    );
  const kernel =
    (header.flags & ADDRESS_FIELDS) !== 0 ? byAddressFields(bytes, header, options) : byElf(bytes, options);
  const tables = loaderTables('protected', memoryBytes, name);
  const end = alignUp(Math.max(...kernel.segments.map(segment => segment.gpa + segment.bytes.length)), 4096);
  const information = multibootInformation(options, end);
  const all = [...kernel.segments, ...information.segments];
  if (all.some(one => tables.segments.some(table => overlaps(one, table)))) {
    throw new UserError(
      'image-too-large',
      `${name} and its modules reach into the loader’s tables at ${hex(tables.bottom)}. Give the machine more memory with --memory.`,
    );
  }
  return {
    kind: 'multiboot',
    loadAddress: Math.min(...kernel.segments.map(segment => Number(segment.gpa))),
    image: {
      memoryBytes,
      startedBy: 'firmware',
      segments: [...tables.segments, ...all],
      registers: {
        ...protectedModeState(kernel.entry, BigInt(tables.bottom), tables.addresses),
        RAX: LOADER_MAGIC,
        RBX: BigInt(information.address),
      },
    },
  };
}

interface Kernel {
  readonly segments: readonly Segment[];
  readonly entry: bigint;
}

function byElf(bytes: Uint8Array, {name, memoryBytes}: ImageOptions): Kernel {
  if (!isElf(bytes))
    throw new UserError(
      'image-unusable',
      `${name} is no ELF file, and its multiboot header has no address fields (flag bit 16).`,
    );
  const elf = parseElf(bytes, name, memoryBytes);
  if (elf.bits !== 32)
    throw new UserError(
      'image-unusable',
      `${name} is a 64-bit ELF file; multiboot starts 32-bit ones. Convert it with: objcopy -O elf32-i386`,
    );
  const segments = elf.segments.map(s => placed(Number(s.physicalAddress), s.bytes, memoryBytes, name));
  const home = elf.segments.find(
    s => elf.entry >= s.virtualAddress && elf.entry < s.virtualAddress + BigInt(s.bytes.length),
  );
  // The entry point is entered with paging off: where it is linked high, what counts is where it was loaded.
  const entry =
    home === undefined || elf.entry < BigInt(memoryBytes)
      ? elf.entry
      : elf.entry - home.virtualAddress + home.physicalAddress;
  return {segments, entry};
}

/** header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr follow the checksum. */
function byAddressFields(bytes: Uint8Array, header: Header, {name, memoryBytes}: ImageOptions): Kernel {
  if (header.offset + 32 > bytes.length)
    throw new UserError('image-truncated', `${name} is cut off inside its multiboot header.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.offset, 32);
  const [headerAddress, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map(offset =>
    view.getUint32(offset, true),
  );
  if (
    headerAddress === undefined ||
    load === undefined ||
    loadEnd === undefined ||
    bssEnd === undefined ||
    entry === undefined
  ) {
    throw new UserError('image-truncated', `${name} is cut off inside its multiboot header.`);
  }
  const start = header.offset - (headerAddress - load);
  // load_end_addr 0: the whole rest of the file; bss_end_addr 0: no zeros after it.
  const size = loadEnd === 0 ? bytes.length - start : loadEnd - load;
  if (start < 0 || size < 0 || start + size > bytes.length) {
    throw new UserError(
      'image-truncated',
      `${name} is cut off: its multiboot header loads ${size} bytes from offset ${start}, the file has ${bytes.length}.`,
    );
  }
  const total = bssEnd === 0 ? size : Math.max(size, bssEnd - load);
  checkRoom(load, total, memoryBytes, name);
  const contents = new Uint8Array(total);
  contents.set(bytes.subarray(start, start + size));
  return {segments: [placed(load, contents, memoryBytes, name)], entry: BigInt(entry)};
}
