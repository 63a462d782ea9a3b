// What IMAGE on the command line is: a shipped guest, assembly, or a file; loaded and ready to start.

import {basename} from 'node:path';
import {UserError} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {GUESTS, findGuest, loadGuest, loadImage, loadRaw, detectImage} from '@hyperscope/simulation';
import type {ImageKind, LoadedImage, RawMode} from '@hyperscope/simulation';
import {assembleFile} from './assembly.js';
import {isFile, readBytes} from '../files.js';
import {closest, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {RunArguments} from './run-arguments.js';

/** Memory of an image that does not say how much it wants, in MiB. */
const DEFAULT_MEMORY_MIB = 64;

export interface Program {
  readonly id: string;
  readonly title: string;
  /** The file's own bytes. */
  readonly bytes: Uint8Array;
  readonly loaded: LoadedImage;
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
  const program =
    guest === undefined || args.load.kind !== 'auto' ? fileProgram(args, terminal) : guestProgram(args, guest);
  const registers = Object.fromEntries(args.registers.map(([name, value]) => [cellNamed(name), value]));
  const {loaded} = program;
  const image = {...loaded.image, registers: {...loaded.image.registers, ...registers}};
  return {...program, loaded: {...loaded, image}};
}

function guestProgram({memoryMiB}: Loading, guest: (typeof GUESTS)[number]): Program {
  const loaded = loadGuest(memoryMiB === undefined ? guest : {...guest, memoryMiB});
  return {id: guest.id, title: guest.title, bytes: loaded.assembly.bytes, loaded};
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
  return `${image} is neither a guest nor a file. ${hint}`;
}

/** The cell that `name` ('rip', 'cs.base') means. @throws UserError 'usage' with the nearest. */
function cellNamed(name: string): Cell {
  const cell = CELLS.find(known => known.toLowerCase() === name);
  if (cell !== undefined) return cell;
  const nearest = closest(
    name,
    CELLS.map(known => known.toLowerCase()),
  );
  throw new UserError(
    'usage',
    `There is no register ${name}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
  );
}
