// What a multiboot loader tells the kernel: memory, command line, modules, memory map. Multiboot Specification 0.6.96,
// "Boot information format". Everything lies behind the kernel, modules at page boundaries:
//
//   information (116 bytes) · module list · memory map · texts ┃ page boundary ┃ module ┃ module …

import {reportedMemory} from '@hyperscope/machine';
import type {ImageOptions} from './image-options.js';
import {alignUp, placed} from './place.js';
import type {Segment} from './place.js';

const INFORMATION_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;
/** mem_* 0 · boot device 1 · command line 2 · modules 3 · memory map 6 · loader name 9. */
const FLAGS = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 6) | (1 << 9);
const TYPES = {RAM: 1, reserved: 2} as const;

export interface MultibootInformation {
  /** For EBX. */
  readonly address: number;
  readonly segments: readonly Segment[];
}

/** Builds the structure and places it, and the modules, from `start` on (a page boundary). */
export function multibootInformation(options: ImageOptions, start: number): MultibootInformation {
  const {memoryBytes, modules} = options;
  const map = reportedMemory(memoryBytes);
  const moduleList = start + INFORMATION_BYTES;
  const mapStart = moduleList + modules.length * MODULE_BYTES;
  const texts = new TextBlock(mapStart + map.length * MAP_ENTRY_BYTES);
  const commandLine = texts.add(`${options.name} ${options.commandLine}`.trim());
  const loaderName = texts.add('Hyperscope');
  const names = modules.map(module => texts.add(module.name));

  const block = new Uint8Array(texts.end - start);
  const view = new DataView(block.buffer);
  const put = (offset: number, value: number): void => view.setUint32(offset, value, true);
  put(0, FLAGS);
  put(4, Math.min(memoryBytes, 0xa_0000) / 1024 - (memoryBytes > 0x9_fc00 ? 1 : 0));
  put(8, Math.max(0, memoryBytes - 0x10_0000) / 1024);
  put(16, commandLine);
  put(20, modules.length);
  put(24, moduleList);
  put(44, map.length * MAP_ENTRY_BYTES);
  put(48, mapStart);
  put(64, loaderName);
  map.forEach(({start: from, end, kind}, i) => {
    const at = mapStart - start + i * MAP_ENTRY_BYTES;
    // The size field does not count itself.
    put(at, MAP_ENTRY_BYTES - 4);
    view.setBigUint64(at + 4, BigInt(from), true);
    view.setBigUint64(at + 12, BigInt(end - from), true);
    put(at + 20, TYPES[kind]);
  });
  const placedModules: Segment[] = [];
  let next = alignUp(texts.end, 4096);
  modules.forEach((module, i) => {
    const at = moduleList - start + i * MODULE_BYTES;
    put(at, next);
    put(at + 4, next + module.bytes.length);
    put(at + 8, names[i] ?? 0);
    if (module.bytes.length > 0)
      placedModules.push(placed(next, module.bytes, memoryBytes, `The module ${module.name}`));
    next = alignUp(next + module.bytes.length, 4096);
  });
  block.set(texts.bytes(), texts.start - start);
  return {address: start, segments: [placed(start, block, memoryBytes, 'The multiboot information'), ...placedModules]};
}

/** Zero-terminated texts, one after another. */
class TextBlock {
  readonly start: number;
  readonly #parts: Uint8Array[] = [];
  #end: number;

  constructor(start: number) {
    this.start = start;
    this.#end = start;
  }
  get end(): number {
    return this.#end;
  }
  /** The address at which the text will lie. */
  add(text: string): number {
    const at = this.#end;
    const bytes = new TextEncoder().encode(`${text}\0`);
    this.#parts.push(bytes);
    this.#end += bytes.length;
    return at;
  }
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#end - this.start);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
