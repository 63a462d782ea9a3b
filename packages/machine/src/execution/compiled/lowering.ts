// Compiles the recording of one instruction into acts. It reads operations, never mnemonics: what an instruction means is
// said once, in isa. Shapes that are frequent (arithmetic with its flags, a push, a branch on flags) become one act;
// every other operation becomes one of its own; and an instruction with an operation that is not known here is left to the
// reference tier.
//
// Order: values are computed when they are wanted, effects happen in the order of the recording. An act may refuse only
// before anything was committed, which the recorder has made sure of: what may fault comes before what commits.

import {FLAG_BITS} from '@hyperscope/isa';
import type {Flag, Microcode, Operation} from '@hyperscope/isa';
import {GENERAL} from '../../cpu/cell-indexes.js';
import {sequence} from './act.js';
import type {Act, ActContext} from './act.js';
import {fieldArithmetic, flagImage, flagWrites, flagsOf, longArithmetic, wordArithmetic} from './arithmetic-acts.js';
import type {Computation, Field, FlagSource} from './arithmetic-acts.js';
import {
  branchOn,
  checkTarget,
  finishIf,
  jump,
  longBranchOn,
  refuseIf,
  refuseInGuest,
  repeatIf,
} from './control-acts.js';
import type {Frame} from './frame.js';
import {load, loadToModify, moveLongStack, moveStack, probe, pushWord, store, storeBack} from './memory-acts.js';
import type {Reach} from './memory-acts.js';
import {reachOf} from './reach.js';
import {registerWrite} from './register-acts.js';
import {NOT_COMPILED, Values} from './values.js';
import {maskOf} from './value-acts.js';
import {segmentIndex} from './data-path.js';

type Op<K extends Operation['op']> = Extract<Operation, {op: K}>;

/** An instruction that was compiled. */
export interface CompiledMicrocode {
  readonly act: Act;
  /** It may have changed what decides how the next instruction runs (IF, TF, RF, AC): look around after it. */
  readonly unsettles: boolean;
}

/** Undefined for an instruction that only the reference tier can run. */
export function compileMicrocode(
  microcode: Microcode,
  frame: Frame,
  context: ActContext,
): CompiledMicrocode | undefined {
  frame.releaseTemporaries();
  try {
    return new Lowering(microcode, frame, context).lower();
  } catch (error) {
    if (error === NOT_COMPILED) return undefined;
    throw error;
  }
}

const RESULT_FLAGS: ReadonlySet<Flag> = new Set<Flag>(['SF', 'ZF', 'PF']);
const SETTLED_FLAGS: ReadonlySet<string> = new Set(['CF', 'PF', 'AF', 'ZF', 'SF', 'OF', 'DF']);

class Lowering {
  readonly #operations: readonly Operation[];
  readonly #microcode: Microcode;
  readonly #context: ActContext;
  readonly #values: Values;
  readonly #f: Int32Array;
  /** Where a load for modification left the physical address, by the operation that is the offset. */
  readonly #modified = new Map<number, {readonly where: number; readonly bytes: number}>();
  #committed = false;
  #unsettles = false;

  constructor(microcode: Microcode, frame: Frame, context: ActContext) {
    this.#microcode = microcode;
    this.#operations = microcode.operations;
    this.#context = context;
    this.#values = new Values(microcode, frame);
    this.#f = frame.words;
  }

  lower(): CompiledMicrocode {
    for (let at = 0; at < this.#operations.length;) at = this.#lowerAt(at);
    return {act: sequence(this.#values.acts), unsettles: this.#unsettles};
  }

  get #is64(): boolean {
    return this.#microcode.instruction.codeSize === 64;
  }
  #add(act: Act): void {
    this.#values.acts.push(act);
  }

  /** Lowers the operation at an index, perhaps with some after it; gives the index of the next. */
  #lowerAt(at: number): number {
    const operation = this.#values.operation(at);
    switch (operation.op) {
      case 'constant':
      case 'register':
      case 'flag':
      case 'state':
      case 'nextRip':
      case 'stackTop':
      case 'binary':
      case 'unary':
      case 'concat':
      case 'choose':
        return at + 1;
      case 'load':
        return this.#load(at, operation);
      case 'probe':
        this.#add(probe(this.#context, this.#reach(operation), operation.bytes));
        return at + 1;
      case 'store':
        return this.#arithmetic(at, operation.value) ?? this.#store(at, operation);
      case 'setRegister':
        return this.#arithmetic(at, operation.value) ?? this.#setRegister(at, operation);
      case 'setFlags':
        return this.#arithmetic(at, operation.result) ?? this.#setFlags(at, operation);
      case 'setFlag':
        return this.#setFlag(at);
      default:
        return this.#lowerControl(at, operation);
    }
  }

  #lowerControl(at: number, operation: Operation): number {
    const values = this.#values;
    switch (operation.op) {
      case 'moveStack':
        values.beforeRegister('RSP', at);
        this.#commit((this.#is64 ? moveLongStack : moveStack)(this.#f, Number(operation.delta)));
        return at + 1;
      case 'writeFlags': {
        const [image, mask] = [values.place(operation.image), values.place(operation.mask)];
        values.beforeFlags(at);
        this.#commit(flagImage(this.#f, image, mask, this.#context.absentFlags));
        this.#unsettles = true;
        return at + 1;
      }
      case 'faultIf':
        this.#add(refuseIf(this.#f, values.condition(operation.when)));
        return at + 1;
      case 'intercept':
        this.#add(refuseInGuest(this.#f));
        return at + 1;
      case 'checkTarget':
        return this.#branch(at, operation) ?? this.#checkTarget(at, operation);
      case 'jump': {
        const target = values.place(operation.target);
        const when = this.#when(operation.when);
        values.beforeRip(at);
        this.#commit(jump(this.#f, target, when));
        return at + 1;
      }
      case 'finishIf':
        this.#add(finishIf(this.#f, values.condition(operation.when)));
        return at + 1;
      case 'repeatIf':
        this.#commit(repeatIf(this.#f, values.condition(operation.when)));
        return at + 1;
      default:
        throw NOT_COMPILED;
    }
  }

  #commit(act: Act): void {
    this.#committed = true;
    this.#add(act);
  }
  #when(id: number | undefined): number | undefined {
    return id === undefined ? undefined : this.#values.condition(id);
  }

  // ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #reach({segment, offset}: Op<'load'> | Op<'store'> | Op<'probe'>): Reach {
    return reachOf(this.#values, this.#microcode.instruction.codeSize, segment, offset);
  }

  #load(at: number, operation: Op<'load'>): number {
    if (operation.width > 64) throw NOT_COMPILED;
    const bytes = operation.width / 8;
    const reach = this.#reach(operation);
    const to = this.#values.temporary();
    if (operation.access === 'read') this.#add(load(this.#context, to, reach, bytes));
    else {
      const where = this.#values.temporary();
      this.#add(loadToModify(this.#context, to, reach, bytes, where));
      this.#modified.set(operation.offset, {where, bytes});
    }
    this.#values.settle(at, to);
    return at + 1;
  }

  #store(at: number, operation: Op<'store'>): number {
    if (operation.width > 64) throw NOT_COMPILED;
    const bytes = operation.width / 8;
    const next = this.#operations[at + 1];
    if (this.#isPush(operation) && next?.op === 'moveStack' && bytes === 4) {
      const from = this.#values.low(operation.value);
      this.#values.beforeRegister('RSP', at + 1);
      this.#commit(pushWord(this.#context, segmentIndex('SS'), from));
      return at + 2;
    }
    const from = this.#values.place(operation.value);
    const known = this.#modified.get(operation.offset);
    if (known?.bytes === bytes) this.#commit(storeBack(this.#context, from, bytes, known.where));
    else
      this.#commit(
        store(this.#context, this.#reach(operation), from, bytes, this.#committed ? 'probed' : 'may be refused'),
      );
    return at + 1;
  }

  /** A store just below the top of the stack, outside 64-bit mode. */
  #isPush({segment, offset, width}: Op<'store'>): boolean {
    const top = this.#values.operation(offset);
    return (
      !this.#is64 && !this.#committed && segment === 'SS' && top.op === 'stackTop' && top.delta === BigInt(-width / 8)
    );
  }

  // ── registers and flags ─────────────────────────────────────────────────────────────────────────────────────────

  #setRegister(at: number, operation: Op<'setRegister'>): number {
    const value = this.#values.place(operation.value);
    this.#values.beforeRegister(operation.register, at);
    this.#commit(registerWrite(this.#f, operation, value));
    return at + 1;
  }

  #setFlags(at: number, {rule, a, b, result, width}: Op<'setFlags'>): number {
    if (width > 64) throw NOT_COMPILED;
    const values = this.#values;
    const act = flagsOf(this.#f, rule, values.place(a), values.place(b), values.place(result), width);
    values.beforeFlags(at);
    this.#commit(act);
    return this.#skipClearedAuxiliary(at + 1, rule);
  }

  /** `logic` clears AF already, which recordings say once more because the manual leaves it undefined. */
  #skipClearedAuxiliary(at: number, rule: string): number {
    const next = this.#operations[at];
    const after = this.#operations[at + 1];
    const isConstantFirst = next?.op === 'constant' && after?.op === 'setFlag' && after.value === at;
    const flag = isConstantFirst ? after : next;
    if (rule !== 'logic' || flag?.op !== 'setFlag' || flag.flag !== 'AF' || flag.when !== undefined) return at;
    return this.#values.constantOf(flag.value) === 0n ? at + (isConstantFirst ? 2 : 1) : at;
  }

  /** This flag, and those that are set after it under the same condition. */
  #setFlag(at: number): number {
    const values = this.#values;
    const {writes, last, condition} = this.#flagWritesFrom(at);
    const result = this.#resultOf(writes);
    const sources: FlagSource[] = [];
    for (const [flag, value] of writes) {
      if (result !== undefined && RESULT_FLAGS.has(flag)) continue;
      sources.push({word: values.condition(value), bit: FLAG_BITS[flag]});
    }
    const group = {
      sources,
      result: result === undefined ? undefined : {...values.place(result), width: values.widthOf(result)},
    };
    const when = this.#when(condition);
    if (writes.size > 0) {
      values.beforeFlags(last);
      this.#commit(flagWrites(this.#f, group, when, values.zero));
    }
    return last + 1;
  }

  /** The values of the flags that are set together. Of two writes to one flag the last counts. */
  #flagWritesFrom(at: number) {
    const writes = new Map<Flag, number>();
    const first = this.#operations[at];
    const condition = first?.op === 'setFlag' ? first.when : undefined;
    let last = at;
    for (let next = at; next < this.#operations.length; next++) {
      const operation = this.#values.operation(next);
      if (operation.op !== 'setFlag') {
        // A flag that is read after it was written here must be seen as written.
        const seesWrite = operation.op === 'state' || (operation.op === 'flag' && writes.has(operation.flag));
        if (GIVES_A_VALUE.has(operation.op) && !seesWrite) continue;
        break;
      }
      if (!this.#isSameCondition(operation.when, condition)) break;
      last = next;
      if (!SETTLED_FLAGS.has(operation.flag)) this.#unsettles = true;
      if (writes.has(operation.flag) || !this.#isUnchanged(operation)) writes.set(operation.flag, operation.value);
    }
    return {writes, last, condition};
  }

  /** The same value, or the same comparison of one value with a constant. */
  #isSameCondition(a: number | undefined, b: number | undefined): boolean {
    if (a === b) return true;
    if (a === undefined || b === undefined) return false;
    const [x, y] = [this.#values.operation(a), this.#values.operation(b)];
    if (x.op !== 'binary' || y.op !== 'binary' || x.operation !== y.operation || x.a !== y.a) return false;
    const constant = this.#values.constantOf(x.b);
    return constant !== undefined && constant === this.#values.constantOf(y.b);
  }

  /** The value whose sign, zero and parity are SF, ZF and PF, where it is one. */
  #resultOf(writes: ReadonlyMap<Flag, number>): number | undefined {
    const [zero, sign, parity] = (['ZF', 'SF', 'PF'] as const).map(flag => {
      const value = writes.get(flag);
      return value === undefined || this.#values.isSettled(value) ? undefined : this.#values.operation(value);
    });
    if (zero?.op !== 'binary' || zero.operation !== 'eq' || this.#values.constantOf(zero.b) !== 0n) return undefined;
    const result = zero.a;
    const width = this.#values.widthOf(result);
    if (parity?.op !== 'unary' || parity.operation !== 'parity' || parity.a !== result) return undefined;
    if (sign?.op !== 'unary' || sign.operation !== 'trunc' || width > 64) return undefined;
    const shifted = this.#values.operation(sign.a);
    if (shifted.op !== 'binary' || shifted.operation !== 'shr' || shifted.a !== result) return undefined;
    return this.#values.constantOf(shifted.b) === BigInt(width - 1) ? result : undefined;
  }

  /** A flag that is given its own value, which nothing has changed in between. */
  #isUnchanged({flag, value}: Op<'setFlag'>): boolean {
    const source = this.#values.operation(value);
    return source.op === 'flag' && source.flag === flag && !this.#values.isSettled(value);
  }

  // ── arithmetic with its flags ───────────────────────────────────────────────────────────────────────────────────

  /**
   * Where the effect at `at` is the first to want `result`, and result and flags are all that is made of it: one act.
   * Gives the index after them; undefined where the shape is another one.
   */
  #arithmetic(at: number, result: number): number | undefined {
    const shape = this.#shapeOf(at, result);
    if (shape === undefined) return undefined;
    const {flags, flagsAt, computation, a, b} = shape;
    const values = this.#values;
    const effect = values.operation(at);
    const width = flags.width;
    const isRegister = effect.op === 'setRegister';
    const to = isRegister ? 2 * GENERAL[effect.register] : values.temporary();
    if (width < 32) {
      const shift = isRegister && effect.high ? 8 : 0;
      const field = {word: to, shift, keep: isRegister ? ~(maskOf(width) << shift) : 0};
      const [x, y] = [this.#field(a), this.#field(b)];
      this.#beforeArithmetic(effect, flagsAt);
      this.#add(fieldArithmetic(this.#f, computation, field, x, y, {width, rule: flags.rule}));
    } else {
      const [x, y] = [values.place(a), values.place(b)];
      this.#beforeArithmetic(effect, flagsAt);
      if (width === 64) this.#add(longArithmetic(this.#f, computation, to, x, y, flags.rule));
      else this.#add(wordArithmetic(this.#f, computation, to, x.low, y.low, flags.rule));
    }
    if (!isRegister) values.settle(result, to);
    if (effect.op === 'store') this.#store(at, effect);
    this.#committed = true;
    return this.#skipClearedAuxiliary(flagsAt + 1, flags.rule);
  }

  #beforeArithmetic(effect: Operation, flagsAt: number): void {
    if (effect.op === 'setRegister') this.#values.beforeRegister(effect.register, flagsAt);
    this.#values.beforeFlags(flagsAt);
  }

  #shapeOf(at: number, result: number) {
    const effect = this.#operations[at];
    const flagsAt = effect?.op === 'setFlags' ? at : at + 1;
    const flags = this.#operations[flagsAt];
    if (flags?.op !== 'setFlags' || flags.result !== result || this.#values.isSettled(result)) return undefined;
    if (flags.width > 64 || flags.width < 8) return undefined;
    // A store that could be refused after the flags were set would be too late.
    if (effect?.op === 'store' && !this.#modified.has(effect.offset)) return undefined;
    if (effect?.op === 'setRegister' && this.#values.isWantedAfter(result, flagsAt)) return undefined;
    const computation = this.#computationOf(result, flags);
    return computation === undefined ? undefined : {flags, flagsAt, computation, a: flags.a, b: flags.b};
  }

  /** What gives `result` from the operands that the flags are made of. */
  #computationOf(result: number, {rule, a, b}: Op<'setFlags'>): Computation | undefined {
    const operation = this.#values.operation(result);
    if (operation.op !== 'binary') return undefined;
    const isPlain = operation.a === a && operation.b === b;
    switch (rule) {
      case 'add':
      case 'inc':
        return isPlain && operation.operation === 'add' ? 'add' : undefined;
      case 'sub':
      case 'dec':
        return isPlain && operation.operation === 'sub' ? 'sub' : undefined;
      case 'logic': {
        const name = operation.operation;
        return isPlain && (name === 'and' || name === 'or' || name === 'xor') ? name : undefined;
      }
      default: {
        const inner = this.#values.operation(operation.a);
        const name = rule === 'adc' ? 'add' : 'sub';
        const isChain = inner.op === 'binary' && inner.operation === name && inner.a === a && inner.b === b;
        return isChain && operation.operation === name && this.#isCarry(operation.b) ? rule : undefined;
      }
    }
  }
  #isCarry(id: number): boolean {
    const widened = this.#values.operation(id);
    const flag = widened.op === 'unary' && widened.operation === 'zext' ? this.#values.operation(widened.a) : undefined;
    return flag?.op === 'flag' && flag.flag === 'CF' && !this.#values.isSettled(id);
  }

  #field(id: number): Field {
    const {low, shift} = this.#values.raw(id);
    return {word: low, shift, keep: 0};
  }

  // ── branches ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A near branch, on flags or always, to a place at a fixed distance. */
  #branch(at: number, {target, when}: Op<'checkTarget'>): number | undefined {
    const next = this.#operations[at + 1];
    if (next?.op !== 'jump' || next.target !== target || next.when !== when) return undefined;
    const table = when === undefined ? ALWAYS : this.#values.flagTable(when);
    const distance = this.#distanceOf(target);
    if (table === undefined || distance === undefined) return undefined;
    if (this.#is64) this.#commit(longBranchOn(this.#f, table, distance.value));
    else this.#commit(branchOn(this.#f, table, distance.value, maskOf(distance.width)));
    return at + 2;
  }

  /** nextRip + constant, cut to the operand size and widened again. */
  #distanceOf(target: number): {readonly value: number; readonly width: number} | undefined {
    let operation = this.#values.operation(target);
    let width = 64;
    if (operation.op === 'unary' && operation.operation === 'zext') operation = this.#values.operation(operation.a);
    if (operation.op === 'unary' && operation.operation === 'trunc') {
      width = operation.width;
      operation = this.#values.operation(operation.a);
    }
    if (operation.op !== 'binary' || operation.operation !== 'add' || (width === 64) !== this.#is64) return undefined;
    const distance = this.#values.constantOf(operation.b);
    if (this.#values.operation(operation.a).op !== 'nextRip' || distance === undefined) return undefined;
    const value = BigInt.asIntN(32, distance);
    return BigInt.asIntN(64, distance) === value ? {value: Number(value), width} : undefined;
  }

  #checkTarget(at: number, {target, when}: Op<'checkTarget'>): number {
    const place = this.#values.place(target);
    this.#add(checkTarget(this.#f, place, this.#when(when), this.#is64 ? 'long' : 'legacy'));
    return at + 1;
  }
}

/** The table of a condition that always holds. */
const ALWAYS = -1;

const GIVES_A_VALUE: ReadonlySet<Operation['op']> = new Set<Operation['op']>([
  'constant',
  'register',
  'flag',
  'state',
  'nextRip',
  'stackTop',
  'binary',
  'unary',
  'concat',
  'choose',
]);
