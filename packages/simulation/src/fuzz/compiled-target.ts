// The simulator's compiled tier as a machine that runs the fuzzer's programs: what it leaves must be what the reference
// executor leaves, undefined flags included.

import {CELLS, cellIndex, isCell} from '@hyperscope/isa';
import {Machine, NEHALEM_COSTS} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {FUZZ_LAYOUT, FUZZ_MODES, vectorAt} from './fuzz-image.js';
import {FuzzStarts, stateOf} from './fuzz-program.js';
import type {FuzzEnding, FuzzOutcome, FuzzProgram, FuzzTarget} from './fuzz-program.js';

const STEP_LIMIT = 5000;
/** An instruction is compiled when it runs for the second or third time. */
const PASSES = 3;
const RIP = cellIndex('RIP');
const ACTIVITY = cellIndex('ACTIVITY');

export class CompiledTarget implements FuzzTarget {
  /** Instructions that ran ahead, compiled, in the last pass of the last program. */
  ranAhead = 0;
  readonly #machine: Machine;
  readonly #starts = new FuzzStarts();
  readonly #reset: BigUint64Array;

  constructor(profile: ProcessorProfile) {
    const {memoryBytes} = FUZZ_LAYOUT;
    this.#machine = new Machine({executor: 'compiled', memoryBytes, profile, costModel: NEHALEM_COSTS});
    this.#reset = this.#machine.registers.cells.slice();
  }

  /** Runs a program as often as it takes until its code is compiled; the last time counts. */
  run(program: FuzzProgram): FuzzOutcome {
    const machine = this.#machine;
    machine.memory.invalidate(0, FUZZ_LAYOUT.end);
    let ending: FuzzEnding = {kind: 'endless'};
    for (let pass = 0; pass < PASSES; pass++) {
      this.#prepare(program);
      this.ranAhead = 0;
      ending = this.#run();
    }
    return {
      ending,
      cells: machine.registers.cells.subarray(0, CELLS.length),
      memory: machine.memory.bytes.subarray(0, FUZZ_LAYOUT.end),
    };
  }

  /** Puts registers and memory back, the code unchanged: what was decoded stays good. */
  #prepare(program: FuzzProgram): void {
    const machine = this.#machine;
    const {memory, registers} = stateOf(program, this.#starts);
    machine.memory.bytes.set(memory);
    machine.registers.cells.set(this.#reset);
    for (const [cell, value] of Object.entries(registers)) if (isCell(cell)) machine.registers.set(cell, value);
    machine.registers.set('CPL', BigInt(FUZZ_MODES[program.mode].cpl));
    machine.tlb.reset();
    machine.processor.vectors.reset();
  }

  #run(): FuzzEnding {
    const machine = this.#machine;
    const {cells} = machine.registers;
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      this.ranAhead += machine.runAhead(STEP_LIMIT);
      const step = machine.step();
      if (step.kind === 'unsupported') return {kind: 'stopped', why: step.what};
      if (step.kind === 'shutdown') return {kind: 'shutdown'};
      if (cells[ACTIVITY] === 0n) continue;
      const vector = vectorAt(cells[RIP] ?? 0n);
      return vector === undefined ? {kind: 'halted'} : {kind: 'handler', vector};
    }
    return {kind: 'endless'};
  }
}
