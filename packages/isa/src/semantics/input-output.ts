// What port instructions mean. SDM vol. 1, "Input/Output"; the order of checks: SDM vol. 3C, "Instructions That Cause VM
// Exits Conditionally": permission by IOPL or the TSS first, then the VM exit, then memory.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt, twoOperands} from './operand-access.js';
import {advance, beginRepeat, repeat, stringDestination, stringSource} from './string.js';

export const IN: Semantics = (i, m) => {
  const [to, port] = twoOperands(i);
  const access = openPort(i, m, m.read(port, port.kind === 'immediate' ? 8 : 16).zeroExtend(16), 'IN');
  m.write(to, m.call(HELPERS.portIn, ...access).truncate(i.width));
};

export const OUT: Semantics = (i, m) => {
  const port = operandAt(i, 0);
  const access = openPort(i, m, m.read(port, port.kind === 'immediate' ? 8 : 16).zeroExtend(16), 'OUT');
  m.invoke(HELPERS.portOut, ...access, m.read(operandAt(i, 1), i.width));
};

/**
 * INS: the destination is probed before the port is read, because reading a port cannot be undone. Permission is asked
 * for even when the count is 0 (measured on AMD Zen 4).
 */
export const INS: Semantics = (i, m) => {
  const access = permit(i, m, m.gpr('RDX', 16));
  beginRepeat(i, m);
  m.intercept('INS', ...access);
  const destination = stringDestination(i, m);
  m.probe(destination, i.width / 8);
  m.store(destination, m.call(HELPERS.portIn, ...access).truncate(i.width));
  advance(i, m, 'RDI');
  repeat(i, m);
};

export const OUTS: Semantics = (i, m) => {
  const access = permit(i, m, m.gpr('RDX', 16));
  beginRepeat(i, m);
  m.intercept('OUTS', ...access);
  const value = m.load(stringSource(i, m), i.width);
  m.invoke(HELPERS.portOut, ...access, value);
  advance(i, m, 'RSI');
  repeat(i, m);
};

/** The checks that IN and OUT share; gives what the port helpers take: the port and the number of bytes. */
function openPort(i: Instruction, m: Microcode, port: Value, intercept: Intercept): [Value, Value] {
  const access = permit(i, m, port);
  m.intercept(intercept, ...access);
  return access;
}

/** IOPL or the TSS's bitmap must allow it. */
function permit(i: Instruction, m: Microcode, port: Value): [Value, Value] {
  const bytes = m.constant(BigInt(i.width / 8), 8);
  m.invoke(HELPERS.checkPortPermission, port, bytes);
  return [port, bytes];
}
