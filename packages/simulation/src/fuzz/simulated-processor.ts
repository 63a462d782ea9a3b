// The simulator as the fuzzer drives it: instruction by instruction while a program is made, so that the next instruction
// can be chosen knowing every register; from start to end when a program is given. It watches two things that make a
// program useless for comparing: a flag that was undefined when it was used, and a store outside the window.

import {CELLS, GENERAL_REGISTERS, cellIndex, decode, isCell, recordMicrocode} from '@hyperscope/isa';
import type {CodeSize, Microcode, SegmentRegister} from '@hyperscope/isa';
import {Machine, NEHALEM_COSTS, announcedInstructions} from '@hyperscope/machine';
import type {MachineOptions, ProcessorProfile} from '@hyperscope/machine';
import {FUZZ_LAYOUT, FUZZ_MODES, vectorAt} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import {FuzzStarts, codeOf} from './fuzz-program.js';
import type {FuzzEnding, FuzzOutcome, FuzzProgram, FuzzTarget} from './fuzz-program.js';
import type {ProcessorView} from './memory-operand.js';
import {flagEffects} from './undefined-flags.js';
import type {FlagEffects} from './undefined-flags.js';

/** A REP over a whole segment is the longest that a program of good manners runs. */
const STEP_LIMIT = 4000;
const NO_EFFECTS: FlagEffects = {reads: 0, defines: 0, leavesUndefined: 0};
const GENERAL = GENERAL_REGISTERS.map(name => cellIndex(name));
const RIP = cellIndex('RIP');
const RFLAGS = cellIndex('RFLAGS');
const ACTIVITY = cellIndex('ACTIVITY');
const INSTRUCTIONS = cellIndex('INSTRUCTIONS');
const SHUTDOWN = 2n;

export class SimulatedProcessor implements FuzzTarget, ProcessorView {
  readonly machine: Machine;
  readonly starts = new FuzzStarts();
  readonly announced: ReturnType<typeof announcedInstructions>;
  /** Status flags that are undefined now: a mask of RFLAGS. */
  undefinedFlags = 0;
  /** An instruction depended on an undefined flag, or a store left the window. */
  isUseless = false;
  ending: FuzzEnding | undefined;
  codeSize: CodeSize = 16;
  readonly #reset: BigUint64Array;
  readonly #effects = new Map<number, FlagEffects>();

  constructor(profile: ProcessorProfile, executor: MachineOptions['executor'] = 'reference') {
    this.machine = new Machine({executor, memoryBytes: FUZZ_LAYOUT.memoryBytes, profile, costModel: NEHALEM_COSTS});
    this.announced = announcedInstructions(profile);
    this.#reset = this.machine.registers.cells.slice();
    this.machine.memory.observer = {
      willWrite: (_bank, offset) => {
        const {window, end, interruptStack} = FUZZ_LAYOUT;
        if ((offset < window || offset >= end) && offset >> 12 !== interruptStack >> 12) this.isUseless = true;
      },
      event: () => undefined,
    };
  }

  // ── as a generator sees it ──────────────────────────────────────────────────────────────────────────────────────

  get rip(): number {
    return Number(this.machine.registers.cells[RIP] ?? 0n);
  }
  get flags(): bigint {
    return this.machine.registers.cells[RFLAGS] ?? 0n;
  }
  get instructions(): number {
    return Number(this.machine.registers.cells[INSTRUCTIONS] ?? 0n);
  }
  register(number: number): bigint {
    const value = this.machine.registers.cells[GENERAL[number] ?? 0] ?? 0n;
    return this.codeSize === 64 ? value : value & 0xffff_ffffn;
  }
  base(segment: SegmentRegister): bigint {
    const ignored = this.codeSize === 64 && segment !== 'FS' && segment !== 'GS';
    return ignored ? 0n : this.machine.registers.segment(segment, 'base');
  }
  limit(segment: SegmentRegister): {readonly limit: number; readonly expandDown: boolean} {
    const {registers} = this.machine;
    const attributes = Number(registers.segment(segment, 'attributes'));
    return {limit: Number(registers.segment(segment, 'limit')), expandDown: (attributes & 0x1c) === 0x14};
  }

  /** Ready to execute at the start of the code. */
  begin(mode: FuzzMode, registers: FuzzProgram['registers']): void {
    const {machine} = this;
    const start = this.starts.of(mode);
    machine.memory.bytes.set(start.memory);
    machine.memory.invalidate(0, FUZZ_LAYOUT.end);
    machine.registers.cells.set(this.#reset);
    for (const values of [start.registers, registers])
      for (const [cell, value] of Object.entries(values)) if (isCell(cell)) machine.registers.set(cell, value);
    machine.registers.set('CPL', BigInt(FUZZ_MODES[mode].cpl));
    machine.tlb.reset();
    machine.processor.vectors.reset();
    this.codeSize = FUZZ_MODES[mode].codeSize;
    this.undefinedFlags = 0;
    this.isUseless = false;
    this.ending = undefined;
    this.#effects.clear();
  }

  /** Puts code into memory. */
  place(address: number, bytes: Uint8Array): void {
    const {memory} = this.machine;
    memory.bytes.set(bytes, address);
    memory.invalidate(address, bytes.length);
    this.#effects.delete(address);
  }

  /** What the instruction of this recording would depend on that is undefined. */
  wouldMisuse(microcode: Microcode): boolean {
    return (flagEffects(microcode).reads & this.undefinedFlags) !== 0;
  }

  /** Executes one instruction, or one iteration of a repeated one. Sets `ending` where that was the last. */
  step(): void {
    const {machine} = this;
    const effects = this.#effectsHere();
    if ((effects.reads & this.undefinedFlags) !== 0) this.isUseless = true;
    const before = this.undefinedFlags;
    const step = machine.step();
    this.undefinedFlags = (before & ~effects.defines) | effects.leavesUndefined;
    switch (step.kind) {
      case 'unsupported':
        this.ending = {kind: 'stopped', why: step.what};
        break;
      case 'shutdown':
        this.ending = {kind: 'shutdown'};
        break;
      case 'delivery':
        // A fault comes before its instruction changes flags, a trap after.
        this.undefinedFlags |= before;
        break;
      default:
        break;
    }
    const activity = machine.registers.cells[ACTIVITY] ?? 0n;
    if (this.ending !== undefined || activity === 0n) return;
    const vector = vectorAt(machine.registers.cells[RIP] ?? 0n);
    if (activity === SHUTDOWN) this.ending = {kind: 'shutdown'};
    else this.ending = vector === undefined ? {kind: 'halted'} : {kind: 'handler', vector};
  }

  /** Steps until `isThere` or an end; undefined flags and all. */
  stepUntil(isThere: () => boolean): void {
    for (let steps = 0; this.ending === undefined && !isThere(); steps++) {
      if (steps === STEP_LIMIT) this.ending = {kind: 'endless'};
      else this.step();
    }
  }

  #effectsHere(): FlagEffects {
    const {machine} = this;
    const address = this.rip + Number(this.base('CS'));
    if (address >= FUZZ_LAYOUT.handlers && address < FUZZ_LAYOUT.code) return NO_EFFECTS;
    const known = this.#effects.get(address);
    if (known !== undefined) return known;
    const decoded = decode(machine.memory.bytes, this.codeSize, Math.min(address, FUZZ_LAYOUT.end), this.announced);
    const effects = decoded.kind === 'instruction' ? flagEffects(recordMicrocode(decoded.instruction)) : NO_EFFECTS;
    this.#effects.set(address, effects);
    return effects;
  }

  // ── as a machine that runs programs ─────────────────────────────────────────────────────────────────────────────

  run(program: FuzzProgram): FuzzOutcome {
    this.begin(program.mode, program.registers);
    this.place(FUZZ_LAYOUT.code, codeOf(program));
    this.stepUntil(() => false);
    return this.outcome();
  }

  /** What is there now. */
  outcome(): FuzzOutcome {
    return {
      ending: this.ending ?? {kind: 'endless'},
      cells: this.machine.registers.cells.subarray(0, CELLS.length),
      memory: this.machine.memory.bytes.subarray(0, FUZZ_LAYOUT.end),
    };
  }
}
