// A run on real KVM, recorded: the same kind of record as a simulated run gives, with the exits for steps.
// The clock of such a record counts nanoseconds of wall time; a real processor does not tell how many cycles were whose.

import {createHash} from 'node:crypto';
import {performance} from 'node:perf_hooks';
import {assertUnreachable} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import {KvmSession} from '@hyperscope/kvm';
import type {KvmOutcome, RunOnKvmOptions} from '@hyperscope/kvm';
import {outcomeSentence} from '@hyperscope/simulation';
import type {LoadedImage} from '@hyperscope/simulation';
import {Recorder, writeRecord} from '@hyperscope/trace';
import type {HostFingerprint, RecordHeader} from '@hyperscope/trace';
import {SerialPlayer} from './serial-player.js';
import type {SerialScript} from './serial-player.js';

/** Everything that a run on KVM is given. Plain data: it travels to a child process. */
export interface RecordingOptions {
  /** What the record calls the guest. */
  readonly name: {readonly id: string; readonly title: string};
  /** The guest's own bytes: their hash says which guest this is. */
  readonly program: Uint8Array;
  readonly loaded: Pick<LoadedImage, 'image' | 'loadAddress'>;
  readonly ports: RunOnKvmOptions['ports'];
  readonly limits: RunOnKvmOptions['limits'];
  /** 'exits': a step an exit. 'instructions': also one an instruction, where this KVM can single-step. */
  readonly depth: 'exits' | 'instructions';
  readonly host: HostFingerprint;
  readonly serial: SerialScript;
  /** Guest-physical memory wanted at the end. */
  readonly dumps: readonly {readonly address: number; readonly length: number}[];
}

export type RecordedOutcome = KvmOutcome | {readonly kind: 'stop-serial'};

/** What came out of it. Plain data as well. */
export interface Recording {
  readonly outcome: RecordedOutcome;
  /** The outcome as a sentence. */
  readonly sentence: string;
  /** KVM_EXIT reasons to user space, counted. */
  readonly exits: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly serial: Uint8Array;
  readonly captured: ReadonlyMap<number, Uint8Array>;
  readonly unknownPorts: ReadonlyMap<number, number>;
  /** What the statistics fd says of exits that KVM handled itself. */
  readonly statistics: Readonly<Record<string, number>>;
  /** isa's cells at the end. */
  readonly registers: BigUint64Array;
  /** In the order of the options' dumps; shorter where memory ends. */
  readonly dumps: readonly Uint8Array[];
  readonly seconds: number;
  /** The record as a file's bytes. */
  readonly file: Uint8Array;
}

/** Runs a guest on this thread, which blocks until it ends. @throws UserError when there is no KVM, or it refuses. */
export async function recordOnKvm(options: RecordingOptions): Promise<Recording> {
  const session = new KvmSession({
    image: options.loaded.image,
    ports: options.ports,
    limits: options.limits,
    singleStep: options.depth === 'instructions' ? 'where-possible' : 'off',
    quirks: {cpl3_step: options.host.probes['cpl3_step']},
    clock: performance,
  });
  try {
    const recorder = new Recorder(headerOf(options, session), session.banks);
    const started = performance.now();
    const {outcome, exits} = drive(session, recorder, new SerialPlayer(options.serial), started);
    const seconds = (performance.now() - started) / 1000;
    const sentence = kvmOutcomeSentence(outcome);
    recorder.record.outcome = sentence;
    const memory = session.banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array();
    return {
      outcome,
      sentence,
      exits,
      seconds,
      steps: session.steps,
      serial: Uint8Array.from(session.board.serial),
      captured: new Map(options.ports.capturePorts.map(port => [port, session.board.captured(port)])),
      unknownPorts: session.board.unknownPorts(),
      statistics: session.statistics(),
      registers: session.registers,
      dumps: options.dumps.map(({address, length}) => memory.slice(address, address + length)),
      file: await writeRecord(recorder.record),
    };
  } finally {
    session.close();
  }
}

/** The loop of the user-space VMM: step, record, answer the serial line, until the run is over. */
function drive(
  session: KvmSession,
  recorder: Recorder,
  serial: SerialPlayer,
  started: number,
): Pick<Recording, 'outcome' | 'exits'> {
  const nanoseconds = (): number => Math.round((performance.now() - started) * 1e6);
  const exits: Record<string, number> = {};
  session.board.sendSerial(serial.begin());
  let told = 0;
  for (;;) {
    const cycle = nanoseconds();
    recorder.beginStep();
    const {who, kind, rip, length, exit, events} = session.step(recorder);
    for (const event of events) recorder.hypervisorEvent(event);
    recorder.endStep({who, kind, rip, length, cycle}, nanoseconds());
    if (kind === 'kvm-exit') exits[exit.reason] = (exits[exit.reason] ?? 0) + 1;
    const said = session.board.serial.slice(told);
    told = session.board.serial.length;
    const heard = serial.hear(Uint8Array.from(said));
    session.board.sendSerial(heard.send);
    if (session.outcome !== undefined) return {outcome: session.outcome, exits};
    if (heard.stop) return {outcome: {kind: 'stop-serial'}, exits};
  }
}

function headerOf(options: RecordingOptions, session: KvmSession): RecordHeader {
  const {name, program, loaded, host} = options;
  const sha256 = createHash('sha256').update(program).digest('hex');
  return {
    format: 'hyperscope-record',
    version: 1,
    engine: 'kvm',
    technique: 'kvm',
    guest: {...name, sha256, loadAddress: loaded.loadAddress, bytes: program.length},
    machine: undefined,
    host,
    cells: CELLS,
    banks: session.banks.map(({name: bank, bytes}) => ({name: bank, size: bytes.length})),
  };
}

/** How a run on KVM ended, as a sentence. */
export function kvmOutcomeSentence(outcome: RecordedOutcome): string {
  switch (outcome.kind) {
    case 'limit':
      return `The run was stopped at its limit of ${outcome.limit}.`;
    case 'cancelled':
      return 'The run was cancelled.';
    case 'stop-serial':
      return 'The serial output matched what was waited for.';
    case 'triple-fault':
      return 'The guest was shut down (KVM_EXIT_SHUTDOWN): a triple fault. KVM does not tell which exceptions led to it.';
    case 'error':
      return outcome.message;
    case 'halted':
    case 'debug-exit':
    case 'power-off':
    case 'unsupported':
      return outcomeSentence(outcome);
    default:
      return assertUnreachable(outcome);
  }
}
