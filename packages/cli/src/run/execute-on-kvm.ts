// A program on /dev/kvm, in this process: the command line waits for it anyway, and Ctrl-C ends both.

import {UserError, hex, hexBytes} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import {KvmSession, depthOptions, probeKvm} from '@hyperscope/kvm';
import type {KvmStep} from '@hyperscope/kvm';
import {KvmRecording} from '@hyperscope/server';
import {SerialWatch} from '@hyperscope/simulation';
import {kvmExitName} from '@hyperscope/trace';
import type {HostFingerprint} from '@hyperscope/trace';
import type {Executed, Execution} from './execute.js';
import {DEFAULT_MILLISECONDS, kvmEnding} from './kvm-ending.js';
import type {Ending} from './kvm-ending.js';
import {NOTHING_RAN} from './nothing-ran.js';

const SERIAL = {first: 0x3f8, last: 0x3ff} as const;
/** Cells that only the simulated processor has. */
const SIMULATED_ONLY: ReadonlySet<string> = new Set([
  'VMX_OPERATION',
  'VMXON_POINTER',
  'CURRENT_VMCS',
  'CYCLES',
  'INSTRUCTIONS',
  'TSC',
]);
/** Values kept of each port, as in a simulated run. */
const MOST_VALUES = 4096;

/** Runs; whatever KVM refuses is an outcome, because the question was how the engine fares. */
export function executeOnKvm(execution: Execution): Executed {
  try {
    const answer = probeKvm();
    if (!answer.available) throw new UserError(answer.code, answer.message);
    return new KvmRun(execution, answer.fingerprint).toTheEnd();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      result: {...ON_KVM, outcome: 'kvm-failure', message: error.message},
      record: undefined,
      captured: new Map(),
    };
  }
}

const ON_KVM = {...NOTHING_RAN, engine: 'kvm', technique: 'kvm'} as const;

class KvmRun {
  readonly #execution: Execution;
  readonly #session: KvmSession;
  readonly #recording: KvmRecording;
  readonly #serial: SerialWatch;
  readonly #exits: Record<string, number> = {};
  readonly #ports: Record<string, number[]> = {};
  #printed = 0;

  constructor(execution: Execution, host: HostFingerprint) {
    const {program, ports, clock, depth} = execution;
    const most = execution.maxInstructions ?? Number.MAX_SAFE_INTEGER;
    this.#execution = execution;
    this.#session = new KvmSession({
      image: program.loaded.image,
      ports,
      clock,
      limits: {milliseconds: execution.timeoutMilliseconds ?? DEFAULT_MILLISECONDS, exits: most, steps: most},
      ...depthOptions(depth),
      coalescedMmio: execution.coalescedMmio,
      quirks: {cpl3_step: host.probes['cpl3_step']},
    });
    const {id, title, bytes, loaded} = program;
    this.#recording = new KvmRecording({
      id,
      title,
      program: bytes,
      loadAddress: loaded.loadAddress,
      host,
      irqchip: loaded.image.irqchip,
    });
    this.#serial = new SerialWatch(execution.stopSerial, execution.serialScript);
  }

  toTheEnd(): Executed {
    const session = this.#session;
    const {clock, ports, dumps, recording} = this.#execution;
    const started = clock.now();
    try {
      if (recording === 'on') this.#recording.begin(session);
      const {message, ...stop} = this.#untilStopped();
      const seconds = (clock.now() - started) / 1000;
      const {untraced} = session;
      if (untraced !== undefined) this.#execution.onNote?.(`Inside KVM only its counters are seen: ${untraced}`);
      if (recording === 'on') this.#recording.record.outcome = message;
      const dumped = dumps.map(({address, length}) => [hex(address), hexBytes(this.#memory(address, length), '')]);
      const unknown = [...session.board.unknownPorts].map(([port, times]) => [hex(port), times]);
      return {
        record: recording === 'on' ? this.#recording.record : undefined,
        captured: new Map(ports.capturePorts.map(port => [port, session.board.captured(port).slice()])),
        result: {
          ...ON_KVM,
          ...stop,
          message,
          seconds,
          exits: this.#exits,
          registers: registersOf(session.registers),
          memory: Object.fromEntries(dumped),
          ports: this.#ports,
          unknownPorts: Object.fromEntries(unknown),
        },
      };
    } finally {
      session.close();
    }
  }

  #untilStopped(): Ending {
    this.#type();
    for (;;) {
      this.#step();
      const enough = this.#listen();
      const {outcome} = this.#session;
      if (enough !== undefined) return {outcome: 'stop-serial', debugExit: null, message: enough};
      if (outcome !== undefined) return kvmEnding(outcome, this.#session, this.#execution);
    }
  }

  /** Guest-physical memory as it is now; what lies beyond it is ROM, as the loader left it. */
  #memory(address: number, length: number): Uint8Array {
    const {memoryBytes, segments} = this.#execution.program.loaded.image;
    if (address < memoryBytes) {
      const memory = this.#session.banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array();
      return memory.subarray(address, address + length);
    }
    const rom = segments.find(({gpa, bytes}) => address >= gpa && address < gpa + bytes.length);
    return rom === undefined ? new Uint8Array() : rom.bytes.subarray(address - rom.gpa, address - rom.gpa + length);
  }

  #step(): void {
    if (this.#execution.recording === 'off') {
      this.#count(this.#session.step());
      return;
    }
    this.#recording.beforeStep();
    const step = this.#session.step(this.#recording);
    this.#recording.exit(step);
    this.#count(step);
  }

  #count({kind, exit}: KvmStep): void {
    if (kind === 'kvm-step') return;
    const name = kvmExitName(exit);
    this.#exits[name] = (this.#exits[name] ?? 0) + 1;
    if (exit.reason !== 'io' || exit.direction !== 'out') return;
    if (exit.port >= SERIAL.first && exit.port <= SERIAL.last) return;
    const values = (this.#ports[hex(exit.port)] ??= []);
    const size = exit.width / 8;
    for (let at = 0; at < exit.data.length && values.length < MOST_VALUES; at += size) {
      values.push(exit.data.subarray(at, at + size).reduceRight((value, byte) => value * 256 + byte, 0));
    }
  }

  /** Tells what was printed, types the answers, and gives the sentence that ends the run. */
  #listen(): string | undefined {
    const {output} = this.#session.board.uart;
    const fresh = output.slice(this.#printed);
    this.#execution.onProgress(this.#session.exits, fresh);
    this.#printed = output.length;
    if (fresh.length === 0 || !this.#serial.isListening) return undefined;
    this.#serial.hear(fresh);
    this.#type();
    return this.#serial.enough();
  }

  #type(): void {
    for (const {device, bytes} of this.#serial.replies()) {
      if (device === 'keyboard')
        throw new UserError(
          'no-keyboard',
          'A guest on KVM has no keyboard here. Use send in the script, or --on bare.',
        );
      this.#session.board.uart.receive(bytes);
    }
  }
}

function registersOf(cells: BigUint64Array): Readonly<Record<string, string>> {
  const known = CELLS.map((cell, index) => [cell, hex(cells[index] ?? 0n)] as const).filter(
    ([cell]) => !SIMULATED_ONLY.has(cell),
  );
  return Object.fromEntries(known.map(([cell, value]) => [cell.toLowerCase(), value]));
}
