// Trap-and-emulate and binary translation as machines that run the fuzzer's programs: what a guest's kernel leaves behind outside
// ring 0, where everything sensitive traps or is translated, must be what it leaves in ring 0.

import {gpa} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {RingLayout, RunOutcome} from '@hyperscope/vmm';
import {FUZZ_LAYOUT, FUZZ_MODES, vectorAt} from './fuzz-image.js';
import {FuzzStarts, stateOf} from './fuzz-program.js';
import type {FuzzEnding, FuzzOutcome, FuzzProgram, FuzzTarget} from './fuzz-program.js';
import {requireTechnique} from '../shipped.js';

const STEP_LIMIT = 60_000;
const NO_PORTS = {exitPort: undefined, powerOffPort: undefined, capturePorts: []};

export class DeprivilegedTarget implements FuzzTarget {
  readonly #starts = new FuzzStarts();
  readonly #profile: string;
  readonly #rings: RingLayout;
  readonly #technique: string;

  constructor(profile: string, rings: RingLayout, technique = 'trap-and-emulate') {
    this.#technique = technique;
    this.#profile = profile;
    this.#rings = rings;
  }

  run(program: FuzzProgram): FuzzOutcome {
    const {memory, registers} = stateOf(program, this.#starts);
    const run = requireTechnique(this.#technique).start({
      image: {
        memoryBytes: FUZZ_LAYOUT.memoryBytes,
        segments: [{gpa: gpa(0), bytes: memory.slice()}],
        registers: {...registers, CPL: BigInt(FUZZ_MODES[program.mode].cpl)},
      },
      ports: NO_PORTS,
      profile: this.#profile,
      costModel: undefined,
      rings: this.#rings,
    });
    let outcome: RunOutcome | undefined;
    for (let steps = 0; steps < STEP_LIMIT && outcome === undefined; steps++) outcome = run.step().outcome;
    const left = run.guestRegisters();
    const start = run.guestToHost(gpa(0)) ?? 0;
    return {
      ending: endingOf(outcome, left.RIP ?? 0n),
      cells: BigUint64Array.from(CELLS, cell => left[cell] ?? 0n),
      memory: run.machine.memory.bytes.slice(start, start + FUZZ_LAYOUT.end),
    };
  }
}

function endingOf(outcome: RunOutcome | undefined, rip: bigint): FuzzEnding {
  if (outcome === undefined) return {kind: 'endless'};
  switch (outcome.kind) {
    case 'halted': {
      const vector = vectorAt(rip);
      return vector === undefined ? {kind: 'halted'} : {kind: 'handler', vector};
    }
    case 'triple-fault':
      return {kind: 'shutdown'};
    case 'unsupported':
      return {kind: 'stopped', why: outcome.what};
    default:
      return {kind: 'stopped', why: outcome.kind};
  }
}
