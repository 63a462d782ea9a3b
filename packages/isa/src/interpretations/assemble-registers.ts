// Register names as an assembler reads them.

import {GENERAL_REGISTERS, SEGMENT_REGISTERS, type GeneralRegister} from '../registers/cells.js';
import {MMX_REGISTERS, XMM_REGISTERS} from '../registers/vector-state.js';
import type {AssemblyOperand, AssemblyRegister} from './assemble-request.js';

export type NamedRegister = Exclude<AssemblyOperand, {readonly kind: 'memory' | 'immediate' | 'far'}>;

function general(register: GeneralRegister, width: 8 | 16 | 32 | 64): AssemblyRegister {
  return {kind: 'register', register, width, high: false};
}

/** RAX to RDI: al ax eax rax, and spl bpl sil dil for the last four. R8 to R15: r8b (or r8l) r8w r8d r8. */
function* namesOf(register: GeneralRegister, number: number): Generator<readonly [string, AssemblyRegister]> {
  const name = register.toLowerCase();
  yield [name, general(register, 64)];
  if (number >= 8) {
    yield [`${name}d`, general(register, 32)];
    yield [`${name}w`, general(register, 16)];
    yield [`${name}b`, general(register, 8)];
    yield [`${name}l`, general(register, 8)];
    return;
  }
  const stem = name.slice(1);
  yield [`e${stem}`, general(register, 32)];
  yield [stem, general(register, 16)];
  yield [number < 4 ? `${stem.slice(0, 1)}l` : `${stem}l`, general(register, 8)];
  if (number < 4) yield [`${stem.slice(0, 1)}h`, {kind: 'register', register, width: 8, high: true}];
}

function* everyName(): Generator<readonly [string, NamedRegister]> {
  for (const [number, register] of GENERAL_REGISTERS.entries()) yield* namesOf(register, number);
  for (const register of SEGMENT_REGISTERS) yield [register.toLowerCase(), {kind: 'segment', register}];
  for (const register of [...XMM_REGISTERS, ...MMX_REGISTERS])
    yield [register.toLowerCase(), {kind: 'vector', register}];
  for (let number = 0; number < 16; number++) {
    yield [`cr${number}`, {kind: 'control', number}];
    yield [`dr${number}`, {kind: 'debug', number}];
  }
}

const REGISTERS: ReadonlyMap<string, NamedRegister> = new Map(everyName());

/** The register that a name in lower case means: `al`, `r8d`, `ds`, `cr3`. */
export function registerByName(name: string): NamedRegister | undefined {
  return REGISTERS.get(name);
}

/** Every name of a register, in lower case. */
export function registerNames(): readonly string[] {
  return [...REGISTERS.keys()];
}
