// A 64-bit ELF program, entered in 64-bit mode with every address of the first 4 GiB mapped to itself.

import {UserError, hex} from '@hyperscope/base';
import {loaderTables} from './descriptor-tables.js';
import {parseElf} from './elf.js';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {overlaps, placed} from './place.js';
import {longModeState} from './processor-state.js';

const EM_X86_64 = 62;

/** Loads a 64-bit ELF file. UserErrors: image-bad-magic, image-truncated, image-too-large, image-unusable. */
export function loadElf64(bytes: Uint8Array, options: ImageOptions): LoadedImage {
  const {name, memoryBytes} = options;
  const elf = parseElf(bytes, name, memoryBytes);
  if (elf.bits !== 64 || elf.machine !== EM_X86_64)
    throw new UserError('image-unusable', `${name} is not an ELF64 file for x86-64.`);
  const home = elf.segments.find(
    s => elf.entry >= s.virtualAddress && elf.entry < s.virtualAddress + BigInt(s.bytes.length),
  );
  if (home === undefined)
    throw new UserError('image-unusable', `The entry point ${hex(elf.entry)} of ${name} lies in none of its segments.`);
  if (home.virtualAddress !== home.physicalAddress) {
    throw new UserError(
      'image-unusable',
      `${name} is linked to run at ${hex(home.virtualAddress)} but loads at ${hex(home.physicalAddress)}. The loader maps addresses to themselves: link it where it loads.`,
    );
  }
  const tables = loaderTables('long', memoryBytes, name);
  const program = elf.segments.map(s => placed(Number(s.physicalAddress), s.bytes, memoryBytes, name));
  if (program.some(one => tables.segments.some(table => overlaps(one, table)))) {
    throw new UserError(
      'image-too-large',
      `${name} reaches into the loader’s tables at ${hex(tables.bottom)}. Give the machine more memory with --memory.`,
    );
  }
  return {
    kind: 'elf64',
    loadAddress: Math.min(...program.map(one => Number(one.gpa))),
    // On entry the System V ABI wants RSP + 8 to be a multiple of 16, as after a CALL.
    image: {
      memoryBytes,
      startedBy: 'firmware',
      segments: [...tables.segments, ...program],
      registers: longModeState(elf.entry, BigInt(tables.bottom - 8), tables.addresses, tables.root),
    },
  };
}
