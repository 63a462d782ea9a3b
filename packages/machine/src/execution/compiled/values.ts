// From the values of a recording to words of the frame: which words hold a value, and the acts that put it there, made when
// it is first asked for. A register, flag or the next RIP is read where it lies, as long as the instruction has not
// overwritten it; before that happens the old value is copied (`beforeWrite`).

import {FLAG_BITS, cellIndex, isCell} from '@hyperscope/isa';
import type {GeneralRegister, Microcode, Operation, StateName} from '@hyperscope/isa';
import {CR0, GENERAL, RFLAGS, RIP} from '../../cpu/cell-indexes.js';
import {CR0_PE} from '../../cpu/modes.js';
import type {Act} from './act.js';
import {TABLE_FLAGS, flagCondition} from './control-acts.js';
import type {FlagTable} from './control-acts.js';
import type {Frame} from './frame.js';
import {longSum, stackMask, stackTop} from './memory-acts.js';
import {
  choice,
  copy,
  definedBinary,
  definedUnary,
  extraction,
  longBinary,
  longSignExtension,
  narrowBinary,
  narrowUnary,
} from './value-acts.js';
import type {Place} from './value-acts.js';

type Op<K extends Operation['op']> = Extract<Operation, {op: K}>;

/** Thrown while compiling, and caught there: the instruction is left to the reference tier. One object, so it costs no stack. */
export const NOT_COMPILED = new Error('this instruction is not compiled');

const FLAGS = 2 * RFLAGS;
/** State that is a cell, and read as it is. */
const PLAIN_STATES: ReadonlySet<StateName> = new Set<StateName>(['CPL', 'CR0', 'CR4', 'FS.base', 'GS.base']);
const FLAG_STATES: ReadonlySet<StateName> = new Set<StateName>(['RFLAGS', 'IOPL', 'VM']);

/** A place inside a word: 8 or 16 bits of a register are not cut out before somebody wants them so. */
export interface RawPlace extends Place {
  readonly shift: number;
  /** Whether other bits surround it in the word. */
  readonly isPart: boolean;
}

export class Values {
  readonly acts: Act[] = [];
  readonly zero: number;
  readonly #microcode: Microcode;
  readonly #frame: Frame;
  readonly #places: (RawPlace | undefined)[] = [];
  /** Low words that were computed alone, of 64-bit values. */
  readonly #lows: (number | undefined)[] = [];
  /** The last operation that carries out something and needs the value, straight or through others. */
  readonly #lastUses: number[];

  constructor(microcode: Microcode, frame: Frame) {
    this.#microcode = microcode;
    this.#frame = frame;
    this.#lastUses = lastUses(microcode.operations);
    this.zero = this.constantWord(0);
  }

  get words(): Int32Array {
    return this.#frame.words;
  }
  operation(id: number): Operation {
    const operation = this.#microcode.operations[id];
    if (operation === undefined) throw NOT_COMPILED;
    return operation;
  }
  widthOf(id: number): number {
    const operation = this.operation(id);
    return 'width' in operation ? operation.width : 64;
  }
  constantWord(value: number): number {
    const index = this.#frame.constant(value);
    if (index === undefined) throw NOT_COMPILED;
    return index;
  }
  temporary(): number {
    const index = this.#frame.temporary();
    if (index === undefined) throw NOT_COMPILED;
    return index;
  }
  /** A constant's value; undefined for what is none. */
  constantOf(id: number): bigint | undefined {
    const operation = this.operation(id);
    return operation.op === 'constant' ? operation.value : undefined;
  }
  /** The word of RSP, where it has not been copied: whoever asks uses it at once. */
  get stackPointer(): number {
    return 2 * GENERAL.RSP;
  }
  /** Whether an operation after `at` still wants a value. */
  isWantedAfter(id: number, at: number): boolean {
    return (this.#lastUses[id] ?? -1) > at;
  }
  /** Says where a value is that an act of the caller's has put somewhere. */
  settle(id: number, word: number): void {
    this.#places[id] = {low: word, high: word + 1, shift: 0, isPart: false};
  }
  isSettled(id: number): boolean {
    return this.#places[id] !== undefined;
  }

  // ── asking for a value ──────────────────────────────────────────────────────────────────────────────────────────

  /** All of it, in words of its own. */
  place(id: number): Place {
    const raw = this.raw(id);
    if (!raw.isPart) return raw;
    const to = this.temporary();
    this.acts.push(extraction(this.words, to, raw.low, raw.shift, this.widthOf(id)));
    this.settle(id, to);
    return {low: to, high: to + 1};
  }

  /** Its low 32 bits: less work for a 64-bit value. */
  low(id: number): number {
    const operation = this.operation(id);
    const isWide = this.widthOf(id) === 64;
    if (this.#places[id] !== undefined || !isWide) return this.place(id).low;
    const known = this.#lows[id];
    if (known !== undefined) return known;
    const word = this.#lowOf(operation);
    if (word === undefined) return this.place(id).low;
    this.#lows[id] = word;
    return word;
  }
  #lowOf(operation: Operation): number | undefined {
    if (operation.op === 'binary' && LOW_FROM_LOWS.has(operation.operation)) {
      const [a, b] = [this.low(operation.a), this.low(operation.b)];
      const to = this.temporary();
      const act = narrowBinary(this.words, operation.operation, to, a, b, 32);
      if (act === undefined) return undefined;
      this.acts.push(act);
      return to;
    }
    if (operation.op === 'concat') return this.low(operation.low);
    return undefined;
  }

  /** Wherever it lies now. */
  raw(id: number): RawPlace {
    const known = this.#places[id];
    if (known !== undefined) return known;
    const place = this.#compute(id, this.operation(id));
    this.#places[id] = place;
    return place;
  }

  // ── making it ───────────────────────────────────────────────────────────────────────────────────────────────────

  #compute(id: number, operation: Operation): RawPlace {
    switch (operation.op) {
      case 'constant':
        return this.#constant(operation);
      case 'register':
        return this.#register(operation);
      case 'flag':
        return this.#make(to => extraction(this.words, to, FLAGS, FLAG_BITS[operation.flag], 1));
      case 'state':
        return this.#state(operation);
      case 'nextRip':
        return whole(2 * RIP, 2 * RIP + 1);
      case 'stackTop':
        return this.#stackTop(operation);
      case 'binary':
        return this.#binary(id, operation);
      case 'unary':
        return this.#unary(operation);
      case 'concat':
        return this.#concat(operation);
      case 'choose': {
        if (operation.width > 64) throw NOT_COMPILED;
        const [condition, a, b] = [
          this.condition(operation.condition),
          this.place(operation.a),
          this.place(operation.b),
        ];
        return this.#make(to => choice(this.words, to, condition, a, b));
      }
      default:
        // Loads have been settled in their turn; helpers and whatever is not known here are not compiled.
        throw NOT_COMPILED;
    }
  }

  #make(act: (to: number) => Act): RawPlace {
    const to = this.temporary();
    this.acts.push(act(to));
    return whole(to, to + 1);
  }

  #constant({value, width}: Op<'constant'>): RawPlace {
    if (width > 64) throw NOT_COMPILED;
    const high = Number(BigInt.asIntN(32, value >> 32n));
    return whole(this.constantWord(Number(BigInt.asIntN(32, value))), this.constantWord(high));
  }

  #register({register, high, width}: Op<'register'>): RawPlace {
    const word = 2 * GENERAL[register];
    return {low: word, high: word + 1, shift: high ? 8 : 0, isPart: width < 32};
  }

  #state({state, width}: Op<'state'>): RawPlace {
    if (state === 'RFLAGS') return this.#make(to => copy(this.words, to, {low: FLAGS, high: FLAGS + 1}));
    if (state === 'IOPL') return this.#make(to => extraction(this.words, to, FLAGS, 12, 2));
    if (state === 'VM') return this.#make(to => extraction(this.words, to, FLAGS, 17, 1));
    if (state === 'stackMask') {
      if (this.#microcode.instruction.codeSize === 64) return whole(this.constantWord(-1), this.constantWord(-1));
      return this.#make(to => stackMask(this.words, to));
    }
    if (state === 'PE') return this.#make(to => extraction(this.words, to, 2 * CR0, Math.log2(CR0_PE), 1));
    if (!isCell(state) || !(PLAIN_STATES.has(state) || state.endsWith('.selector'))) throw NOT_COMPILED;
    const cell = cellIndex(state);
    return {low: 2 * cell, high: 2 * cell + 1, shift: 0, isPart: width < 32};
  }

  #stackTop({delta}: Op<'stackTop'>): RawPlace {
    const offset = Number(delta);
    if (this.#microcode.instruction.codeSize !== 64) return this.#make(to => stackTop(this.words, to, offset));
    const pointer = 2 * GENERAL.RSP;
    return this.#make(to => longSum(this.words, to, pointer, pointer + 1, offset));
  }

  #binary(id: number, {operation, a, b, width}: Op<'binary'>): RawPlace {
    const table = width === 1 ? this.flagTable(id) : undefined;
    if (table !== undefined) return this.#make(to => flagCondition(this.words, to, table));
    const widths = {a: this.widthOf(a), b: this.widthOf(b)};
    if (widths.a > 64 || widths.b > 64 || width > 64) throw NOT_COMPILED;
    const bit = width === 1 ? undefined : this.#fixedShift(operation, a, b);
    if (bit !== undefined)
      return this.#make(to => extraction(this.words, to, bit.word, bit.shift, widths.a - bit.shift));
    const [x, y] = [this.place(a), this.place(b)];
    return this.#make(to => {
      const isShift = SHIFTS.has(operation);
      const act =
        isShift && widths.b > 32
          ? undefined
          : widths.a === 64
            ? longBinary(this.words, operation, to, x, y)
            : narrowBinary(this.words, operation, to, x.low, y.low, widths.a);
      return act ?? definedBinary(this.words, operation, to, x, y, widths);
    });
  }

  /** A shift right by a constant, of a value in one word, is cutting bits out, wherever they lie. */
  #fixedShift(operation: string, a: number, b: number): {readonly word: number; readonly shift: number} | undefined {
    const count = this.constantOf(b);
    const width = this.widthOf(a);
    if (operation !== 'shr' || count === undefined || width > 32 || count >= BigInt(width)) return undefined;
    return {word: this.place(a).low, shift: Number(count)};
  }

  #unary({operation, a, width}: Op<'unary'>): RawPlace {
    const from = this.widthOf(a);
    if (from > 64 || width > 64) throw NOT_COMPILED;
    if (operation === 'zext') {
      const {low} = this.place(a);
      return from === 64 ? whole(low, this.place(a).high) : whole(low, this.zero);
    }
    if (operation === 'trunc') return this.#truncation(a, width);
    if (operation === 'parity') {
      const low = this.low(a);
      return this.#make(
        to => narrowUnary(this.words, operation, to, low, 8, 1) ?? copy(this.words, to, {low, high: low}),
      );
    }
    if (from === 64 || width === 64) {
      if (operation === 'sext') {
        const low = this.low(a);
        return this.#make(to => longSignExtension(this.words, to, low, from));
      }
      const place = this.place(a);
      return this.#make(to => definedUnary(this.words, operation, to, place, {from, to: width}));
    }
    const {low, high} = this.place(a);
    return this.#make(
      to =>
        narrowUnary(this.words, operation, to, low, from, width) ??
        definedUnary(this.words, operation, to, {low, high}, {from, to: width}),
    );
  }

  #truncation(a: number, width: number): RawPlace {
    const bit = width === 1 ? this.#bitOf(a) : undefined;
    if (bit !== undefined) return this.#make(to => extraction(this.words, to, bit.word, bit.shift, 1));
    const low = this.low(a);
    return {low, high: this.zero, shift: 0, isPart: width < 32};
  }

  /** A bit at a fixed place, as `shr` and `trunc` name it. */
  #bitOf(id: number): {readonly word: number; readonly shift: number} | undefined {
    const operation = this.operation(id);
    if (this.#places[id] !== undefined || operation.op !== 'binary' || operation.operation !== 'shr') return undefined;
    const count = this.constantOf(operation.b);
    const width = this.widthOf(operation.a);
    if (count === undefined || width > 64 || count >= BigInt(width)) return undefined;
    const shift = Number(count);
    if (shift >= 32) return {word: this.place(operation.a).high, shift: shift - 32};
    return {word: this.low(operation.a), shift};
  }

  #concat({high, low, width}: Op<'concat'>): RawPlace {
    if (width > 64) throw NOT_COMPILED;
    const [h, l] = [this.place(high), this.place(low)];
    if (width === 64) return whole(l.low, h.low);
    const half = width / 2;
    const shifted = this.temporary();
    const count = this.constantWord(half);
    const shift = narrowBinary(this.words, 'shl', shifted, h.low, count, width);
    if (shift !== undefined) this.acts.push(shift);
    return this.#make(to => narrowBinary(this.words, 'or', to, shifted, l.low, width) ?? copy(this.words, to, l));
  }

  // ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The word of a 1-bit value. */
  condition(id: number): number {
    const known = this.#places[id];
    const table = known === undefined && this.operation(id).op !== 'flag' ? this.flagTable(id) : undefined;
    if (table !== undefined) this.#places[id] = this.#make(to => flagCondition(this.words, to, table));
    return this.place(id).low;
  }

  /** What a value is for each combination of the status flags; undefined when it depends on anything else. */
  flagTable(id: number): FlagTable | undefined {
    if (this.#places[id] !== undefined) return undefined;
    const operation = this.operation(id);
    if (operation.op === 'flag') return tableOf(operation.flag);
    if (operation.op === 'unary' && operation.operation === 'not' && operation.width === 1) {
      const a = this.flagTable(operation.a);
      return a === undefined ? undefined : ~a;
    }
    if (operation.op !== 'binary' || operation.width !== 1) return undefined;
    const [a, b] = [this.flagTable(operation.a), this.flagTable(operation.b)];
    if (a === undefined || b === undefined) return undefined;
    switch (operation.operation) {
      case 'and':
        return a & b;
      case 'or':
        return a | b;
      case 'xor':
        return a ^ b;
      default:
        return undefined;
    }
  }

  // ── before something is overwritten ─────────────────────────────────────────────────────────────────────────────

  /** Copies what lies in a register that operation `at` overwrites and that somebody after it still wants. */
  beforeRegister(register: GeneralRegister, at: number): void {
    const reads = (o: Operation): boolean =>
      o.op === 'register' ? o.register === register : o.op === 'stackTop' && register === 'RSP';
    this.#beforeWrite(at, 2 * GENERAL[register], reads);
  }
  beforeFlags(at: number): void {
    this.#beforeWrite(at, FLAGS, o => o.op === 'flag' || (o.op === 'state' && FLAG_STATES.has(o.state)));
  }
  beforeRip(at: number): void {
    this.#beforeWrite(at, 2 * RIP, o => o.op === 'nextRip');
  }

  #beforeWrite(at: number, word: number, reads: (operation: Operation) => boolean): void {
    const {operations} = this.#microcode;
    for (let id = 0; id < operations.length; id++) {
      if ((this.#lastUses[id] ?? -1) <= at) continue;
      const lies = (low: number | undefined): boolean => low === word || low === word + 1;
      if (lies(this.#lows[id])) this.#lows[id] = undefined;
      const settled = this.#places[id];
      if (settled === undefined && !(id < at && reads(this.operation(id)))) continue;
      const {low, high} = this.place(id);
      if (!lies(low) && !lies(high)) continue;
      const to = this.temporary();
      this.acts.push(copy(this.words, to, {low, high}));
      this.settle(id, to);
    }
  }
}

const whole = (low: number, high: number): RawPlace => ({low, high, shift: 0, isPart: false});

const SHIFTS: ReadonlySet<string> = new Set(['shl', 'shr', 'sar']);
/** The low half of their result depends on the low halves of the operands only. */
const LOW_FROM_LOWS: ReadonlySet<string> = new Set(['add', 'sub', 'and', 'or', 'xor', 'mul']);

function tableOf(flag: string): FlagTable | undefined {
  const bit = TABLE_FLAGS.findIndex(each => each === flag);
  if (bit < 0) return undefined;
  let table = 0;
  for (let index = 0; index < 32; index++) table |= ((index >>> bit) & 1) << index;
  return table;
}

/** For each operation, the last one that is carried out in its turn and depends on its value. */
function lastUses(operations: readonly Operation[]): number[] {
  const last = operations.map(() => -1);
  for (let index = operations.length - 1; index >= 0; index--) {
    const operation = operations[index];
    if (operation === undefined) continue;
    const use = PURE.has(operation.op) ? (last[index] ?? -1) : index;
    for (const operand of operandsOf(operation)) last[operand] = Math.max(last[operand] ?? -1, use);
  }
  return last;
}

/** Operations that only give a value and can be carried out whenever it is wanted. */
const PURE: ReadonlySet<Operation['op']> = new Set<Operation['op']>(['binary', 'unary', 'concat', 'choose']);

function operandsOf(operation: Operation): readonly number[] {
  const found: number[] = [];
  for (const [name, value] of Object.entries(operation)) {
    if (typeof value === 'number' && OPERAND_NAMES.has(name)) found.push(value);
    else if (name === 'args' && Array.isArray(value))
      for (const arg of value) if (typeof arg === 'number') found.push(arg);
  }
  return found;
}

const OPERAND_NAMES: ReadonlySet<string> = new Set([
  'a',
  'b',
  'high',
  'low',
  'condition',
  'offset',
  'value',
  'result',
  'when',
  'image',
  'mask',
  'errorCode',
  'target',
]);
