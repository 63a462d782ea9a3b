// Expressions as values: a number, plus registers, plus at most one section's unknown place.
// All arithmetic wraps at 64 bits, as nasm's does. An address is kept apart from a number until two addresses of the
// same section are subtracted: their distance is a number whatever the origin is.

import type {AddressTerm} from '@hyperscope/isa';
import {assertUnreachable} from '@hyperscope/base';
import {SourceError} from './diagnostics.js';
import type {BinaryOperator, Expression, Place, UnaryOperator} from './expression.js';

/** How many times the address of a section is in a value. */
interface SectionTerm {
  readonly section: string;
  readonly coefficient: bigint;
}

export interface Value {
  readonly number: bigint;
  readonly registers: readonly AddressTerm[];
  readonly sections: readonly SectionTerm[];
  /** A symbol took part that no pass has placed yet. */
  readonly forward: boolean;
}

/** What names mean while a line is evaluated. */
export interface Scope {
  symbol(name: string, place: Place): Value;
  here(): Value;
  sectionStart(): Value;
}

const NOTHING: readonly never[] = [];

function numeric(number: bigint): Value {
  return {number: BigInt.asIntN(64, number), registers: NOTHING, sections: NOTHING, forward: false};
}

export function addressIn(section: string, number: bigint): Value {
  return {number, registers: NOTHING, sections: [{section, coefficient: 1n}], forward: false};
}

export const UNKNOWN: Value = {number: 0n, registers: NOTHING, sections: NOTHING, forward: true};

export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
      return numeric(expression.value);
    case 'symbol':
      return scope.symbol(expression.name, expression.place);
    case 'here':
      return scope.here();
    case 'section-start':
      return scope.sectionStart();
    case 'register':
      return registerValue(expression);
    case 'unary':
      return unary(expression.operator, evaluate(expression.operand, scope), expression.place);
    case 'binary':
      return binary(
        expression.operator,
        evaluate(expression.left, scope),
        evaluate(expression.right, scope),
        expression.place,
      );
    case 'choice': {
      const condition = scalar(evaluate(expression.condition, scope), expression.condition.place);
      return evaluate(condition === 0n ? expression.no : expression.yes, scope);
    }
    default:
      return assertUnreachable(expression);
  }
}

function registerValue(expression: Extract<Expression, {readonly kind: 'register'}>): Value {
  const {register, place} = expression;
  if (register.kind !== 'register' || register.width === 8) {
    throw new SourceError(
      place,
      'This register cannot take part in an address.',
      'Addresses are made of 16-, 32- or 64-bit general registers and numbers.',
    );
  }
  const term: AddressTerm = {register: register.register, width: register.width, coefficient: 1n, multiplied: false};
  return {number: 0n, registers: [term], sections: NOTHING, forward: false};
}

/** A number and nothing else; what `times`, shifts and comparisons need. */
export function scalar(value: Value, place: Place): bigint {
  if (value.registers.length > 0)
    throw new SourceError(
      place,
      'A register is not a number.',
      'Registers can only be added, and multiplied by numbers, inside [ ].',
    );
  if (value.sections.length > 0) {
    throw new SourceError(
      place,
      'An address is not a plain number here.',
      'Subtract another address to get a distance, for instance label - $$.',
    );
  }
  return value.number;
}

function unary(operator: UnaryOperator, value: Value, place: Place): Value {
  switch (operator) {
    case '+':
      return value;
    case '-':
      return scale(value, -1n, 'kept');
    case '~':
      return {...numeric(~scalar(value, place)), forward: value.forward};
    case '!':
      return {...numeric(scalar(value, place) === 0n ? 1n : 0n), forward: value.forward};
    default:
      return assertUnreachable(operator);
  }
}

function scale(value: Value, factor: bigint, mark: 'multiplied' | 'kept'): Value {
  return {
    number: BigInt.asIntN(64, value.number * factor),
    registers: value.registers.map(term => ({
      ...term,
      coefficient: term.coefficient * factor,
      multiplied: term.multiplied || mark === 'multiplied',
    })),
    sections: factor === 0n ? [] : value.sections.map(term => ({...term, coefficient: term.coefficient * factor})),
    forward: value.forward,
  };
}

function add(left: Value, right: Value): Value {
  const number = BigInt.asIntN(64, left.number + right.number);
  const forward = left.forward || right.forward;
  return {
    number,
    registers: addRegisters(left.registers, right.registers),
    sections: addSections(left, right),
    forward,
  };
}

function addRegisters(left: readonly AddressTerm[], right: readonly AddressTerm[]): readonly AddressTerm[] {
  if (right.length === 0) return left;
  const sum = [...left];
  for (const term of right) {
    const index = sum.findIndex(other => other.register === term.register && other.width === term.width);
    const other = sum[index];
    if (other === undefined) sum.push(term);
    // nasm's nosplit keeps a product, not a sum: [nosplit eax+eax] is split like [eax+eax].
    else sum[index] = {...other, coefficient: other.coefficient + term.coefficient, multiplied: false};
  }
  return sum;
}

function addSections(left: Value, right: Value): readonly SectionTerm[] {
  if (right.sections.length === 0) return left.sections;
  if (left.sections.length === 0) return right.sections;
  const sum = new Map<string, bigint>();
  for (const {section, coefficient} of [...left.sections, ...right.sections]) {
    sum.set(section, (sum.get(section) ?? 0n) + coefficient);
  }
  return [...sum]
    .filter(([, coefficient]) => coefficient !== 0n)
    .map(([section, coefficient]) => ({section, coefficient}));
}

function isNumber(value: Value): boolean {
  return value.registers.length === 0 && value.sections.length === 0;
}

function binary(operator: BinaryOperator, left: Value, right: Value, place: Place): Value {
  if (operator === '+') return add(left, right);
  if (operator === '-') return add(left, scale(right, -1n, 'kept'));
  if (operator === '*') {
    if (isNumber(right)) return {...scale(left, right.number, 'multiplied'), forward: left.forward || right.forward};
    if (isNumber(left)) return {...scale(right, left.number, 'multiplied'), forward: left.forward || right.forward};
  }
  const forward = left.forward || right.forward;
  const a = scalar(left, place);
  const b = scalar(right, place);
  if (forward) return UNKNOWN;
  return numeric(calculate(operator, a, b, place));
}

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (condition: boolean): bigint => (condition ? 1n : 0n);

function calculate(operator: Exclude<BinaryOperator, '+' | '-'>, a: bigint, b: bigint, place: Place): bigint {
  switch (operator) {
    case '*':
      return a * b;
    case '/':
    case '//':
    case '%':
    case '%%':
      return divide(operator, a, b, place);
    case '<<':
      return unsigned(b) > 63n ? 0n : a << b;
    case '<<<':
      return unsigned(b) > 63n ? 0n : a << b;
    case '>>':
      return unsigned(b) > 63n ? 0n : unsigned(a) >> b;
    case '>>>':
      return a >> (unsigned(b) > 63n ? 63n : b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '=':
    case '==':
      return truth(a === b);
    case '<>':
    case '!=':
      return truth(a !== b);
    case '<':
      return truth(a < b);
    case '<=':
      return truth(a <= b);
    case '>':
      return truth(a > b);
    case '>=':
      return truth(a >= b);
    case '<=>':
      return a < b ? -1n : truth(a > b);
    case '&&':
      return truth(a !== 0n && b !== 0n);
    case '||':
      return truth(a !== 0n || b !== 0n);
    case '^^':
      return truth((a !== 0n) !== (b !== 0n));
    default:
      return assertUnreachable(operator);
  }
}

/** / and % are unsigned, // and %% signed. */
function divide(operator: '/' | '//' | '%' | '%%', a: bigint, b: bigint, place: Place): bigint {
  if (b === 0n) throw new SourceError(place, 'Division by zero.', 'Change the divisor.');
  switch (operator) {
    case '/':
      return unsigned(a) / unsigned(b);
    case '%':
      return unsigned(a) % unsigned(b);
    case '//':
      return a / b;
    case '%%':
      return a % b;
    default:
      return assertUnreachable(operator);
  }
}
