// The same image under QEMU, where it is installed: on its own translator (TCG) or on this machine's KVM. The command line is
// fixed, and shown, because lectures teach it.

import {spawn} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {UserError, hex} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import {probeKvm, quirksOf} from '@hyperscope/kvm';
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
  if (technique === 'qemu-kvm') tellQuirks(execution);
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

/** QEMU does not say in what the KVM below it departs from the manuals; our own probes do. */
function tellQuirks({onNote}: Execution): void {
  const kvm = probeKvm();
  if (!kvm.available) return;
  const quirks = quirksOf(kvm.fingerprint).map(({id}) => id);
  if (quirks.length > 0)
    onNote?.(`Where this host's KVM (${kvm.fingerprint.flavour}) departs from the manuals: ${quirks.join(', ')}.`);
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
    const serial = new GrowingFile(this.#path('serial'));
    const child = spawn(this.#qemu, args, {stdio: ['ignore', serial.fd, 'pipe']});
    const listen = (): void => {
      this.#execution.onProgress(0, serial.news());
    };
    const listening = setInterval(listen, LOOK_EVERY);
    try {
      child.stderr?.on('data', (bytes: Buffer) => {
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
      listen();
      return {...ending, registers, memory, seconds};
    } finally {
      clearInterval(listening);
      child.kill('SIGKILL');
      serial.close();
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
      ...'-nodefaults -display none -no-reboot -no-shutdown -S -serial stdio -bios'.split(' '),
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
    throw new UserError('kvm-failure', `QEMU did not start: ${this.#complaint() || 'it said nothing'}.`);
  }

  async #untilStopped(child: ChildProcess, monitor: Monitor): Promise<Ending> {
    const limit = this.#execution.timeoutMilliseconds ?? DEFAULT_MILLISECONDS;
    const {clock} = this.#execution;
    const deadline = clock.now() + limit;
    while (clock.now() < deadline) {
      if (child.exitCode !== null) return this.#ended(child.exitCode);
      try {
        const ending = await this.#endingSoFar(monitor);
        if (ending !== undefined) return ending;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // It is ending: its exit status comes next.
      }
      await pause(LOOK_EVERY);
    }
    return {
      outcome: 'limit',
      debugExit: null,
      message: `The run was stopped after ${limit / 1000} seconds.`,
    };
  }

  /** -no-reboot and -no-shutdown: what ends a machine leaves it there, stopped, to be looked at. */
  async #endingSoFar(monitor: Monitor): Promise<Ending | undefined> {
    const status = JSON.stringify(await monitor.ask('query-status'));
    if (status.includes('internal-error')) return this.#internalError();
    const registers = await monitor.askAsPerson('info registers');
    const flags = /[ER]FL=([0-9a-f]+)/.exec(registers)?.[1];
    const down = monitor.events.find(({name}) => name === 'SHUTDOWN');
    if (down !== undefined) {
      const rip = /[ER]IP=([0-9a-f]+)/.exec(registers)?.[1] ?? '?';
      return JSON.stringify(down.data).includes('guest-shutdown') ? POWER_OFF : reset(BigInt(`0x${rip}`));
    }
    return /HLT=1/.test(registers) && flags !== undefined && (BigInt(`0x${flags}`) & IF) === 0n ? HALTED : undefined;
  }

  /** KVM gave the guest up: the first lines of what QEMU says of it. The registers behind them are in the result. */
  #internalError(): Ending {
    const said = this.#trouble
      .split('\n')
      .filter(line => /internal error|emulation failure|Suberror|Code=/i.test(line))
      .join('; ');
    return {outcome: 'kvm-failure', debugExit: null, message: `This host's KVM gave the guest up. QEMU: ${said}.`};
  }

  #ended(status: number): Ending {
    if (status % 2 === 1 && this.#complaint() === '')
      return {
        outcome: 'debug-exit',
        debugExit: status,
        message: `The guest wrote ${hex(status >> 1)} to the exit port: QEMU ended with status ${status}.`,
      };
    throw new UserError('kvm-failure', `QEMU ended with status ${status}: ${this.#complaint() || 'it said nothing'}.`);
  }

  /** What QEMU said, without warnings of what this host's KVM lacks of its standard processor. */
  #complaint(): string {
    return this.#trouble
      .split('\n')
      .filter(line => line.trim() !== '' && !line.includes('warning:'))
      .join('; ');
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

const HALTED: Ending = {
  outcome: 'halted',
  debugExit: null,
  message: 'The guest executed HLT with interrupts off.',
};
const POWER_OFF: Ending = {outcome: 'power-off', debugExit: null, message: 'The guest switched the machine off.'};
const reset = (rip: bigint): Ending => ({
  outcome: 'triple-fault',
  debugExit: null,
  message: `The guest’s processor was reset: a triple fault, or a write to a reset port. RIP was left at ${hex(rip)}.`,
});

/** A file that another process writes: unlike a pipe, it is never full, and a serial port whose bytes nobody takes loses them. */
class GrowingFile {
  readonly fd: number;
  readonly #reader: number;
  #read = 0;

  constructor(path: string) {
    this.fd = openSync(path, 'w');
    this.#reader = openSync(path, 'r');
  }

  /** The bytes since the last call. */
  news(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = new Uint8Array(0x1_0000);
      const length = readSync(this.#reader, part, 0, part.length, this.#read);
      if (length === 0) return Buffer.concat(parts);
      this.#read += length;
      parts.push(part.subarray(0, length));
    }
  }

  close(): void {
    closeSync(this.fd);
    closeSync(this.#reader);
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
