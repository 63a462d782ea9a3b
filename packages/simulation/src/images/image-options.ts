// What a loader is given besides the image, and what it gives back.

import type {GuestImage} from '@hyperscope/vmm';

export interface ModuleFile {
  /** What the guest is told: a file name, possibly with arguments after it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ImageOptions {
  /** What the image is called: the first word of a multiboot command line. */
  readonly name: string;
  /** RAM of the machine; a multiple of 4096. */
  readonly memoryBytes: number;
  /** `--append`: the rest of a multiboot command line. */
  readonly commandLine: string;
  /** `--module`. */
  readonly modules: readonly ModuleFile[];
}

export const IMAGE_KINDS = ['boot-sector', 'multiboot', 'elf64', 'rom', 'raw'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

export interface LoadedImage {
  readonly kind: ImageKind;
  readonly image: GuestImage;
  /** Guest-physical address of the first byte that came from the file. */
  readonly loadAddress: number;
}
