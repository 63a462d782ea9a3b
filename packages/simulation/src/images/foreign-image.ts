// An image that somebody brought along: a boot sector, a multiboot kernel or a 64-bit ELF file, opened as a guest without a source.

import {UserError} from '@hyperscope/base';
import type {LoadedImage} from './image-options.js';
import {detectImage, loadImage} from './load-image.js';

/** Memory of the machine that it gets, in MiB. */
const MEMORY_MIB = 32;
/** A file may be as large as this: what is larger is a disk, and is run in a terminal. */
const MOST_BYTES = 16 * 2 ** 20;

export interface ForeignImage {
  readonly id: string;
  /** Name of the file. */
  readonly title: string;
  /** `boot sector`, `multiboot kernel`, `64-bit ELF file`. */
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly loaded: LoadedImage;
  /** For real KVM, which takes a flat image; undefined for kinds that are none. */
  readonly code: FlatCode | undefined;
}

/** Machine code, where it runs, and in how much memory, in MiB. */
export interface FlatCode {
  readonly image: Uint8Array;
  readonly at: number;
  readonly mode: 'real';
  readonly memory: number;
}

const KINDS = {'boot-sector': 'boot sector', multiboot: 'multiboot kernel', elf64: '64-bit ELF file'} as const;

/** Reads a file as an image. UserErrors: image-too-large, image-unknown, and the loaders'. */
export function readForeignImage(id: string, name: string, bytes: Uint8Array): ForeignImage {
  if (bytes.length > MOST_BYTES)
    throw new UserError(
      'image-too-large',
      `${name} is larger than 16 MiB: run it in a terminal, hyperscope run ${name}.`,
    );
  const kind = detectImage(bytes);
  if (kind === undefined)
    throw new UserError(
      'image-unknown',
      `${name} does not say how it starts: it is no boot sector (55 AA at byte 510), no multiboot kernel and no 64-bit ELF file. ` +
        'A flat binary can be run in a terminal: hyperscope run FILE --as raw --at ADDRESS --mode real|protected|long.',
    );
  const options = {name, memoryBytes: MEMORY_MIB * 2 ** 20, commandLine: '', modules: []};
  const loaded = loadImage(bytes, kind, options);
  return {id, title: name, what: KINDS[kind], bytes, loaded, code: flatCode(loaded, bytes)};
}

function flatCode(loaded: LoadedImage, bytes: Uint8Array): FlatCode | undefined {
  const [segment] = loaded.image.segments;
  if (loaded.kind !== 'boot-sector' || segment === undefined) return undefined;
  return {image: bytes.slice(0, segment.bytes.length), at: loaded.loadAddress, mode: 'real', memory: MEMORY_MIB};
}
