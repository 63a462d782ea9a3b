// What string instructions mean: one element. SDM vol. 1, "String Instructions". A repeat prefix adds a first line (stop at
// a count of 0) and a last one (count down, stay at this instruction), which is also how interrupts come in between.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import {effectiveSegment} from '../interpretations/prefixes.js';
import type {Address, Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';

export const MOVS: Semantics = (i, m) => {
  beginRepeat(i, m);
  const value = m.load(stringSource(i, m), i.width);
  m.store(stringDestination(i, m), value);
  advance(i, m, 'RSI');
  advance(i, m, 'RDI');
  repeat(i, m);
};

export const CMPS: Semantics = (i, m) => {
  beginRepeat(i, m);
  const a = m.load(stringSource(i, m), i.width),
    b = m.load(stringDestination(i, m), i.width);
  m.setFlags('sub', a, b, a.sub(b));
  advance(i, m, 'RSI');
  advance(i, m, 'RDI');
  repeatWhile(i, m, a.is(b));
};

export const STOS: Semantics = (i, m) => {
  beginRepeat(i, m);
  m.store(stringDestination(i, m), m.gpr('RAX', i.width));
  advance(i, m, 'RDI');
  repeat(i, m);
};

export const LODS: Semantics = (i, m) => {
  beginRepeat(i, m);
  m.setGpr('RAX', m.load(stringSource(i, m), i.width));
  advance(i, m, 'RSI');
  repeat(i, m);
};

export const SCAS: Semantics = (i, m) => {
  beginRepeat(i, m);
  const a = m.gpr('RAX', i.width),
    b = m.load(stringDestination(i, m), i.width);
  m.setFlags('sub', a, b, a.sub(b));
  advance(i, m, 'RDI');
  repeatWhile(i, m, a.is(b));
};

/** DS:rSI, where DS can be overridden. */
export function stringSource(i: Instruction, m: Microcode): Address {
  const segment = effectiveSegment(i.prefixes, i.codeSize) ?? 'DS';
  return {segment, offset: m.gpr('RSI', i.addressSize).zeroExtend(64)};
}

/** ES:rDI; ES cannot be overridden. */
export function stringDestination(i: Instruction, m: Microcode): Address {
  return {segment: 'ES', offset: m.gpr('RDI', i.addressSize).zeroExtend(64)};
}

/** Moves an index register by one element, up or down by DF. */
export function advance(i: Instruction, m: Microcode, register: 'RSI' | 'RDI'): void {
  const bytes = BigInt(i.width / 8);
  const step = m.flag('DF').choose(BigInt.asUintN(i.addressSize, -bytes), bytes, i.addressSize);
  m.setGpr(register, m.gpr(register, i.addressSize).add(step));
}

/** With a repeat prefix, a count of 0 does nothing at all. */
export function beginRepeat(i: Instruction, m: Microcode): void {
  if (i.prefixes.repeat !== 'none') m.finishIf(m.gpr('RCX', i.addressSize).is(0n));
}

/** Counts down; again while the count is not 0. */
export function repeat(i: Instruction, m: Microcode): void {
  if (i.prefixes.repeat === 'none') return;
  m.repeatIf(countDown(i, m).isNot(0n));
}

/** REPE goes on while the elements are equal, REPNE while they are not. */
function repeatWhile(i: Instruction, m: Microcode, equal: Value): void {
  if (i.prefixes.repeat === 'none') return;
  m.repeatIf(
    countDown(i, m)
      .isNot(0n)
      .and(i.prefixes.repeat === 'rep' ? equal : equal.not()),
  );
}

function countDown(i: Instruction, m: Microcode): Value {
  const count = m.gpr('RCX', i.addressSize).sub(1n);
  m.setGpr('RCX', count);
  return count;
}
