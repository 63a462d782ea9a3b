// What moves of MMX and XMM registers mean: SDM vol. 1, "MMX Data Transfer Instructions", "SSE Data Transfer Instructions",
// "SSE2 Data Movement Instructions". A hint that the data will not be used soon (MOVNT…) changes nothing without a cache.

import {assertExists} from '@hyperscope/base';
import type {Instruction} from '../instruction.js';
import type {Microcode, Width} from '../microcode/microcode.js';
import type {Semantics} from '../opcodes/form.js';
import {twoOperands} from './operand-access.js';
import {
  requireAligned,
  requireMmx,
  requireSse,
  requireVectorUnit,
  useMmxRegisters,
  writeVector,
} from './vector-checks.js';

/** How many bits move: what the table line says of the operand that is not a whole register. */
function movedBits(i: Instruction): Width {
  const sized = i.form.operandTypes.find(type => /(m|r)(32|64|128)$/.test(type));
  return assertExists(
    ([32, 64, 128] as const).find(width => sized?.endsWith(String(width)) === true),
    `${i.form.syntax} says how much it moves`,
  );
}

/** MOVUPS, MOVDQU, MOVQ, MOVD …: a register that receives less than it holds is zero above. */
export const MOVE_VECTOR: Semantics = (i, m) => {
  requireSse(m);
  moveWhole(i, m);
};

/** MOVAPS, MOVDQA, MOVNTDQ …: the same, and memory must be aligned to 16 bytes. */
export const MOVE_ALIGNED: Semantics = (i, m) => {
  requireSse(m);
  for (const operand of i.operands) if (operand.kind === 'memory') requireAligned(m, operand, 16);
  moveWhole(i, m);
};

function moveWhole(i: Instruction, m: Microcode): void {
  const [to, from] = twoOperands(i);
  const width = movedBits(i);
  const value = m.read(from, width);
  m.write(to, to.kind === 'vector' && width < 128 ? value.zeroExtend(128) : value);
}

/** MOVSS, MOVSD: from memory the rest becomes zero; from a register it stays. */
export const MOVE_SCALAR: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  const value = m.read(from, movedBits(i));
  m.write(to, from.kind === 'memory' ? value.zeroExtend(128) : value);
};

/** MOVLPS, MOVLPD: bits 63:0, the others stay. */
export const MOVE_LOW: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  m.write(to, m.read(from, 64));
};

/** MOVHPS, MOVHPD: bits 127:64, the others stay. */
export const MOVE_HIGH: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  if (to.kind === 'memory') m.write(to, m.read(from, 128).shiftRight(64n).truncate(64));
  else m.write(to, m.concat(m.read(from, 64), m.read(to, 64)));
};

/** MOVHLPS: high to low. */
export const MOVHLPS: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  m.write(to, m.read(from, 128).shiftRight(64n).truncate(64));
};

/** MOVLHPS: low to high. */
export const MOVLHPS: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  m.write(to, m.concat(m.read(from, 64), m.read(to, 64)));
};

/** MOVNTI stores a general register: no unit that CR0 or CR4 could declare absent is needed. */
export const MOVNTI: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  m.write(to, m.read(from, movedBits(i)));
};

/** MOVQ and MOVD with an MMX register, MOVNTQ. */
export const MOVE_MMX: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const width = i.form.operandTypes.some(type => type === 'r/m32') ? 32 : 64;
  requireVectorUnit(i, m);
  const value = m.read(from, width);
  writeVector(m, to, to.kind === 'vector' && width === 32 ? value.zeroExtend(64) : value);
  useMmxRegisters(i, m);
};

/** MOVDQ2Q and MOVQ2DQ use both register files. */
export const MOVDQ2Q: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  requireMmx(m);
  writeVector(m, to, m.read(from, 64));
  useMmxRegisters(i, m);
};
export const MOVQ2DQ: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  requireSse(m);
  requireMmx(m);
  m.write(to, m.read(from, 64).zeroExtend(128));
  useMmxRegisters(i, m);
};

/** EMMS: every x87 register is empty, so that x87 code may follow. */
export const EMMS: Semantics = (_, m) => {
  requireMmx(m);
  m.setVector('FTW', m.constant(0n, 8));
};
