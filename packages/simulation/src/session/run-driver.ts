// Drives a technique's run and records every step. The banks are the machine's own: going back in time changes them in
// place, and the machine is told which bytes of memory are no longer what it may have decoded.

import {CELLS, cellIndex} from '@hyperscope/isa';
import {assert} from '@hyperscope/base';
import {Recorder} from '@hyperscope/trace';
import type {RecordHeader, RunRecord} from '@hyperscope/trace';
import type {RunObserver, RunOutcome, StepReport, TechniqueRun} from '@hyperscope/vmm';
import {extentsOf, guestExtents} from './guest-extents.js';
import {outcomeSentence} from './outcome.js';

const CYCLES = cellIndex('CYCLES');

export type HeaderParts = Pick<RecordHeader, 'technique' | 'guest'>;

export class RunDriver {
  readonly run: TechniqueRun;
  readonly record: RunRecord;
  readonly #recorder: Recorder;
  /** The register bank as 32-bit words, low halves first. */
  readonly #words: Uint32Array;
  #position = 0;
  /** How the run ended; undefined while it goes on. */
  outcome: RunOutcome | undefined;

  /** `memoryBytes`: guest-physical memory. The run must not have made a step yet. */
  constructor(run: TechniqueRun, parts: HeaderParts, memoryBytes: number) {
    this.run = run;
    const {cells} = run.machine.registers;
    this.#words = new Uint32Array(cells.buffer, cells.byteOffset, cells.length * 2);
    const guestMemory = guestExtents(run, memoryBytes);
    const header: RecordHeader = {
      format: 'hyperscope-record',
      version: 1,
      engine: 'simulated',
      technique: parts.technique,
      guest: parts.guest,
      machine: {profile: run.machine.profile.id, costModel: run.machine.costModel.id, memoryBytes},
      host: undefined,
      cells: CELLS,
      banks: run.banks.map(bank => ({name: bank.name, size: bank.bytes.length})),
      ...(guestMemory === undefined ? {} : {guestMemory}),
      ...machinesOf(run),
      ...(run.shadowPool === undefined ? {} : {shadowPool: run.shadowPool}),
    };
    this.#recorder = new Recorder(header, run.banks);
    this.record = this.#recorder.record;
    run.observe(this.#recorder);
  }

  /** Who must hear what happens for the record to be complete; the run is observed by it from the start. */
  get observer(): RunObserver {
    return this.#recorder;
  }
  /** The state that the machine is in: 0 … record.length. */
  get position(): number {
    return this.#position;
  }
  get atFrontier(): boolean {
    return this.#position === this.record.length;
  }

  /** Records one more step. The machine must be at the frontier, and the run not over. */
  advance(): StepReport {
    assert(this.atFrontier && this.outcome === undefined, 'only the frontier of a run that goes on can be advanced');
    const cycle = this.#cycles();
    this.#recorder.beginStep();
    const report = this.run.step();
    this.#recorder.endStep(
      {who: report.actor, kind: report.kind, rip: report.rip, length: report.length, cycle, machine: report.machine},
      this.#cycles(),
      this.run.machine.lastStep === 'plain' ? 'general' : 'all',
    );
    this.#position++;
    if (report.outcome !== undefined) {
      this.outcome = report.outcome;
      this.record.outcome = outcomeSentence(report.outcome);
    }
    return report;
  }

  /** Records up to `steps` more steps; fewer when the run ends. Goes to the frontier first. */
  advanceBy(steps: number): void {
    this.seek(this.record.length);
    for (let i = 0; i < steps && this.outcome === undefined; i++) this.advance();
  }

  /** The cycle counter, read as two words: a BigInt would be made for every step. Exact up to 2^53. */
  #cycles(): number {
    return (this.#words[CYCLES * 2] ?? 0) + (this.#words[CYCLES * 2 + 1] ?? 0) * 2 ** 32;
  }

  /** Carries the machine to a recorded state. */
  seek(index: number): void {
    if (index === this.#position) return;
    const {memory, tlb} = this.run.machine;
    this.#recorder.seek(this.#position, index, (bank, offset, length) => {
      if (bank === 'memory') memory.invalidate(offset, length);
    });
    tlb.invalidate();
    this.#position = index;
  }

  sendSerial(bytes: Uint8Array): void {
    this.#fromOutside(() => this.run.sendSerial(bytes));
  }
  pressKeys(scanCodes: Uint8Array): void {
    this.#fromOutside(() => this.run.pressKeys(scanCodes));
  }

  /** Input from outside is a step of its own, so that going back takes it back. */
  #fromOutside(give: () => void): void {
    this.seek(this.record.length);
    const {registers} = this.run.machine;
    const cycle = this.#cycles();
    this.#recorder.beginStep();
    give();
    this.#recorder.endStep(
      {who: 'device', kind: 'host-action', rip: registers.get('RIP'), length: 0, cycle},
      this.#cycles(),
    );
    this.#position++;
  }
}

function machinesOf({virtualMachines}: TechniqueRun): Pick<RecordHeader, 'virtualMachines'> {
  if (virtualMachines === undefined) return {};
  return {
    virtualMachines: virtualMachines.map(machine => ({
      name: machine.name,
      window: machine.window,
      shadowPool: machine.shadowPool,
      guestMemory: extentsOf(machine, machine.memoryBytes),
    })),
  };
}
