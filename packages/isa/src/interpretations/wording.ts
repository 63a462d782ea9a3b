// Values of microcode in words: `RAX + RCX`, `CPL ≠ 0`, `CR4.TSD = 1`, `(CPL > IOPL ? none : IF)`.

import {assert, hex} from '@hyperscope/base';
import type {BinaryOperation, Microcode, Operation} from '../microcode/microcode.js';
import type {GeneralRegister} from '../registers/cells.js';
import {RFLAGS_FIELDS, fieldsOf} from '../registers/fields.js';
import {vectorPlace} from '../registers/vector-state.js';
import type {VectorCell} from '../registers/vector-state.js';
import {laneWords} from './lane-wording.js';

const SIGNS: Readonly<Record<BinaryOperation, string>> = {
  add: '+',
  sub: '−',
  and: 'and',
  or: 'or',
  xor: 'xor',
  mul: '×',
  divu: '÷',
  remu: 'mod',
  divs: '÷',
  rems: 'mod',
  shl: '«',
  shr: '»',
  sar: '»',
  eq: '=',
  ne: '≠',
  gtu: '>',
  ltu: '<',
  lts: '< (signed)',
  pdep: 'scattered to the ones of',
  pext: 'gathered from the ones of',
  crc32: 'CRC-32C with',
};
const OPPOSITES: Partial<Readonly<Record<BinaryOperation, string>>> = {eq: '≠', ne: '=', gtu: '≤', ltu: '≥'};

/** A register's name at a width: RAX, EAX, AX, AL, AH. */
export function registerName(register: GeneralRegister, width: number, high: boolean): string {
  const extended = /\d/.test(register);
  if (width === 64) return register;
  if (extended) return register + (width === 32 ? 'D' : width === 16 ? 'W' : 'B');
  const low = register.slice(1);
  if (width === 32) return `E${low}`;
  if (width === 16) return low;
  if (high) return `${low.charAt(0)}H`;
  return low.endsWith('X') ? `${low.charAt(0)}L` : `${low}L`;
}

/** A cell of the vector state, with the bits that are meant where they are not all. */
export function cellName(cell: VectorCell, width: number): string {
  return width === vectorPlace(cell).bits ? cell : `${cell}[${width - 1}:0]`;
}

/** The names of the RFLAGS bits of a mask; `none` for an empty one. */
function flagNames(mask: bigint): string {
  const named = RFLAGS_FIELDS.filter(field => ((mask >> BigInt(field.low)) & 1n) === 1n).map(field => field.name);
  return named.length === 0 ? 'none' : named.join(' ');
}

const STATE_NAMES: ReadonlyMap<string, string> = new Map([
  ['UMIP', 'CR4.UMIP'],
  ['PE', 'CR0.PE'],
  ['stackMask', 'the width of the stack'],
]);

/** A number as people write it: one digit in decimal, more in hexadecimal. */
export const number = (value: bigint): string => (value < 10n ? String(value) : hex(value));

export class Wording {
  readonly #microcode: Microcode;
  /** Loads and results of helpers have names of their own, because they happen once and at a moment. */
  readonly #names = new Map<number, string>();
  /** Effects seen so far: a register that one of them has overwritten is spoken of as it was. */
  readonly #overwritten = new Map<string, number>();
  /** Values that a register now holds: their operation's index, to the register's name. */
  readonly #held = new Map<number, {readonly text: string; readonly place: string; readonly since: number}>();

  constructor(microcode: Microcode) {
    this.#microcode = microcode;
  }

  /** Gives the value of an operation a name: t1, t2 … */
  name(id: number): string {
    const name = `t${this.#names.size + 1}`;
    this.#names.set(id, name);
    return name;
  }
  /** Notes that a register (or flag) was overwritten by the operation of this index. */
  overwrite(place: string, id: number): void {
    this.#overwritten.set(place, id);
  }
  /** Notes that a register was given a value: from now on its name stands for the value. */
  hold(text: string, place: string, value: number, id: number): void {
    this.overwrite(place, id);
    this.#held.set(value, {text, place, since: id});
  }
  /** A value spoken of as if nothing had been overwritten: for a line that tells again what was just computed. */
  original(id: number): string {
    const [overwritten, held] = [[...this.#overwritten], [...this.#held]];
    this.#overwritten.clear();
    this.#held.clear();
    const text = this.value(id);
    for (const [place, at] of overwritten) this.#overwritten.set(place, at);
    for (const [value, register] of held) this.#held.set(value, register);
    return text;
  }

  /** A value, in brackets where it stands `inside` a larger expression. */
  value(id: number, place: 'alone' | 'inside' = 'alone'): string {
    const operation = this.at(id);
    const held = this.#held.get(id);
    if (held !== undefined && operation.op !== 'constant' && this.#overwritten.get(held.place) === held.since)
      return held.text;
    switch (operation.op) {
      case 'constant':
        return number(operation.value);
      case 'register':
        return this.#was(operation.register, id) + registerName(operation.register, operation.width, operation.high);
      case 'flag':
        return this.#was(operation.flag, id) + operation.flag;
      case 'state':
        return STATE_NAMES.get(operation.state) ?? operation.state;
      case 'vector':
        return this.#was(operation.cell, id) + cellName(operation.cell, operation.width);
      case 'lanes':
        return laneWords(operation, this.value(operation.a, 'inside'), this.value(operation.b, 'inside'));
      case 'nextRip':
        return 'next RIP';
      case 'load':
      case 'call':
        return this.#names.get(id) ?? 'a value';
      case 'stackTop':
        return bracketed(this.#stack(operation.delta, id), operation.delta !== 0n && place === 'inside');
      case 'concat':
        return `${this.value(operation.high, 'inside')}:${this.value(operation.low, 'inside')}`;
      case 'choose':
        return `(${this.condition(operation.condition)} ? ${this.#signed(operation.a)} : ${this.#signed(operation.b)})`;
      case 'unary':
        return this.#unary(operation, place);
      case 'binary':
        return operation.width === 1
          ? bracketed(this.condition(id), place === 'inside')
          : this.#binary(operation, place);
      default:
        return (assert(false, `${operation.op} gives no value`), '');
    }
  }

  /** A 1-bit value as a statement: `CPL ≠ 0`, `ZF = 1`. `negated`: its opposite. */
  condition(id: number, sense: 'plain' | 'negated' = 'plain'): string {
    const operation = this.at(id);
    const bit = sense === 'plain' ? 1 : 0;
    if (operation.op === 'unary' && operation.operation === 'not')
      return this.condition(operation.a, sense === 'plain' ? 'negated' : 'plain');
    if (operation.op === 'constant') return operation.value === BigInt(bit) ? 'always' : 'never';
    if (operation.op === 'binary') return this.#statement(operation, sense);
    if (operation.op === 'unary' && operation.operation === 'trunc') {
      const named = this.#fieldOf(operation.a);
      if (named !== undefined) return `${named} = ${bit}`;
    }
    return `${this.value(id, 'inside')} = ${bit}`;
  }

  /** A constant that is a small negative number is written as one. */
  #signed(id: number): string {
    const operation = this.at(id);
    if (operation.op !== 'constant') return this.value(id);
    const value = BigInt.asIntN(operation.width, operation.value);
    return value < 0n && value >= -16n && operation.width > 1 ? `−${-value}` : number(operation.value);
  }

  /** A mask of RFLAGS as the names of its flags. */
  flagMask(id: number): string {
    const operation = this.at(id);
    if (operation.op === 'constant') return flagNames(operation.value);
    if (operation.op === 'choose')
      return `(${this.condition(operation.condition)} ? ${this.flagMask(operation.a)} : ${this.flagMask(operation.b)})`;
    if (operation.op === 'binary' && operation.operation === 'or')
      return `${this.flagMask(operation.a)} ∪ ${this.flagMask(operation.b)}`;
    return this.value(id);
  }

  /** `mem64[RBX + 8]`; the segment is named where it matters. */
  memory(segment: string, offset: number, width: number): string {
    const silent = this.#microcode.instruction.codeSize === 64 ? segment !== 'FS' && segment !== 'GS' : false;
    return `mem${width}[${silent ? '' : `${segment}:`}${this.value(offset)}]`;
  }

  /** The stack pointer by the name that fits the code. */
  get stackPointer(): string {
    return registerName('RSP', this.#microcode.instruction.codeSize, false);
  }

  at(id: number): Operation {
    const operation = this.#microcode.operations[id];
    assert(operation !== undefined, `operation ${id}`);
    return operation;
  }

  #was(place: string, id: number): string {
    return (this.#overwritten.get(place) ?? -1) > id ? 'old ' : '';
  }

  #stack(delta: bigint, id: number): string {
    const pointer = this.#was('RSP', id) + this.stackPointer;
    return delta === 0n ? pointer : `${pointer} ${delta < 0n ? '−' : '+'} ${number(delta < 0n ? -delta : delta)}`;
  }

  #unary(operation: Operation & {op: 'unary'}, place: 'alone' | 'inside'): string {
    const a = operation.a;
    switch (operation.operation) {
      case 'not':
        return operation.width === 1 ? bracketed(this.condition(a, 'negated'), true) : `not ${this.value(a, 'inside')}`;
      case 'neg':
        return `−${this.value(a, 'inside')}`;
      case 'zext':
        return this.value(a, place);
      case 'sext':
        return `sign-extended ${this.value(a, 'inside')}`;
      case 'trunc':
        return this.#truncation(a, operation.width, place);
      case 'parity':
        return `parity of ${this.value(a, 'inside')}`;
      case 'ctz':
        return `index of the lowest 1 in ${this.value(a, 'inside')}`;
      case 'msb':
        return `index of the highest 1 in ${this.value(a, 'inside')}`;
      case 'popcnt':
        return `number of ones in ${this.value(a, 'inside')}`;
      case 'bswap':
        return `${this.value(a, 'inside')} with its bytes reversed`;
    }
  }

  #truncation(a: number, width: number, place: 'alone' | 'inside'): string {
    const source = this.at(a);
    if (source.op !== 'constant' && widthOf(source) <= width) return this.value(a, place);
    if (width === 1) return this.#fieldOf(a) ?? `bit 0 of ${this.value(a, 'inside')}`;
    return `${this.value(a, 'inside')}[${width - 1}:0]`;
  }

  /** `CR4.TSD` for CR4 » 2; `bit 63 of …` for other values. */
  #fieldOf(id: number): string | undefined {
    const operation = this.at(id);
    if (operation.op === 'state') return fieldName(operation.state, 0);
    if (operation.op !== 'binary' || operation.operation !== 'shr') return undefined;
    const [a, count] = [this.at(operation.a), this.at(operation.b)];
    if (count.op !== 'constant') return undefined;
    return (
      (a.op === 'state' ? fieldName(a.state, Number(count.value)) : undefined) ??
      `bit ${count.value} of ${this.value(operation.a, 'inside')}`
    );
  }

  #statement(operation: Operation & {op: 'binary'}, sense: 'plain' | 'negated'): string {
    const {a, b} = operation;
    const negated = sense === 'negated';
    if (operation.width === 1 && (operation.operation === 'and' || operation.operation === 'or')) {
      const joint = (operation.operation === 'and') === negated ? 'or' : 'and';
      return `${this.condition(a, sense)} ${joint} ${this.condition(b, sense)}`;
    }
    if (operation.operation === 'xor')
      return `${this.value(a, 'inside')} ${negated ? '=' : '≠'} ${this.value(b, 'inside')}`;
    const opposite = OPPOSITES[operation.operation];
    const [left, right] = [this.value(a, 'inside'), this.value(b, 'inside')];
    if (!negated) return `${left} ${SIGNS[operation.operation]} ${right}`;
    return opposite === undefined
      ? `not ${left} ${SIGNS[operation.operation]} ${right}`
      : `${left} ${opposite} ${right}`;
  }

  #binary(operation: Operation & {op: 'binary'}, place: 'alone' | 'inside'): string {
    const {a, b} = operation;
    const masked = this.#withoutStackMask(operation);
    if (masked !== undefined) return this.value(masked, place);
    const right = this.at(b);
    if (operation.operation === 'sar')
      return bracketed(`${this.value(a, 'inside')} » ${this.value(b, 'inside')}, keeping the sign`, place === 'inside');
    const cleared = right.op === 'constant' ? BigInt.asUintN(operation.width, ~right.value) : 0n;
    if (operation.operation === 'and' && cleared !== 0n && cleared >> 22n === 0n && this.#isFlagsImage(operation)) {
      return bracketed(`${this.value(a, 'inside')} without ${flagNames(cleared)}`, place === 'inside');
    }
    if (operation.operation === 'add' && right.op === 'constant' && right.value >> BigInt(operation.width - 1) === 1n) {
      const magnitude = (1n << BigInt(operation.width)) - right.value;
      return bracketed(`${this.value(a, 'inside')} − ${number(magnitude)}`, place === 'inside');
    }
    return bracketed(
      `${this.#term(a, operation)} ${SIGNS[operation.operation]} ${this.#term(b, operation)}`,
      place === 'inside',
    );
  }

  /** Whether a value is RFLAGS or about to become it: only then do its bits have the names of flags. */
  #isFlagsImage(operation: Operation & {op: 'binary'}): boolean {
    const left = this.at(operation.a);
    const isState = left.op === 'state' && left.state === 'RFLAGS';
    return (
      isState || this.#microcode.operations.some(each => each.op === 'writeFlags' && this.at(each.image) === operation)
    );
  }

  /** Sums within sums need no brackets. */
  #term(id: number, outer: Operation & {op: 'binary'}): string {
    const inner = this.at(id);
    const flat = inner.op === 'binary' && inner.operation === outer.operation && /^(add|and|or)$/.test(outer.operation);
    return this.value(id, flat ? 'alone' : 'inside');
  }

  /** Cutting a stack pointer to the stack's width is not worth a word. */
  #withoutStackMask(operation: Operation & {op: 'binary'}): number | undefined {
    const isMask = (id: number): boolean => {
      const each = this.at(id);
      return (
        (each.op === 'state' && each.state === 'stackMask') ||
        (each.op === 'unary' && each.operation === 'not' && isMask(each.a))
      );
    };
    if (operation.operation === 'and') return isMask(operation.b) ? operation.a : undefined;
    const left = this.at(operation.a);
    const kept = left.op === 'binary' && left.operation === 'and' && isMask(left.b);
    return operation.operation === 'or' && kept ? operation.b : undefined;
  }
}

const bracketed = (text: string, needed: boolean): string => (needed ? `(${text})` : text);

function widthOf(operation: Operation): number {
  return 'width' in operation ? operation.width : 0;
}

function fieldName(state: string, bit: number): string | undefined {
  const field = fieldsOf(state).find(each => each.low === bit && each.high === bit);
  return field === undefined ? undefined : state === 'RFLAGS' ? field.name : `${state}.${field.name}`;
}
