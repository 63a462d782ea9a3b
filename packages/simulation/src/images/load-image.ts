// Recognizes an image and loads it.

import {UserError, assertUnreachable} from '@hyperscope/base';
import {SECTOR, isBootSector, loadBootSector} from './boot-sector.js';
import {elfClass} from './elf.js';
import {loadElf64} from './elf64.js';
import type {ImageKind, ImageOptions, LoadedImage} from './image-options.js';
import {findMultibootHeader, loadMultiboot} from './multiboot.js';
import {loadRom} from './rom.js';

/** What the bytes say they are; undefined for those that say nothing: ROMs and flat binaries must be named by the user. */
export function detectImage(bytes: Uint8Array): Exclude<ImageKind, 'rom' | 'raw'> | undefined {
  const elf = elfClass(bytes);
  if (elf === 64) return 'elf64';
  const header = findMultibootHeader(bytes);
  // A kernel that lies on a disk, behind its boot sector, may have a multiboot header too: the disk is what boots.
  const isOnDisk = elf === undefined && isBootSector(bytes) && header !== undefined && header.offset >= SECTOR;
  if (header !== undefined && !isOnDisk) return 'multiboot';
  return isBootSector(bytes) ? 'boot-sector' : undefined;
}

/** Loads an image of a kind that needs no address (raw ones: `loadRaw`), or of the kind that it says it is. */
export function loadImage(
  bytes: Uint8Array,
  kind: Exclude<ImageKind, 'raw'> | undefined,
  options: ImageOptions,
): LoadedImage {
  const found = kind ?? detectImage(bytes);
  switch (found) {
    case 'boot-sector':
      return loadBootSector(bytes, options);
    case 'multiboot':
      return loadMultiboot(bytes, options);
    case 'elf64':
      return loadElf64(bytes, options);
    case 'rom':
      return loadRom(bytes, options);
    case undefined:
      throw unknownImage(bytes, options.name);
    default:
      return assertUnreachable(found);
  }
}

const RECORD_MAGIC = 'HYPERSCOPE RECORD';
const RAW_ADVICE = '--as raw --at ADDRESS --mode real|protected|paged32|long';

/** Why a file does not say how to start it, and what the user can say instead. */
function unknownImage(bytes: Uint8Array, name: string): UserError {
  const begins = new TextDecoder('latin1').decode(bytes.subarray(0, RECORD_MAGIC.length));
  if (bytes.length === 0) return new UserError('image-empty', `${name} is empty: there is nothing to run.`);
  if (begins === RECORD_MAGIC)
    return new UserError(
      'image-is-record',
      `${name} is the record of a run, not an image. See what is in it: hyperscope show ${name}; lay it beside another: hyperscope compare ${name} OTHER.hsr`,
    );
  if (elfClass(bytes) === 32)
    return new UserError(
      'image-unknown',
      `${name} is a 32-bit ELF file, but it has no multiboot header (1BADB002 with a correct checksum) in its first 8 KiB. ` +
        `Add one, or make a flat binary of it (objcopy -O binary) and run that with ${RAW_ADVICE}.`,
    );
  return new UserError(
    'image-unknown',
    `${name} is neither a boot sector (55 AA at byte 510), nor a multiboot kernel, nor a 64-bit ELF file. ` +
      `Say what it is: --as rom, or ${RAW_ADVICE}.`,
  );
}
