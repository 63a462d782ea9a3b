// A campaign of the fuzzer in one mode: program after program on the simulator and on another machine, what was covered,
// and the first differences, each shrunk to its shortest program.

import {hexBytes} from '@hyperscope/base';
import {cellIndex, decode, disassemble} from '@hyperscope/isa';
import type {Instruction, OpcodeForm} from '@hyperscope/isa';
import {differences, endingText, frameOf, pushedFlags} from './compare-outcomes.js';
import type {Difference} from './compare-outcomes.js';
import {DIFFERENCE_RULES} from './difference-rules.js';
import type {DifferenceRule} from './difference-rules.js';
import {FUZZ_LAYOUT, FUZZ_MODES} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import type {FuzzOutcome, FuzzProgram, FuzzTarget} from './fuzz-program.js';
import {ProgramGenerator, choiceOf, isNoEnding} from './program-generator.js';
import type {FormChoice} from './program-generator.js';
import {shrink} from './shrink.js';
import type {SimulatedProcessor} from './simulated-processor.js';

export interface FuzzFinding {
  readonly mode: FuzzMode;
  readonly seed: number;
  /** The program's number: with mode and seed it is made again. */
  readonly number: number;
  /** Instructions of the program as it was drawn, and as it is now. */
  readonly drawn: number;
  readonly program: FuzzProgram;
  /** `008000  0f b1 d1  cmpxchg ecx, edx` */
  readonly listing: readonly string[];
  readonly differences: readonly Difference[];
}

interface Judgement {
  readonly unexplained: readonly Difference[];
  readonly rules: ReadonlySet<DifferenceRule>;
  /** How the program ended on both machines. */
  readonly endings: string;
}

const NOTHING: Judgement = {unexplained: [], rules: new Set(), endings: ''};

const CR2 = cellIndex('CR2');
const RFLAGS = cellIndex('RFLAGS');

export interface CampaignOptions {
  readonly mode: FuzzMode;
  readonly seed: number;
  readonly simulator: SimulatedProcessor;
  readonly target: FuzzTarget;
  /** Ids of the quirks that the host's fingerprint shows. */
  readonly quirks: ReadonlySet<string>;
  readonly shrinks: 'shrink' | 'as drawn';
}

export class FuzzCampaign {
  readonly choice: FormChoice;
  /** How often each line of the table was executed. */
  readonly executed = new Map<OpcodeForm, number>();
  programs = 0;
  /** Drawn, but of no use: see SimulatedProcessor. */
  useless = 0;
  instructions = 0;
  /** Programs that came out differently, and no rule says why. */
  differing = 0;
  /** Programs whose differences a rule explains. */
  readonly excused = new Map<DifferenceRule, number>();
  /** Programs that ended with undefined flags, and those of them in which the machines had chosen the same. */
  readonly undefinedFlags = {programs: 0, same: 0};
  readonly #options: CampaignOptions;
  readonly #generator: ProgramGenerator;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.choice = choiceOf(options.mode, options.simulator, options.quirks);
    this.#generator = new ProgramGenerator(options.mode, options.seed, options.simulator, this.choice);
  }

  /** Runs program `number` on both machines. */
  run(number: number): FuzzFinding | undefined {
    const {target} = this.#options;
    const generated = this.#generator.generate(number);
    if (generated === undefined) {
      this.useless++;
      return undefined;
    }
    this.programs++;
    this.instructions += generated.instructions;
    for (const form of generated.forms) this.executed.set(form, (this.executed.get(form) ?? 0) + 1);
    const {program, simulated, undefinedFlags} = generated;
    const other = target.run(program);
    if (undefinedFlags !== 0) {
      const chosen = ((simulated.cells[RFLAGS] ?? 0n) ^ (other.cells[RFLAGS] ?? 0n)) & BigInt(undefinedFlags);
      this.undefinedFlags.programs++;
      if (chosen === 0n) this.undefinedFlags.same++;
    }
    const judgement = this.#judge(simulated, other, undefinedFlags);
    for (const rule of judgement.rules) this.excused.set(rule, (this.excused.get(rule) ?? 0) + 1);
    if (judgement.unexplained.length === 0) return undefined;
    // A program that reads its own code saw less of it while it was being drawn: what counts is the whole one.
    const again = this.#compare(program);
    if (again.unexplained.length === 0) return undefined;
    this.differing++;
    return this.#finding(number, program, again);
  }

  #finding(number: number, drawn: FuzzProgram, found: Judgement): FuzzFinding {
    const {mode, seed, shrinks} = this.#options;
    const wanted = kindOf(found);
    const program =
      shrinks === 'shrink' ? shrink(drawn, candidate => kindOf(this.#compare(candidate)) === wanted) : drawn;
    const {unexplained} = program === drawn ? found : this.#compare(program);
    return {
      mode,
      seed,
      number,
      drawn: drawn.pieces.length,
      program,
      listing: listing(program),
      differences: unexplained,
    };
  }

  /** Runs a program that was not drawn; where it may not be compared, there are no differences. */
  #compare(program: FuzzProgram): Judgement {
    const {target, simulator} = this.#options;
    const simulated = simulator.run(program);
    if (simulator.isUseless || isNoEnding(simulated.ending)) return NOTHING;
    return this.#judge(simulated, target.run(program), simulator.undefinedFlags);
  }

  /** The differences that no rule explains, and the rules that explain the others. */
  #judge(simulated: FuzzOutcome, other: FuzzOutcome, undefinedFlags: number): Judgement {
    const {mode, quirks} = this.#options;
    const cr2 = simulated.cells[CR2] ?? 0n;
    const faulting = faultingInstruction(mode, simulated);
    const flagsAt = pushedFlags(mode, simulated);
    const rules = new Set<DifferenceRule>();
    const unexplained = differences(mode, simulated, other, undefinedFlags).filter(difference => {
      const rule = DIFFERENCE_RULES.find(
        each =>
          each.modes.includes(mode) &&
          (each.quirk === undefined || quirks.has(each.quirk)) &&
          each.excuses({difference, simulated, other: other.ending, cr2, faulting, flagsAt}),
      );
      if (rule !== undefined) rules.add(rule);
      return rule === undefined;
    });
    return {unexplained, rules, endings: `${endingText(simulated.ending)}, ${endingText(other.ending)}`};
  }
}

/** What a shrunk program must have in common with the drawn one, so that it shows the same and not something else. */
function kindOf({unexplained: [first], endings}: Judgement): string {
  if (first === undefined) return 'none';
  if (first.what === 'ending') return endings;
  return first.what.startsWith('[') ? 'memory' : first.what;
}

/** The instruction whose address the exception at the end has pushed. */
function faultingInstruction(mode: FuzzMode, outcome: FuzzOutcome): Instruction | undefined {
  const frame = frameOf(mode, outcome);
  if (frame === undefined) return undefined;
  const {memory} = outcome;
  const address = (memory[frame] ?? 0) | ((memory[frame + 1] ?? 0) << 8);
  const decoded = decode(memory, FUZZ_MODES[mode].codeSize, address);
  return decoded.kind === 'instruction' ? decoded.instruction : undefined;
}

/** A program as a person reads it. */
export function listing({mode, pieces}: FuzzProgram): readonly string[] {
  let address: number = FUZZ_LAYOUT.code;
  return pieces.map(piece => {
    const decoded = decode(piece, FUZZ_MODES[mode].codeSize);
    const isWhole = decoded.kind === 'instruction' && decoded.instruction.bytes.length === piece.length;
    const isBlank = piece.length > 1 && piece.every(byte => byte === 0x90);
    const text = isWhole
      ? disassemble(decoded.instruction, BigInt(address))
      : isBlank
        ? `nop, ${piece.length} times`
        : `${piece.length} bytes that are jumped over`;
    const bytes = hexBytes(piece.subarray(0, 15));
    const line = `${address.toString(16).padStart(6, '0')}  ${isWhole ? bytes.padEnd(30) : ''.padEnd(30)}  ${text}`;
    address += piece.length;
    return line;
  });
}
