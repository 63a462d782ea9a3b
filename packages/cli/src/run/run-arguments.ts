// The command line of `hyperscope run`, checked and typed: what the rest of the command works from.

import {hex} from '@hyperscope/base';
import {RING_LAYOUTS, findGuest} from '@hyperscope/simulation';
import type {RingLayout} from '@hyperscope/simulation';
import type {KvmDepth} from '@hyperscope/kvm';
import type {Switches} from '@hyperscope/trace';
import type {Arguments} from '../terminal/arguments.js';
import {usage} from '../terminal/arguments.js';
import {parseBigInt, parseNumber, parseSeconds, splitOnce} from './numbers.js';
import {readCostModel} from './cost-options.js';
import {depthOf} from './depth.js';
import type {RunOptionName} from './run-options.js';
import {readSwitches} from './switch-options.js';
import {CONTROL_PROGRAM, hasCompanions, readUsers} from './users.js';
import type {UserArguments} from './users.js';

const START_MODES = ['real', 'protected', 'paged32', 'long', 'xen'] as const;
type StartMode = (typeof START_MODES)[number];

/** How an image is loaded: by what it is (auto), or by force. */
export type LoadAs =
  | {readonly kind: 'auto'}
  | {readonly kind: 'rom'}
  | {readonly kind: 'boot'}
  | {readonly kind: 'multiboot'}
  | {readonly kind: 'elf'}
  | {readonly kind: 'raw'; readonly at: number; readonly mode: StartMode};

/** A place for bytes: a file, or standard output. */
export type Sink = {readonly kind: 'stdout'} | {readonly kind: 'file'; readonly path: string};

export interface RunArguments {
  readonly image: string;
  readonly technique: string;
  readonly load: LoadAs;
  /** Register names in lower case ('rip', 'cs.base'). */
  readonly registers: readonly (readonly [name: string, value: bigint])[];
  readonly commandLine: string | undefined;
  readonly modules: readonly string[];
  readonly disks: readonly {readonly unit: number; readonly path: string}[];
  /** Where the interrupt controllers are; undefined: as the guest asks. */
  readonly irqchip: 'kernel' | 'user' | undefined;
  /** Which writes to video memory KVM only notes down; undefined: as the technique has it. */
  readonly coalescedMmio: 'off' | 'half' | 'all' | undefined;
  /** Under trap-and-emulate; undefined: by the guest's mode. */
  readonly rings: RingLayout | undefined;
  readonly switches: Switches | undefined;
  /** Other virtual machines beside the first, and how they share the processor; undefined: as the guest brings them along. */
  readonly beside: UserArguments | undefined;
  readonly memoryMiB: number | undefined;
  readonly cpu: {
    readonly profile: string | undefined;
    readonly add: readonly string[];
    readonly remove: readonly string[];
  };
  /** Model and changed figures; undefined: the processor's own. */
  readonly costModel: string | undefined;
  readonly vendor: string | undefined;
  readonly serial: Sink | undefined;
  readonly serialScript: string | undefined;
  readonly stopSerial: RegExp | undefined;
  readonly capturePorts: readonly {readonly port: number; readonly path: string}[];
  readonly exitPort: number | undefined;
  readonly powerOffPort: number | undefined;
  readonly maxInstructions: number | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly dumps: readonly {readonly address: bigint; readonly length: number}[];
  readonly record: string | undefined;
  readonly trace: string | undefined;
  readonly json: Sink | undefined;
  /** On KVM: a step an exit, or an instruction where it can single-step. */
  readonly depth: KvmDepth;
}

const PORT = 0xffff;
/** Devices that are always there. */
const SERIAL = {first: 0x3f8, last: 0x3ff} as const;
const DEBUG_CONSOLE = 0xe9;
/** More would not fit the answer, nor the reader. */
const LARGEST_DUMP = 1 << 20;

/** Where an image runs when nobody says where: where it must, if it runs on one technique only; where it has company, if it was made for it. */
export const usualTechnique = (image: string): string =>
  findGuest(image)?.needs?.technique ?? (hasCompanions(image) ? CONTROL_PROGRAM : 'vtx-ept');

/** Reads what `parseArguments` found. @throws UserError 'usage' for what makes no sense. */
export function readRunArguments(args: Arguments<RunOptionName>): RunArguments {
  const [image, ...more] = args.positionals;
  if (image === undefined) throw usage('Which image? Give a guest (see `hyperscope guests`) or a file.');
  if (more.length > 0) throw usage(`One image at a time: '${more.join(' ')}' is left over.`);
  const number = (name: RunOptionName, least: number, most?: number): number | undefined => {
    const text = args.value(name);
    return text === undefined ? undefined : parseNumber(text, `--${name}`, least, most);
  };
  const timeout = args.value('timeout');
  const technique = args.value('on') ?? usualTechnique(image);
  if (technique === 'kvm' && (args.has('cpu') || args.has('vendor')))
    throw usage(`--cpu and --vendor choose a simulated processor; with --on kvm the guest has this computer's.`);
  if (technique === 'kvm' && (args.has('cost-model') || args.has('cost')))
    throw usage('--cost-model and --cost are for simulated processors; with --on kvm nothing counts cycles.');
  const given = {
    image,
    technique,
    load: readLoad(args),
    registers: args.values('set').map(readRegister),
    commandLine: args.value('append'),
    modules: [...args.values('initrd'), ...args.values('module')],
    disks: args.values('disk').map(readDisk),
    irqchip: readIrqchip(args.value('irqchip')),
    coalescedMmio: readCoalescedMmio(args.value('coalesced-mmio'), [technique]),
    rings: readRings(args.value('rings'), technique),
    switches: readSwitches(args.values('switch'), technique),
    beside: readUsers(args, technique),
    memoryMiB: number('memory', 1, 3072),
    cpu: readCpu(args.value('cpu')),
    costModel: readCostModel(args),
    vendor: readVendor(args.value('vendor')),
    serial: sink(args.value('serial')),
    serialScript: args.value('serial-script'),
    stopSerial: readPattern(args.value('stop-serial')),
    capturePorts: args.values('capture-port').map(readCapture),
    exitPort: number('exit-port', 0, PORT),
    powerOffPort: number('poweroff-port', 0, PORT),
    maxInstructions: number('max-instructions', 1),
    timeoutSeconds: timeout === undefined ? undefined : parseSeconds(timeout, '--timeout'),
    dumps: args.values('dump-memory').map(readDump),
    record: args.value('record'),
    trace: args.value('trace'),
    json: sink(args.value('json')),
    depth: depthOf(args),
  } satisfies RunArguments;
  checkPorts(given);
  if (given.serial?.kind === 'stdout' && given.json?.kind === 'stdout')
    throw usage('--serial - and --json - would mix on standard output. Give one of them a file.');
  return given;
}

function readRings(text: string | undefined, technique: string): RingLayout | undefined {
  if (text === undefined) return undefined;
  if (technique !== 'trap-and-emulate' && technique !== CONTROL_PROGRAM)
    throw usage(
      `--rings is for --on trap-and-emulate and ${CONTROL_PROGRAM}: under ${technique} the guest has its own rings.`,
    );
  const layout = RING_LAYOUTS.find(each => each === text);
  if (layout === undefined) throw usage(`--rings is ${RING_LAYOUTS.join(' or ')}, not '${text}'.`);
  return layout;
}

/** One port, one device. @throws UserError 'usage' */
function checkPorts({
  capturePorts,
  exitPort,
  powerOffPort,
}: Pick<RunArguments, 'capturePorts' | 'exitPort' | 'powerOffPort'>): void {
  const taken = new Map<number, string>([
    [DEBUG_CONSOLE, 'the debug console (--capture-port keeps what is written there)'],
  ]);
  for (let port = SERIAL.first; port <= SERIAL.last; port++) taken.set(port, 'the first serial port (see --serial)');
  const take = (option: string, port: number): void => {
    const owner = taken.get(port);
    if (owner !== undefined) throw usage(`${option}: port ${hex(port)} belongs to ${owner}. Choose another.`);
    taken.set(port, option);
  };
  if (exitPort !== undefined) take('--exit-port', exitPort);
  if (powerOffPort !== undefined) take('--poweroff-port', powerOffPort);
  taken.delete(DEBUG_CONSOLE);
  for (const {port} of capturePorts) take('--capture-port', port);
}

const sink = (text: string | undefined): Sink | undefined =>
  text === undefined ? undefined : text === '-' ? {kind: 'stdout'} : {kind: 'file', path: text};

function readLoad(args: Arguments<RunOptionName>): LoadAs {
  const kind = args.value('as') ?? 'auto';
  const at = args.value('at');
  const mode = args.value('mode') ?? 'real';
  if (kind !== 'raw' && (at !== undefined || args.value('mode') !== undefined)) {
    throw usage('--at and --mode belong to --as raw.');
  }
  if (kind === 'raw') {
    const known = START_MODES.find(name => name === mode);
    if (known === undefined) throw usage(`--mode ${mode}: there are ${START_MODES.join(', ')}.`);
    return {kind, at: at === undefined ? 0 : parseNumber(at, '--at', 0, 0xffff_ffff), mode: known};
  }
  if (kind === 'auto' || kind === 'rom' || kind === 'boot' || kind === 'multiboot' || kind === 'elf') return {kind};
  throw usage(`--as ${kind}: there are raw, rom, boot, multiboot and elf; without --as the file itself tells.`);
}

function readRegister(text: string): readonly [string, bigint] {
  const [name, value] = splitOnce(text, '=', 'REG=VALUE, such as rip=0x7c00');
  return [name.trim().toLowerCase(), parseBigInt(value, `--set ${name}`)];
}

function readIrqchip(text: string | undefined): RunArguments['irqchip'] {
  if (text === undefined || text === 'kernel' || text === 'user') return text;
  throw usage(`--irqchip is kernel or user, not '${text}'.`);
}

/** @throws UserError 'usage' for another word, and for a machine without a KVM. */
export function readCoalescedMmio(
  text: string | undefined,
  techniques: readonly string[],
): RunArguments['coalescedMmio'] {
  if (text === undefined) return undefined;
  if (text !== 'off' && text !== 'half' && text !== 'all')
    throw usage(`--coalesced-mmio is off, half or all, not '${text}'.`);
  if (techniques.includes('bare'))
    throw usage('--coalesced-mmio is a choice of KVM’s user space, and --on bare has neither.');
  return text;
}

function readDisk(text: string): {readonly unit: number; readonly path: string} {
  const [unit, path] = splitOnce(text, ':', 'N:FILE, such as 0:disk.img');
  return {unit: parseNumber(unit, '--disk', 0, 3), path};
}

function readCapture(text: string): {readonly port: number; readonly path: string} {
  const [port, path] = splitOnce(text, '=', 'PORT=FILE, such as 0xe9=debug.txt');
  return {port: parseNumber(port, '--capture-port', 0, PORT), path};
}

function readDump(text: string): {readonly address: bigint; readonly length: number} {
  const [address, length] = splitOnce(text, ':', 'ADDRESS:LENGTH, such as 0x8000:64');
  return {
    address: parseBigInt(address, '--dump-memory'),
    length: parseNumber(length, '--dump-memory', 1, LARGEST_DUMP),
  };
}

function readCpu(text: string | undefined): RunArguments['cpu'] {
  const words = (text ?? '').split(',').map(part => part.trim());
  // Features alone change the default profile.
  const parts = /^[+-]/.test(words[0] ?? '') ? ['', ...words] : words;
  const features = parts.slice(1);
  const wrong = features.find(part => !/^[+-][A-Za-z0-9._]+$/.test(part));
  if (wrong !== undefined) throw usage(`--cpu: '${wrong}' is not of the form +feature or -feature.`);
  const named = (sign: string): readonly string[] =>
    features.filter(part => part.startsWith(sign)).map(part => part.slice(1));
  return {
    profile: parts[0] === '' || parts[0] === 'default' ? undefined : parts[0],
    add: named('+'),
    remove: named('-'),
  };
}

function readVendor(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[\x20-\x7e]{12}$/.test(text)) {
    throw usage(
      `--vendor: CPUID leaf 0 holds exactly twelve letters, such as GenuineIntel; '${text}' has ${text.length}.`,
    );
  }
  return text;
}

function readPattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw usage(`--stop-serial: '${text}' is not a regular expression (${error.message}).`);
  }
}
