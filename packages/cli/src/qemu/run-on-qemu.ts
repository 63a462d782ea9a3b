// The same image under QEMU, where it is installed: on its own translator (TCG) or on this machine's KVM. The command line is
// fixed, and shown, because lectures teach it.

import {spawn} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {UserError, hex} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {Executed, Execution, ExecutionResult} from '../run/execute.js';
import {NOTHING_RAN} from '../run/nothing-ran.js';
import {bootRom} from './boot-rom.js';
import {readRegisters} from './gdb-registers.js';
import type {RegisterValues} from './gdb-registers.js';
import {Monitor} from './monitor.js';

const QEMU_TECHNIQUES = ['qemu-tcg', 'qemu-kvm'] as const;
type QemuTechnique = (typeof QEMU_TECHNIQUES)[number];
export const isQemu = (technique: string): technique is QemuTechnique =>
  QEMU_TECHNIQUES.some(each => each === technique);

const PROGRAM = 'qemu-system-x86_64';
const MIB = 2 ** 20;
const LOOK_EVERY = 50;
const DEFAULT_MILLISECONDS = 10_000;
const IF = 1n << 9n;

/** The program's path, or undefined where it is not installed. */
export function findQemu(path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .map(folder => join(folder, PROGRAM))
    .find(file => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false; // not in this folder
      }
    });
}

type Ending = Pick<ExecutionResult, 'outcome' | 'message' | 'debugExit'>;

/** Runs to the guest's end or to the time limit. QEMU's trouble is an outcome, as KVM's is. */
export async function runOnQemu(execution: Execution, technique: QemuTechnique): Promise<Executed> {
  const none = {...NOTHING_RAN, engine: 'qemu', technique} as const;
  const qemu = findQemu();
  const failure = (message: string): Executed => ({
    record: undefined,
    captured: new Map(),
    result: {...none, outcome: 'kvm-failure', message},
  });
  if (qemu === undefined) return failure(`${PROGRAM} is not on the PATH. On Debian: apt-get install qemu-system-x86`);
  const folder = mkdtempSync(join(tmpdir(), 'hyperscope-qemu-'));
  try {
    const run = new QemuRun(qemu, folder, execution, technique);
    return {record: undefined, captured: new Map(), result: {...none, ...(await run.toTheEnd())}};
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return failure(error.message);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

class QemuRun {
  readonly #qemu: string;
  readonly #folder: string;
  readonly #execution: Execution;
  readonly #technique: QemuTechnique;
  #trouble = '';

  constructor(qemu: string, folder: string, execution: Execution, technique: QemuTechnique) {
    this.#qemu = qemu;
    this.#folder = folder;
    this.#execution = execution;
    this.#technique = technique;
  }

  async toTheEnd(): Promise<Ending & Pick<ExecutionResult, 'registers' | 'memory' | 'seconds'>> {
    const {clock} = this.#execution;
    const args = this.#arguments();
    this.#execution.onNote?.(shown([PROGRAM, ...args]));
    const started = clock.now();
    const child = spawn(this.#qemu, args, {stdio: ['ignore', 'pipe', 'pipe']});
    try {
      child.stdout.on('data', (bytes: Buffer) => {
        this.#execution.onProgress(0, bytes);
      });
      child.stderr.on('data', (bytes: Buffer) => {
        this.#trouble += bytes.toString();
      });
      const monitor = await this.#connect(child);
      // -S: it waited until somebody watches. A short guest is over before the answer comes.
      await monitor.ask('cont').catch(() => undefined);
      const ending = await this.#untilStopped(child, monitor);
      const seconds = (clock.now() - started) / 1000;
      const isThere = child.exitCode === null && child.signalCode === null;
      const registers = isThere ? named(await readRegisters(this.#path('gdb'))) : {};
      const memory = isThere ? await this.#dumps(monitor) : {};
      monitor.close();
      return {...ending, registers, memory, seconds};
    } finally {
      child.kill('SIGKILL');
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #arguments(): readonly string[] {
    const {image} = this.#execution.program.loaded;
    const {exitPort} = this.#execution.ports;
    writeFileSync(this.#path('rom'), bootRom(image));
    const segments = image.segments.flatMap(({gpa, bytes}, index) => {
      writeFileSync(this.#path(`segment-${index}`), bytes);
      return ['-device', `loader,file=${this.#path(`segment-${index}`)},addr=${hex(gpa)},force-raw=on`];
    });
    return [
      '-machine',
      `pc,accel=${this.#technique === 'qemu-kvm' ? 'kvm' : 'tcg'}`,
      ...(this.#technique === 'qemu-tcg' ? ['-cpu', 'max'] : []),
      '-m',
      `${Math.max(1, Math.ceil(image.memoryBytes / MIB))}M`,
      ...'-nodefaults -display none -no-reboot -S -serial stdio -bios'.split(' '),
      this.#path('rom'),
      ...segments,
      ...(exitPort === undefined ? [] : ['-device', `isa-debug-exit,iobase=${hex(exitPort)},iosize=4`]),
      '-qmp',
      `unix:${this.#path('qmp')},server=on,wait=off`,
      '-gdb',
      `unix:${this.#path('gdb')},server=on,wait=off`,
    ];
  }

  async #connect(child: ChildProcess): Promise<Monitor> {
    for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
      try {
        return await Monitor.open(this.#path('qmp'));
      } catch {
        await pause(LOOK_EVERY); // QEMU has not made its socket yet
      }
    }
    throw new UserError('kvm-failure', `QEMU did not start: ${this.#trouble.trim() || 'it said nothing'}.`);
  }

  async #untilStopped(child: ChildProcess, monitor: Monitor): Promise<Ending> {
    const limit = this.#execution.timeoutMilliseconds ?? DEFAULT_MILLISECONDS;
    const {clock} = this.#execution;
    const deadline = clock.now() + limit;
    while (clock.now() < deadline) {
      if (child.exitCode !== null) return this.#ended(child.exitCode, monitor);
      try {
        const registers = await monitor.askAsPerson('info registers');
        const flags = /[ER]FL=([0-9a-f]+)/.exec(registers)?.[1];
        if (/HLT=1/.test(registers) && flags !== undefined && (BigInt(`0x${flags}`) & IF) === 0n)
          return {outcome: 'halted', debugExit: null, message: 'The guest executed HLT with interrupts off.'};
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        await pause(LOOK_EVERY); // it is ending: its exit status comes next
      }
      await pause(LOOK_EVERY);
    }
    return {
      outcome: 'limit',
      debugExit: null,
      message: `The run was stopped after ${limit / 1000} seconds.`,
    };
  }

  #ended(status: number, {events}: Monitor): Ending {
    const reset = events.some(({name, data}) => name === 'SHUTDOWN' && JSON.stringify(data).includes('guest-reset'));
    if (reset)
      return {
        outcome: 'triple-fault',
        debugExit: null,
        message: 'The guest’s processor was reset: a triple fault, or a write to a reset port.',
      };
    if (status % 2 === 1 && this.#trouble.trim() === '')
      return {
        outcome: 'debug-exit',
        debugExit: status,
        message: `The guest wrote ${hex(status >> 1)} to the exit port: QEMU ended with status ${status}.`,
      };
    throw new UserError(
      'kvm-failure',
      `QEMU ended with status ${status}: ${this.#trouble.trim() || 'it said nothing'}.`,
    );
  }

  async #dumps(monitor: Monitor): Promise<Readonly<Record<string, string>>> {
    const dumps: Record<string, string> = {};
    for (const [index, {address, length}] of this.#execution.dumps.entries()) {
      const filename = this.#path(`dump-${index}`);
      await monitor.ask('pmemsave', {val: address, size: length, filename});
      dumps[hex(address)] = readFileSync(filename).toString('hex');
    }
    return dumps;
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));
const shown = (words: readonly string[]): string =>
  words.map(word => (/^[\w./,:=-]+$/.test(word) ? word : `'${word}'`)).join(' ');

function named(registers: RegisterValues): Readonly<Record<string, string>> {
  return Object.fromEntries(
    CELLS.flatMap(cell => {
      const value = registers[cell];
      return value === undefined ? [] : [[cell.toLowerCase(), hex(value)] as const];
    }),
  );
}
