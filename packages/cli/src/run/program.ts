// What IMAGE on the command line is: a shipped guest, assembly, or a file; loaded and ready to start.

import {basename} from 'node:path';
import {GUESTS, findGuest, loadGuest, loadImage, loadRaw, detectImage, processorOf} from '@hyperscope/simulation';
import type {ImageKind, LoadedImage, RawMode} from '@hyperscope/simulation';
import {assembleFile} from './assembly.js';
import {isFile, isFolder, readBytes} from '../files.js';
import {closest, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {RunArguments} from './run-arguments.js';
import {startRegisters} from './start-registers.js';

/** Memory of an image that does not say how much it wants, in MiB. */
const DEFAULT_MEMORY_MIB = 64;

export interface Program {
  readonly id: string;
  readonly title: string;
  /** The file's own bytes. */
  readonly bytes: Uint8Array;
  readonly loaded: LoadedImage;
  /** The processor that the program is made for, where the usual one will not do. */
  readonly processor?: string | undefined;
}

type Loading = Pick<RunArguments, 'image' | 'load' | 'registers' | 'commandLine' | 'modules' | 'memoryMiB'>;

/** Only the image and how it loads by itself. */
export const plainly = (image: string): Loading => ({
  image,
  load: {kind: 'auto'},
  registers: [],
  commandLine: undefined,
  modules: [],
  memoryMiB: undefined,
});

/** Loads the program that the arguments name. @throws UserError when it cannot be read, assembled or loaded. */
export function loadProgram(args: Loading, terminal: Terminal): Program {
  const guest = findGuest(args.image);
  if (guest !== undefined && args.load.kind !== 'auto' && !isFile(args.image))
    throw usage(`--as is for files: ${args.image} is a guest, which knows how it is loaded.`);
  const program =
    guest === undefined || args.load.kind !== 'auto' ? fileProgram(args, terminal) : guestProgram(args, guest);
  const {loaded} = program;
  if (loaded.kind !== 'multiboot' && (args.commandLine !== undefined || args.modules.length > 0)) {
    const option = args.commandLine === undefined ? '--module' : '--append';
    throw usage(`${option} is for multiboot kernels, and ${args.image} is none: nobody would tell it. Leave it out.`);
  }
  const image = {...loaded.image, registers: startRegisters(loaded.image.registers, args.registers)};
  return {...program, loaded: {...loaded, image}};
}

function guestProgram({memoryMiB}: Loading, guest: (typeof GUESTS)[number]): Program {
  const loaded = loadGuest(memoryMiB === undefined ? guest : {...guest, memoryMiB});
  const processor = processorOf(guest);
  return {id: guest.id, title: guest.title, bytes: loaded.assembly.bytes, loaded, processor};
}

function fileProgram(args: Loading, terminal: Terminal): Program {
  if (!isFile(args.image)) throw usage(noSuchImage(args.image));
  const id = basename(args.image);
  const options = {
    name: args.image,
    memoryBytes: (args.memoryMiB ?? DEFAULT_MEMORY_MIB) * 2 ** 20,
    commandLine: args.commandLine ?? '',
    modules: args.modules.map(path => ({name: path, bytes: readBytes(path)})),
  };
  const raw = (bytes: Uint8Array, at: number, mode: RawMode): LoadedImage =>
    loadRaw(bytes, {...options, at, mode, set: {}});
  if (/\.(asm|nasm)$/i.test(args.image)) {
    const {bytes, origin, mode} = assembleFile(args.image, terminal);
    const free = args.load.kind === 'auto' && detectImage(bytes) === undefined;
    const loaded = free ? raw(bytes, origin, mode) : load(bytes, args, options, raw);
    return {id, title: id, bytes, loaded};
  }
  const bytes = readBytes(args.image);
  return {id, title: id, bytes, loaded: load(bytes, args, options, raw)};
}

const KINDS = {
  auto: undefined,
  rom: 'rom',
  boot: 'boot-sector',
  multiboot: 'multiboot',
  elf: 'elf64',
} as const satisfies Readonly<Record<string, ImageKind | undefined>>;

function load(
  bytes: Uint8Array,
  args: Loading,
  options: Parameters<typeof loadImage>[2],
  raw: (bytes: Uint8Array, at: number, mode: RawMode) => LoadedImage,
): LoadedImage {
  if (args.load.kind === 'raw') return raw(bytes, args.load.at, args.load.mode);
  return loadImage(bytes, KINDS[args.load.kind], options);
}

function noSuchImage(image: string): string {
  const ids = GUESTS.map(guest => guest.id);
  const nearest = closest(image, ids);
  const hint = nearest === undefined ? `The guests are ${ids.join(', ')}.` : `Did you mean the guest ${nearest}?`;
  if (isFolder(image)) return `${image} is a folder. Give one file in it, or a guest.`;
  return `${image} is neither a guest nor a file. ${hint}`;
}
