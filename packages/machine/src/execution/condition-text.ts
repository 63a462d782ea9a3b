// Why a `faultIf` of the microcode decided as it did, in words: the recorded condition, turned round into the rule that
// must hold, with the values of everything it looked at. 'CPL = 0', CPL 3.

import {CR4_FIELDS} from '@hyperscope/isa';
import type {Microcode, Operation} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {NamedValue} from '../cpu/faults.js';

export interface ConditionText {
  /** What must hold for the fault not to happen. */
  readonly rule: string;
  readonly values: readonly NamedValue[];
}

/** `values` holds what each operation gave; `when` is the condition under which the fault happens. */
export function conditionText(microcode: Microcode, values: readonly bigint[], when: number): ConditionText {
  const names = new Map<string, string>();
  const reader = new ConditionReader(microcode.operations, values, names);
  return {rule: reader.negated(when), values: [...names]};
}

const COMPARE = {eq: '=', ne: '≠', gtu: '>', ltu: '<', lts: '<'} as const;
const OPPOSITE = {eq: '≠', ne: '=', gtu: '≤', ltu: '≥', lts: '≥'} as const;
const ARITHMETIC = {add: '+', sub: '−', and: '∧', or: '∨', xor: '⊕', mul: '×'} as const;
type Comparison = keyof typeof COMPARE;
const isComparison = (name: string): name is Comparison => Object.hasOwn(COMPARE, name);
const isArithmetic = (name: string): name is keyof typeof ARITHMETIC => Object.hasOwn(ARITHMETIC, name);

class ConditionReader {
  readonly #operations: readonly Operation[];
  readonly #values: readonly bigint[];
  readonly #names: Map<string, string>;

  constructor(operations: readonly Operation[], values: readonly bigint[], names: Map<string, string>) {
    this.#operations = operations;
    this.#values = values;
    this.#names = names;
  }

  /** The opposite of a 1-bit value, as a sentence. */
  negated(index: number): string {
    const operation = this.#operations[index];
    if (operation?.op === 'unary' && operation.operation === 'not') return this.affirmed(operation.a);
    if (operation?.op === 'binary') {
      const {operation: name, a, b} = operation;
      if (isComparison(name)) return `${this.#value(a)} ${OPPOSITE[name]} ${this.#value(b)}`;
      if (name === 'and') return `${this.negated(a)} or ${this.negated(b)}`;
      if (name === 'or') return `${grouped(this.negated(a))} and ${grouped(this.negated(b))}`;
    }
    if (operation?.op === 'constant') return operation.value === 0n ? 'nothing' : 'the instruction exists in this mode';
    return `${this.#value(index)} = 0`;
  }

  /** A 1-bit value, as a sentence. */
  affirmed(index: number): string {
    const operation = this.#operations[index];
    if (operation?.op === 'unary' && operation.operation === 'not') return this.negated(operation.a);
    if (operation?.op === 'binary') {
      const {operation: name, a, b} = operation;
      if (isComparison(name)) return `${this.#value(a)} ${COMPARE[name]} ${this.#value(b)}`;
      if (name === 'and') return `${grouped(this.affirmed(a))} and ${grouped(this.affirmed(b))}`;
      if (name === 'or') return `(${this.affirmed(a)} or ${this.affirmed(b)})`;
    }
    return `${this.#value(index)} = 1`;
  }

  /** A value as a term; what it read goes into the list of values. */
  #value(index: number): string {
    const operation = this.#operations[index];
    switch (operation?.op) {
      case undefined:
        return '?';
      case 'constant':
        return operation.value > 9n ? hex(operation.value) : operation.value.toString();
      case 'state':
        return this.#named(stateName(operation.state), index);
      case 'flag':
        return this.#named(`RFLAGS.${operation.flag}`, index);
      case 'register':
        return this.#named(registerName(operation), index);
      case 'load':
        return this.#named('the operand in memory', index);
      case 'unary':
        return this.#unary(operation, index);
      case 'binary':
        return this.#binary(operation, index);
      case 'concat':
        return `${this.#value(operation.high)}:${this.#value(operation.low)}`;
      default:
        return this.#named('the value', index);
    }
  }

  #unary(operation: Extract<Operation, {op: 'unary'}>, index: number): string {
    const inner = this.#operations[operation.a];
    const isBit =
      operation.operation === 'trunc' && operation.width === 1 && inner?.op === 'binary' && inner.operation === 'shr';
    if (isBit) return this.#named(this.#bitName(inner.a, inner.b), index);
    return this.#value(operation.a);
  }

  #binary(operation: Extract<Operation, {op: 'binary'}>, index: number): string {
    const name = operation.operation;
    if (isArithmetic(name)) return `${this.#value(operation.a)} ${ARITHMETIC[name]} ${this.#value(operation.b)}`;
    if (name === 'divu' || name === 'divs') return this.#named('the quotient', index);
    return this.#named('the value', index);
  }

  /** `CR4.VME` for bit 0 of CR4; `EAX bit 3` for what has no named bits. */
  #bitName(value: number, bit: number): string {
    const [whole, position] = [this.#operations[value], this.#operations[bit]];
    const isCr4 = whole?.op === 'state' && whole.state === 'CR4' && position?.op === 'constant';
    const field = isCr4 ? CR4_FIELDS.find(({low}) => BigInt(low) === position.value) : undefined;
    return field === undefined ? `${this.#plain(value)} bit ${this.#value(bit)}` : `CR4.${field.name}`;
  }

  /** The name of a leaf without listing its value. */
  #plain(index: number): string {
    const operation = this.#operations[index];
    if (operation?.op === 'state') return stateName(operation.state);
    return operation?.op === 'register' ? registerName(operation) : 'the value';
  }

  #named(name: string, index: number): string {
    const value = this.#values[index] ?? 0n;
    this.#names.set(name, value > 9n ? hex(value) : value.toString());
    return name;
  }
}

/** An alternative inside a list of conditions needs brackets. */
const grouped = (text: string): string => (text.includes(' or ') && !text.startsWith('(') ? `(${text})` : text);

const STATE_NAMES: ReadonlyMap<string, string> = new Map([
  ['VM', 'RFLAGS.VM'],
  ['PE', 'CR0.PE'],
  ['UMIP', 'CR4.UMIP'],
]);
const stateName = (state: string): string => STATE_NAMES.get(state) ?? state;

function registerName(operation: Extract<Operation, {op: 'register'}>): string {
  const {register, width, high} = operation;
  if (register.startsWith('R') && /\d/.test(register))
    return width === 64 ? register : `${register}${width === 32 ? 'D' : width === 16 ? 'W' : 'B'}`;
  const stem = register.slice(1);
  if (width === 64) return register;
  if (width === 32) return `E${stem}`;
  if (width === 16) return stem;
  return high ? `${stem[0] ?? ''}H` : stem.endsWith('X') ? `${stem[0] ?? ''}L` : `${stem}L`;
}
