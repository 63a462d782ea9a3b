// Programs for comparing machines, drawn from the opcode table: every line that exists in the mode, with every prefix,
// operand and addressing form. The same seed and number give the same program.

import {GENERAL_REGISTERS, OPCODES, recordMicrocode} from '@hyperscope/isa';
import type {Cell, Instruction, OpcodeForm} from '@hyperscope/isa';
import {FUZZ_LAYOUT, FUZZ_MODES} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import type {FuzzEnding, FuzzOutcome, FuzzProgram} from './fuzz-program.js';
import {isVector, ruleFor, ruleForInstruction} from './form-rules.js';
import type {FormRule} from './form-rules.js';
import {FormEncoder} from './form-encoder.js';
import {ProgramDraft} from './program-draft.js';
import {prepare} from './preparations.js';
import {Random} from './random.js';
import type {SimulatedProcessor} from './simulated-processor.js';
import {moveVectors} from './vector-state.js';

export interface GeneratedProgram {
  readonly program: FuzzProgram;
  /** Where the simulator arrived. Its arrays are reused by the next program. */
  readonly simulated: FuzzOutcome;
  /** Status flags that are undefined at the end: a mask. */
  readonly undefinedFlags: number;
  /** Lines of the table that were executed, in order. */
  readonly forms: readonly OpcodeForm[];
  readonly instructions: number;
}

export interface FormChoice {
  readonly quirks: ReadonlySet<string>;
  readonly eligible: readonly OpcodeForm[];
  /** Left out, each with its rule. */
  readonly excluded: ReadonlyMap<OpcodeForm, FormRule>;
}

/** The lines of the table that exist in a mode and on this processor, sorted into those that are compared and the rest. */
export function choiceOf(mode: FuzzMode, processor: SimulatedProcessor, quirks: ReadonlySet<string>): FormChoice {
  const exists = OPCODES.filter(form => existsIn(form, mode, processor));
  const excluded = new Map<OpcodeForm, FormRule>();
  for (const form of exists) {
    const rule = ruleFor(form, mode, quirks);
    if (rule !== undefined) excluded.set(form, rule);
  }
  return {quirks, eligible: exists.filter(form => !excluded.has(form)), excluded};
}

function existsIn({attributes, feature, pattern}: OpcodeForm, mode: FuzzMode, processor: SimulatedProcessor): boolean {
  const {codeSize} = FUZZ_MODES[mode];
  if (attributes.has('alias') || (feature !== undefined && !processor.announced.has(feature))) return false;
  if (codeSize === 64)
    return !attributes.has('i64') && !attributes.has('as16') && !(attributes.has('d64') && attributes.has('os32'));
  if (attributes.has('o64') || attributes.has('os64') || attributes.has('as64')) return false;
  return mode !== 'real' || (pattern.vex === undefined && !attributes.has('protected'));
}

/** What ends a program wherever it runs, or in ring 3: drawn seldom, and last. */
const ENDERS: ReadonlySet<string> = new Set(['INT', 'INT1', 'INT3', 'UD0', 'UD1', 'UD2']);
const PRIVILEGED: ReadonlySet<string> = new Set(
  (
    'CLI STI HLT IN OUT INSB INSW INSD OUTSB OUTSW OUTSD LGDT LIDT LLDT LTR LMSW CLTS INVD WBINVD INVLPG RDMSR WRMSR ' +
    'SYSRET SWAPGS INVPCID XSETBV CLAC STAC'
  ).split(' '),
);

function isEnder(form: OpcodeForm, mode: FuzzMode): boolean {
  if (ENDERS.has(form.mnemonic)) return true;
  if (mode !== 'ring3') return false;
  return PRIVILEGED.has(form.mnemonic) || form.operandTypes.includes('cr') || form.operandTypes.includes('dr');
}

const TRIES = 8;
const SHORTEST = 6;
const LONGEST = 48;
/** CMP AL, imm8: defines all status flags. */
const DEFINE_FLAGS = 0x3c;

export class ProgramGenerator {
  readonly #processor: SimulatedProcessor;
  readonly #mode: FuzzMode;
  readonly #seed: number;
  readonly #quirks: ReadonlySet<string>;
  readonly #ordinary: readonly OpcodeForm[];
  readonly #vectors: readonly OpcodeForm[];
  readonly #enders: readonly OpcodeForm[];

  constructor(mode: FuzzMode, seed: number, processor: SimulatedProcessor, choice: FormChoice) {
    const {eligible} = choice;
    this.#quirks = choice.quirks;
    this.#mode = mode;
    this.#seed = seed;
    this.#processor = processor;
    this.#ordinary = eligible.filter(form => !isEnder(form, mode) && !isVector(form));
    this.#vectors = eligible.filter(isVector);
    this.#enders = eligible.filter(form => isEnder(form, mode));
  }

  /** Program `number` of the seed, executed on the simulator; undefined where it says nothing (see SimulatedProcessor). */
  generate(number: number): GeneratedProgram | undefined {
    const random = new Random(this.#seed, number);
    const draft = new ProgramDraft(this.#mode, random, this.#processor, startRegisters(random, this.#mode));
    const forms: OpcodeForm[] = [];
    const encoder = new FormEncoder(random, this.#processor, this.#processor.announced);
    const length = SHORTEST + random.below(LONGEST - SHORTEST);
    const add = (list: readonly OpcodeForm[]): void => {
      const form = list[random.below(list.length)];
      if (form !== undefined && this.#add(draft, encoder, form)) forms.push(form);
    };
    const usesVectors = this.#vectors.length > 0 && random.chance(35);
    if (usesVectors) moveVectors(draft, 'load');
    const end = draft.pieces.length + length;
    while (!draft.isOver && draft.pieces.length < end)
      add(usesVectors && random.chance(60) ? this.#vectors : this.#ordinary);
    if (usesVectors) moveVectors(draft, 'store');
    if (!draft.isOver && this.#enders.length > 0 && random.chance(75)) add(this.#enders);
    draft.finish();
    const processor = this.#processor;
    if (processor.isUseless || isNoEnding(processor.ending)) return undefined;
    const {undefinedFlags, instructions} = processor;
    return {program: draft.program, simulated: processor.outcome(), undefinedFlags, forms, instructions};
  }

  #add(draft: ProgramDraft, encoder: FormEncoder, form: OpcodeForm): boolean {
    if (draft.codeSize !== 64) draft.keepStack();
    const wishes = prepare(draft, form);
    for (let tries = 0; tries < TRIES && !draft.isOver; tries++) {
      const instruction = encoder.encode(form, BigInt(draft.frontier), wishes);
      if (instruction === undefined || hasUndefinedResult(instruction, this.#processor)) continue;
      if (ruleForInstruction(instruction, this.#processor.flags, this.#mode, this.#quirks) !== undefined) continue;
      const microcode = recordMicrocode(instruction);
      if (this.#processor.wouldMisuse(microcode)) {
        draft.emit(Uint8Array.of(DEFINE_FLAGS, draft.random.next() & 0xff));
        continue;
      }
      draft.emit(instruction.bytes);
      return true;
    }
    return false;
  }
}

/**
 * Results that the manual leaves undefined: BSWAP of 16 bits, double shifts of 16 bits by more than 16, and a bit offset
 * in a register that leads out of the window, which is a fault at best.
 */
function hasUndefinedResult({form, width, operands}: Instruction, processor: SimulatedProcessor): boolean {
  if (form.mnemonic === 'BSWAP') return width === 16;
  if (form.mnemonic === 'SHLD' || form.mnemonic === 'SHRD') {
    const [, , count] = operands;
    const given = count?.kind === 'immediate' ? count.value : processor.register(1);
    return width === 16 && (given & 31n) > 16n;
  }
  const [base, offset] = operands;
  if (!/^BT[SRC]?$/.test(form.mnemonic) || base?.kind !== 'memory' || offset?.kind !== 'register') return false;
  const bit = BigInt.asIntN(width, processor.register(GENERAL_REGISTERS.indexOf(offset.register)));
  return bit > 0x4000n || bit < -0x4000n;
}

/** Endings that no processor has: nothing to compare. */
export const isNoEnding = (ending: FuzzEnding | undefined): boolean =>
  ending === undefined || ending.kind === 'endless' || ending.kind === 'stopped';

/** Any registers, some of them pointers into the window, a stack, and flags. */
function startRegisters(random: Random, mode: FuzzMode): Readonly<Partial<Record<Cell, bigint>>> {
  const {codeSize, cpl} = FUZZ_MODES[mode];
  const count = codeSize === 64 ? 16 : 8;
  const bits = codeSize === 64 ? 64 : 32;
  const registers: Partial<Record<Cell, bigint>> = {};
  for (const name of GENERAL_REGISTERS.slice(0, count)) {
    const pointer = codeSize === 64 ? FUZZ_LAYOUT.window + random.below(0x2_0000) : random.below(0x1_0000);
    registers[name] = random.chance(35) ? BigInt(pointer) : random.value(bits);
  }
  const stack = mode === 'real' ? 0 : FUZZ_LAYOUT.stack;
  registers['RSP'] = BigInt(stack + 0x1000 + 4 * random.below(0x2000));
  registers['RFLAGS'] = (random.word() & 0x8d5n) | (random.chance(20) ? 0x400n : 0n) | (cpl === 3 ? 0x202n : 2n);
  return registers;
}
