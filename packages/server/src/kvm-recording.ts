// A run on real KVM, recorded: the same kind of record as a simulated run gives, with the exits for steps.
// The clock of such a record counts steps: a real processor does not tell which cycles were the guest's.

import {createHash} from 'node:crypto';
import {assertExists, assertUnreachable} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {KvmObserver, KvmOutcome, KvmStep, KvmView} from '@hyperscope/kvm';
import {outcomeSentence} from '@hyperscope/simulation';
import {Recorder, writeRecord} from '@hyperscope/trace';
import type {HostFingerprint, RunRecord} from '@hyperscope/trace';

/** What the header says of the guest and of the host. */
export interface RecordingSubject {
  readonly id: string;
  readonly title: string;
  /** The guest's own bytes: their hash says which guest this is. */
  readonly program: Uint8Array;
  readonly loadAddress: number;
  readonly host: HostFingerprint;
  /** Where the guest's interrupt controllers are, if it has any. */
  readonly irqchip: 'kernel' | undefined;
}

/** Hears of each step of a run and hands it to trace's recorder. */
export class KvmRecording implements KvmObserver {
  readonly #subject: RecordingSubject;
  #recorder: Recorder | undefined;

  constructor(subject: RecordingSubject) {
    this.#subject = subject;
  }

  /** What was recorded so far; the run must have begun. */
  get record(): RunRecord {
    return this.#running().record;
  }

  begin(view: KvmView): void {
    const {id, title, program, loadAddress, host, irqchip} = this.#subject;
    const sha256 = createHash('sha256').update(program).digest('hex');
    this.#recorder = new Recorder(
      {
        format: 'hyperscope-record',
        version: 1,
        engine: 'kvm',
        technique: 'kvm',
        guest: {id, title, sha256, loadAddress, bytes: program.length},
        machine: undefined,
        host,
        ...(irqchip === undefined ? {} : {irqchip}),
        cells: CELLS,
        banks: view.banks.map(({name, bytes}) => ({name, size: bytes.length})),
      },
      view.banks,
    );
  }

  beforeStep(): void {
    this.#running().beginStep();
  }

  willWrite(bank: string, offset: number, length: number): void {
    this.#running().willWrite(bank, offset, length);
  }

  exit(step: KvmStep): void {
    this.#end(step);
  }

  step(step: KvmStep): void {
    this.#end(step);
  }

  /** The record as a file's bytes, with the end of the run in words. */
  async file(outcome: string): Promise<Uint8Array> {
    this.record.outcome = outcome;
    return writeRecord(this.record);
  }

  #end({who, kind, rip, length, events}: KvmStep): void {
    const recorder = this.#running();
    for (const event of events) recorder.hypervisorEvent(event);
    const cycle = recorder.record.length;
    recorder.endStep({who, kind, rip, length, cycle}, cycle + 1);
  }

  #running(): Recorder {
    return assertExists(this.#recorder, 'a run on KVM begins before it is recorded');
  }
}

/** How a run on KVM ended, as a sentence. */
export function kvmOutcomeSentence(outcome: KvmOutcome): string {
  switch (outcome.kind) {
    case 'limit':
      return `The run was stopped at its limit of ${outcome.limit}.`;
    case 'cancelled':
      return 'The run was cancelled.';
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
