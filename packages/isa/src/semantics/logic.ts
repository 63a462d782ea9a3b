// What logical instructions mean. SDM vol. 1, "Logical Instructions". AF is undefined; measured: it is cleared.

import type {Semantics} from '../opcodes/form.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt, twoOperands} from './operand-access.js';

export const AND: Semantics = (i, m) => combine(i, m, (a, b) => a.and(b));
export const OR: Semantics = (i, m) => combine(i, m, (a, b) => a.or(b));
export const XOR: Semantics = (i, m) => combine(i, m, (a, b) => a.xor(b));

/** NOT sets no flags. */
export const NOT: Semantics = (i, m) => {
  const operand = operandAt(i, 0);
  m.write(operand, m.read(operand, i.width, 'modify').not());
};

function combine(i: Parameters<Semantics>[0], m: Microcode, operation: (a: Value, b: Value) => Value): void {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const result = operation(a, b);
  m.write(to, result);
  setLogicFlags(m, a, b, result);
}

/** CF and OF ← 0, SF ZF PF by the result, AF undefined. */
export function setLogicFlags(m: Microcode, a: Value, b: Value, result: Value): void {
  m.setFlags('logic', a, b, result);
  m.setUndefinedFlag('AF', 0n);
}
