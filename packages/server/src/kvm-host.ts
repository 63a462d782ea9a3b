// This machine's KVM, as the server asks it. Tests give their own.

import {UserError} from '@hyperscope/base';
import {RunnerPool, depthOptions, probeKvm} from '@hyperscope/kvm';
import type {KvmAvailability, KvmObserver, KvmStep, KvmView} from '@hyperscope/kvm';
import type {KvmProgram} from './kvm-program.js';
import {KvmRecording, kvmOutcomeSentence} from './kvm-recording.js';

/** How far a run is. */
export interface KvmProgress {
  /** Exits to user space so far. */
  readonly exits: number;
}

export interface KvmHost {
  /** What KVM is here, or why there is none. */
  answer(): KvmAvailability;
  /**
   * Runs a guest in a child process (docs/decisions/0004) and gives its record as a file's bytes.
   * @throws UserError when there is no KVM, it failed, or `signal` aborted ('cancelled').
   */
  run(program: KvmProgram, signal: AbortSignal, onProgress?: (progress: KvmProgress) => void): Promise<Uint8Array>;
  /** Ends the processes that wait for runs. */
  close?(): void;
}

/** Why KVM is missing may change (a module is loaded, a permission given); what KVM is does not. */
const ASK_AGAIN_MS = 5_000;

/**
 * Starting a process costs more than most guests: one that ended a run in order waits for the next, not for long and not
 * for ever. One whose guest had to be stopped is never used again.
 */
const POOL = {idle: 4, uses: 50, idleMilliseconds: 10_000} as const;

/** The real one. The first question takes about 100 ms. */
export function kvmOfThisMachine(): KvmHost {
  const pool = new RunnerPool(POOL);
  let known: {readonly answer: KvmAvailability; readonly until: number} | undefined;
  const answer = (): KvmAvailability => {
    if (known === undefined || performance.now() >= known.until) {
      const asked = probeKvm();
      known = {answer: asked, until: asked.available ? Infinity : performance.now() + ASK_AGAIN_MS};
    }
    return known.answer;
  };
  return {
    answer,
    close: () => {
      pool.close();
    },
    run: async (program, signal, onProgress) => {
      const kvm = answer();
      if (!kvm.available) throw new UserError(kvm.code, kvm.message);
      const recording = new KvmRecording({...program, host: kvm.fingerprint, irqchip: program.image.irqchip});
      const {outcome} = await pool.run({
        image: program.image,
        ports: program.ports,
        limits: program.limits,
        ...depthOptions(program.depth),
        quirks: {cpl3_step: kvm.fingerprint.probes['cpl3_step']},
        observer: onProgress === undefined ? recording : new TellingObserver(recording, onProgress),
        signal,
      });
      return recording.file(kvmOutcomeSentence(outcome));
    },
  };
}

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 200;

/** Passes everything on to a recording, and tells now and then how far the run is. */
class TellingObserver implements KvmObserver {
  readonly #recording: KvmRecording;
  readonly #tell: (progress: KvmProgress) => void;
  #exits = 0;
  #told = 0;

  constructor(recording: KvmRecording, tell: (progress: KvmProgress) => void) {
    this.#recording = recording;
    this.#tell = tell;
  }

  begin(view: KvmView): void {
    this.#recording.begin(view);
  }
  beforeStep(): void {
    this.#recording.beforeStep();
  }
  willWrite(bank: string, offset: number, length: number): void {
    this.#recording.willWrite(bank, offset, length);
  }
  exit(step: KvmStep): void {
    this.#recording.exit(step);
    this.#exits++;
    const now = performance.now();
    if (now - this.#told < REPORT_EVERY) return;
    this.#told = now;
    this.#tell({exits: this.#exits});
  }
  step(step: KvmStep): void {
    this.#recording.step(step);
  }
}
