// A program on /dev/kvm, in this process: the command line waits for it anyway, and Ctrl-C ends both.

import {UserError, assertUnreachable, hex} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import {KvmSession, probeKvm} from '@hyperscope/kvm';
import type {KvmOutcome, KvmStep} from '@hyperscope/kvm';
import {KvmRecording, kvmOutcomeSentence} from '@hyperscope/server';
import {SerialScriptPlayer} from '@hyperscope/simulation';
import type {RunResult} from '@hyperscope/simulation';
import {kvmExitName} from '@hyperscope/trace';
import type {HostFingerprint} from '@hyperscope/trace';
import type {Executed, Execution, ExecutionResult} from './execute.js';

/** Wall time of a run that was given no limit. */
const DEFAULT_MILLISECONDS = 60_000;
const SERIAL = {first: 0x3f8, last: 0x3ff} as const;
/** Cells that only the simulated processor has. */
const SIMULATED_ONLY: ReadonlySet<string> = new Set(['VMX_OPERATION', 'VMXON_POINTER', 'CURRENT_VMCS', 'CYCLES']);
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
    return {result: {...NOTHING, message: error.message}, record: undefined, captured: new Map()};
  }
}

const NOTHING: Omit<ExecutionResult, 'message'> = {
  schema: 1,
  engine: 'kvm',
  technique: 'kvm',
  outcome: 'kvm-failure',
  debugExit: null,
  instructions: null,
  cycles: null,
  seconds: 0,
  exits: {},
  exceptions: {},
  registers: {},
  memory: {},
  ports: {},
  unknownPorts: {},
  unsupported: [],
};

class KvmRun {
  readonly #execution: Execution;
  readonly #session: KvmSession;
  readonly #recording: KvmRecording;
  readonly #script: SerialScriptPlayer;
  readonly #exits: Record<string, number> = {};
  readonly #ports: Record<string, number[]> = {};
  #text = '';

  constructor(execution: Execution, host: HostFingerprint) {
    const {program, ports, clock, depth} = execution;
    const most = execution.maxInstructions ?? Number.MAX_SAFE_INTEGER;
    this.#execution = execution;
    this.#session = new KvmSession({
      image: program.loaded.image,
      ports,
      clock,
      limits: {milliseconds: execution.timeoutMilliseconds ?? DEFAULT_MILLISECONDS, exits: most, steps: most},
      singleStep: depth === 'instructions' ? 'where-possible' : 'off',
      quirks: {cpl3_step: host.probes['cpl3_step']},
    });
    const {id, title, bytes, loaded} = program;
    this.#recording = new KvmRecording({id, title, program: bytes, loadAddress: loaded.loadAddress, host});
    this.#script = new SerialScriptPlayer(execution.serialScript);
  }

  toTheEnd(): Executed {
    const session = this.#session;
    const {clock, ports, dumps, recording} = this.#execution;
    const started = clock.now();
    try {
      if (recording === 'on') this.#recording.begin(session);
      const {message, ...stop} = this.#untilStopped();
      const seconds = (clock.now() - started) / 1000;
      if (recording === 'on') this.#recording.record.outcome = message;
      const memory = session.banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array();
      const dumped = dumps.map(({address, length}) => [
        hex(address),
        toHex(memory.subarray(address, address + length)),
      ]);
      const unknown = [...session.board.unknownPorts].map(([port, times]) => [hex(port), times]);
      return {
        record: recording === 'on' ? this.#recording.record : undefined,
        captured: new Map(ports.capturePorts.map(port => [port, session.board.captured(port).slice()])),
        result: {
          ...NOTHING,
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

  #untilStopped(): Pick<RunResult, 'outcome' | 'debugExit' | 'message'> {
    this.#type();
    for (;;) {
      this.#step();
      const heard = this.#listen();
      const {outcome} = this.#session;
      if (outcome !== undefined) return {...stopOf(outcome), message: kvmOutcomeSentence(outcome)};
      if (heard === 'enough') {
        const message = `The guest printed what was waited for: ${this.#execution.stopSerial?.source ?? ''}`;
        return {outcome: 'stop-serial', debugExit: null, message};
      }
    }
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

  /** Tells what was printed, types what the script says, and whether enough was read. */
  #listen(): 'enough' | 'more' {
    const fresh = this.#session.board.uart.output.slice(this.#text.length);
    this.#execution.onProgress(this.#session.exits, fresh);
    if (fresh.length === 0) return 'more';
    for (const byte of fresh) this.#text += String.fromCharCode(byte);
    this.#type();
    const {stopSerial} = this.#execution;
    return stopSerial !== undefined && this.#text.search(stopSerial) >= 0 ? 'enough' : 'more';
  }

  #type(): void {
    for (let send = this.#script.next(this.#text); send !== undefined; send = this.#script.next(this.#text)) {
      this.#session.board.uart.receive(send);
    }
  }
}

function stopOf(outcome: KvmOutcome): Pick<RunResult, 'outcome' | 'debugExit'> {
  switch (outcome.kind) {
    case 'debug-exit':
      return {outcome: 'debug-exit', debugExit: outcome.value};
    case 'limit':
      return {outcome: 'limit', debugExit: null};
    case 'error':
    case 'unsupported':
    case 'cancelled':
      return {outcome: 'kvm-failure', debugExit: null};
    case 'halted':
    case 'power-off':
    case 'triple-fault':
      return {outcome: outcome.kind, debugExit: null};
    default:
      return assertUnreachable(outcome);
  }
}

function registersOf(cells: BigUint64Array): Readonly<Record<string, string>> {
  const known = CELLS.map((cell, index) => [cell, hex(cells[index] ?? 0n)] as const).filter(
    ([cell]) => !SIMULATED_ONLY.has(cell),
  );
  return Object.fromEntries(known.map(([cell, value]) => [cell.toLowerCase(), value]));
}

const toHex = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
