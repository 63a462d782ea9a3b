// XMM and MMX operands as an assembler places them: which field, which registers, and the size of the memory operand that
// may stand there instead.

import {MMX_REGISTERS, XMM_REGISTERS} from '../registers/vector-state.js';
import type {VectorRegister} from '../registers/vector-state.js';

interface VectorRule {
  readonly registers: readonly VectorRegister[];
  readonly field: 'reg' | 'rm';
  /** Bits; undefined where only a register can stand. */
  readonly memory: number | undefined;
}

const rule = (registers: readonly VectorRegister[], field: 'reg' | 'rm', memory?: number): VectorRule => ({
  registers,
  field,
  memory,
});

const RULES = {
  xmm: rule(XMM_REGISTERS, 'reg'),
  regXmm: rule(XMM_REGISTERS, 'rm'),
  'xmm/m32': rule(XMM_REGISTERS, 'rm', 32),
  'xmm/m64': rule(XMM_REGISTERS, 'rm', 64),
  'xmm/m128': rule(XMM_REGISTERS, 'rm', 128),
  mm: rule(MMX_REGISTERS, 'reg'),
  regMm: rule(MMX_REGISTERS, 'rm'),
  'mm/m32': rule(MMX_REGISTERS, 'rm', 32),
  'mm/m64': rule(MMX_REGISTERS, 'rm', 64),
} as const;
export type VectorType = keyof typeof RULES;

export function isVectorType(type: string): type is VectorType {
  return Object.hasOwn(RULES, type);
}

export function vectorRule(type: VectorType): VectorRule {
  return RULES[type];
}
