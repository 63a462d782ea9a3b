// Recorded steps, run once more on a machine of their own: for what a record does not hold, such as what the TLB answered. The machine is
// carried to a recorded state, runs, is held against the record after each step, and is put back byte for byte, whatever happened.

import {listenToLookups} from '@hyperscope/machine';
import type {Bank} from '@hyperscope/machine';
import type {RunRecord} from '@hyperscope/trace';
import type {StepReport, TechniqueRun} from '@hyperscope/vmm';

/** A stretch of a bank as it was before the steps. */
interface Kept {
  readonly bank: Bank;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Hears what steps ask of the TLB. */
export interface StepLookups {
  looked(linear: bigint, access: 'execute' | 'read' | 'write', answer: 'hit' | 'walk'): void;
  beginStep(): void;
}

export class StepReplay {
  readonly #record: RunRecord;
  readonly #start: () => TechniqueRun;
  /** Undefined before the first use, and after a run that is over: what ends a run is in no bank. */
  #run: TechniqueRun | undefined;
  #position = 0;

  /** `start` starts a run as the recorded one was started. */
  constructor(record: RunRecord, start: () => TechniqueRun) {
    this.#record = record;
    this.#start = start;
  }

  /**
   * Runs the steps from state `from` to state `to`; `lookups` hears what they ask of the TLB, and of the beginning of each. Gives the
   * state up to which the machine did what the record says: `to`, or less where something came from outside, such as a key.
   */
  over(from: number, to: number, lookups: StepLookups): number {
    const run = this.#at(from);
    const kept = keepWhatIsWritten(run);
    const stopListening = listenToLookups(run.machine.processor, lookups);
    let at = from;
    try {
      for (; at < to; at++) {
        lookups.beginStep();
        const report = run.step();
        if (report.outcome !== undefined) this.#run = undefined;
        if (!this.#isAsRecorded(at, report, run)) break;
      }
    } finally {
      stopListening();
      run.observe(undefined);
      putBack(run, kept);
    }
    return at;
  }

  #isAsRecorded(step: number, {rip, kind}: StepReport, {machine}: TechniqueRun): boolean {
    const recorded = this.#record.step(step);
    return (
      recorded?.rip === rip &&
      recorded.kind === kind &&
      machine.registers.number('CYCLES') === this.#record.cycleAt(step + 1)
    );
  }

  /** The machine at a recorded state. */
  #at(index: number): TechniqueRun {
    if (this.#run === undefined) this.#position = 0;
    const run = (this.#run ??= this.#start());
    const {memory, tlb} = run.machine;
    this.#record.seek(run.banks, this.#position, index, (bank, offset, length) => {
      if (bank === 'memory') memory.invalidate(offset, length);
    });
    tlb.invalidate();
    this.#position = index;
    return run;
  }
}

/** From now on everything is kept before it is written. Registers are written without a word, so they are kept whole. */
function keepWhatIsWritten(run: TechniqueRun): readonly Kept[] {
  const kept: Kept[] = [];
  const banks = new Map(run.banks.map(bank => [bank.name, bank]));
  const keep = (bank: Bank | undefined, offset: number, length: number): void => {
    if (bank !== undefined) kept.push({bank, offset, bytes: bank.bytes.slice(offset, offset + length)});
  };
  const registers = banks.get('registers');
  keep(registers, 0, registers?.bytes.length ?? 0);
  run.observe({
    willWrite: (bank, offset, length) => keep(banks.get(bank), offset, length),
    event: () => undefined,
    hypervisorEvent: () => undefined,
  });
  return kept;
}

function putBack({machine: {memory, tlb}}: TechniqueRun, kept: readonly Kept[]): void {
  for (const {bank, offset, bytes} of kept.toReversed()) {
    bank.bytes.set(bytes, offset);
    if (bank.name === 'memory') memory.invalidate(offset, bytes.length);
  }
  tlb.invalidate();
}
