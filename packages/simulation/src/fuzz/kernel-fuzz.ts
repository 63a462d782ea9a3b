// Random kernels on bare metal and under a VMM without hardware: at every step the VMM's guest must be where bare metal was before or
// behind an instruction, and end with the same registers and memory; and once more with interrupts at random moments, which may change
// nothing but their own counters and what lies below the stack pointers.

import {gpa} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import {START, startImage} from '@hyperscope/vmm';
import type {GuestImage, RegisterValues, TechniqueOptions, TechniqueRun} from '@hyperscope/vmm';
import {KERNEL_LAYOUT} from './kernel-programs.js';
import type {KernelMode} from './kernel-programs.js';
import {Random} from './random.js';
import {requireTechnique} from '../shipped.js';

const NO_PORTS = {exitPort: undefined, powerOffPort: undefined, capturePorts: []};
const MOST_STEPS = 60_000;
const BARE_STEPS = 6000;
/** More, and a guest does nothing else: its handler takes some dozens of steps. */
const MOST_INTERRUPTS = 24;
const CELLS = [...GENERAL_REGISTERS, 'RIP', 'RFLAGS', 'CS.selector', 'SS.selector', 'CR0', 'CR2', 'CR3'] as const;
/** RF is set in frames and never seen by the program itself. */
const RFLAGS_SEEN = 0x3e_7fd7n;

export interface KernelFinding {
  readonly where: 'step' | 'ending' | 'registers' | 'memory';
  readonly bare: string;
  readonly other: string;
}
export interface KernelResult {
  /** What bare metal executed. */
  readonly instructions: number;
  readonly steps: number;
  /** Those that the guest took. */
  readonly interrupts: number;
  readonly finding: KernelFinding | undefined;
}

function imageOf(mode: KernelMode, code: Uint8Array): GuestImage {
  const {entries, kernelStack, pageTable, directory, frames, pages} = KERNEL_LAYOUT;
  const isLong = mode === 'long';
  const jumpTo = (vector: number, target: number): Uint8Array => {
    const bytes = new Uint8Array(5);
    bytes[0] = 0xe9;
    new DataView(bytes.buffer).setInt32(1, target - (START.handlers + 16 * vector + 5), true);
    return bytes;
  };
  const entry = (value: number): readonly number[] => [
    ...new Uint8Array(Uint32Array.of(value).buffer),
    ...(isLong ? [0, 0, 0, 0] : []),
  ];
  const table = Array.from({length: pages}, (_, page) => entry(frames + 4096 * (page & 3) + (page & 1 ? 7 : 6))).flat();
  return startImage({
    title: '',
    expect: {},
    mode,
    code,
    handlers: {
      2: jumpTo(2, entries.nmi),
      3: jumpTo(3, entries.breakpoint),
      14: jumpTo(14, entries.pageFault),
      25: jumpTo(25, entries.interrupt),
    },
    memory: [
      {gpa: pageTable, bytes: table},
      isLong
        ? {gpa: START.directory + 16, bytes: entry(pageTable + 7)}
        : {gpa: directory, bytes: [...entry(0x87), ...entry(pageTable + 7)]},
    ],
    registers: {RSP: BigInt(kernelStack)},
  });
}

const stateOf = (registers: RegisterValues): string =>
  CELLS.map(cell => {
    const value = registers[cell] ?? 0n;
    return `${cell}=${(cell === 'RFLAGS' ? value & RFLAGS_SEEN : value).toString(16)}`;
  }).join(' ');

const butForRip = (state: string): string => state.replace(/ RIP=[0-9a-f]+/u, '');

/** Only what differs. */
function parts(one: string, other: string): readonly [string, string] {
  const others = other.split(' ');
  const different = one
    .split(' ')
    .flatMap((text, index) => (text === others[index] ? [] : [[text, others[index] ?? '']]));
  return [different.map(([text]) => text).join(' '), different.map(([, text]) => text).join(' ')];
}

export class KernelFuzz {
  readonly #technique: string;
  readonly #options: Pick<TechniqueOptions, 'profile' | 'costModel'>;

  constructor(technique: string, profile: string) {
    this.#technique = technique;
    this.#options = {profile, costModel: undefined};
  }

  /** Undefined where bare metal does not come to an end: a program that destroyed itself. `seed` says when interrupts come. */
  compare(mode: KernelMode, code: Uint8Array, seed: number): KernelResult | undefined {
    const options: TechniqueOptions = {...this.#options, image: imageOf(mode, code), ports: NO_PORTS};
    const bare = requireTechnique('bare').start(options);
    const states = [stateOf(bare.guestRegisters())];
    let outcome;
    for (let step = 0; step < BARE_STEPS && outcome === undefined; step++) {
      outcome = bare.step().outcome;
      states.push(stateOf(bare.guestRegisters()));
    }
    if (outcome === undefined) return undefined;
    const quiet = this.#follow(options, states, outcome.kind);
    const result = {instructions: states.length - 1, steps: quiet.steps, interrupts: 0};
    const finding = quiet.finding ?? memoryDiffers(bare, quiet.run, 0);
    if (finding !== undefined || outcome.kind !== 'halted') return {...result, finding};
    const noisy = this.#interrupt(options, quiet.steps, new Random(seed, 1));
    return {...result, interrupts: noisy.interrupts, finding: endDiffers(bare, noisy.run)};
  }

  /** At each step the guest is at one of bare metal's states, and they come in their order. */
  #follow(options: TechniqueOptions, states: readonly string[], ending: string) {
    const run = requireTechnique(this.#technique).start(options);
    let at = 0;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const now = stateOf(run.guestRegisters());
      if (now !== states[at]) at++;
      // A jump whose target was put in its place is no instruction any more.
      while (now !== states[at] && butForRip(now) === butForRip(states[at] ?? '')) at++;
      if (now !== states[at]) {
        const [bare, other] = parts(states[at] ?? states[at - 1] ?? '', now);
        return {run, steps, finding: {where: 'step', bare: `instruction ${at}: ${bare}`, other} as const};
      }
      const {outcome} = run.step();
      if (outcome === undefined) continue;
      const finding = {where: 'ending', bare: ending, other: outcome.kind} as const;
      return {run, steps, finding: outcome.kind === ending ? undefined : finding};
    }
    return {run, steps: MOST_STEPS, finding: {where: 'ending', bare: ending, other: 'endless'} as const};
  }

  #interrupt(options: TechniqueOptions, steps: number, random: Random) {
    const run = requireTechnique(this.#technique).start(options);
    let keys = 0;
    for (let step = 0; step < MOST_STEPS; step++) {
      if (keys < MOST_INTERRUPTS && random.below(Math.max(10, Math.floor(steps / 16))) === 0) {
        run.pressKeys(Uint8Array.of(0x1e));
        keys++;
      }
      if (run.step().outcome !== undefined) break;
    }
    return {run, interrupts: takenBy(run)};
  }
}

function endDiffers(bare: TechniqueRun, run: TechniqueRun): KernelFinding | undefined {
  const [one, other] = [stateOf(bare.guestRegisters()), stateOf(run.guestRegisters())];
  if (one !== other) {
    const [expected, found] = parts(one, other);
    return {where: 'registers', bare: expected, other: `with interrupts: ${found}`};
  }
  return memoryDiffers(bare, run, KERNEL_LAYOUT.counters + 16);
}

/** `from`: with interrupts the stacks and the counters below differ. */
function memoryDiffers(bare: TechniqueRun, run: TechniqueRun, from: number): KernelFinding | undefined {
  const one = ramOf(bare);
  const other = ramOf(run);
  for (let address = from; address < KERNEL_LAYOUT.end; address++) {
    if (one[address] === other[address]) continue;
    const shown = (bytes: Uint8Array): string =>
      `${address.toString(16)}: ${[...bytes.subarray(address, address + 8)].map(byte => byte.toString(16)).join(' ')}`;
    return {where: 'memory', bare: shown(one), other: `${from === 0 ? '' : 'with interrupts: '}${shown(other)}`};
  }
  return undefined;
}

/** What the handler counted: a key comes while interrupts are off, or while another waits, and is not taken. */
function takenBy(run: TechniqueRun): number {
  const ram = ramOf(run);
  return new DataView(ram.buffer, ram.byteOffset, ram.length).getUint32(KERNEL_LAYOUT.counters + 8, true);
}

function ramOf(run: TechniqueRun): Uint8Array {
  const start = run.guestToHost(gpa(0)) ?? 0;
  return run.machine.memory.bytes.subarray(start, start + KERNEL_LAYOUT.end);
}
