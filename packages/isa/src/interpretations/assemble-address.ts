// An effective address as ModR/M, SIB and displacement (SDM vol. 2, "ModR/M and SIB Bytes").
// Where the manual leaves a choice, the choice is nasm's: shortest displacement, first register written is the base,
// [ecx*2] becomes [ecx+ecx*1] and [eax*3] becomes [eax+eax*2] to save the displacement that an index alone needs.

import {GENERAL_REGISTERS, type GeneralRegister} from '../registers/cells.js';
import type {CodeSize} from '../instruction.js';
import type {AddressTerm, AssemblyMemory} from './assemble-request.js';
import {eitherRange, signedRange, within, type Range} from './assemble-ranges.js';

export interface EncodedAddress {
  readonly ok: true;
  readonly addressSize: 16 | 32 | 64;
  readonly mod: 0 | 1 | 2;
  readonly rm: number;
  readonly sib: number | undefined;
  readonly displacement: bigint;
  readonly displacementBytes: 0 | 1 | 2 | 4;
  /** The displacement counts from the next instruction: the emitter subtracts its address. */
  readonly relative: boolean;
  /** REX.X and REX.B, as the bits of the prefix. */
  readonly rex: number;
}
export type AddressFailure =
  | {readonly ok: false; readonly why: string}
  | {readonly ok: false; readonly range: Range}
  | {readonly ok: false; readonly needs64: true};

const numberOf = (register: GeneralRegister): number => GENERAL_REGISTERS.indexOf(register);
const isStackPointer = (term: AddressTerm): boolean => term.register === 'RSP';

/** The address size that the operand asks for: by its registers, else by the keyword in the brackets, else by default. */
function addressSizeOf(memory: AssemblyMemory, codeSize: CodeSize, prefix: 16 | 32 | 64 | undefined): 16 | 32 | 64 {
  const [first] = memory.terms;
  if (first !== undefined) return first.width;
  const keyword = memory.displacementSize;
  // measured: in 64-bit mode nasm takes [dword x] as a 32-bit displacement, not as a 32-bit address.
  if (keyword === undefined || keyword === 8 || (codeSize === 64 && keyword === 32)) return prefix ?? codeSize;
  return keyword;
}

/** Encodes the address of a memory operand. */
export function encodeAddress(
  memory: AssemblyMemory,
  codeSize: CodeSize,
  prefix: 16 | 32 | 64 | undefined,
): EncodedAddress | AddressFailure {
  const addressSize = addressSizeOf(memory, codeSize, prefix);
  if (memory.terms.some(term => term.width !== addressSize)) return {ok: false, why: 'registers of different widths'};
  if (addressSize === 64 && codeSize !== 64) return {ok: false, needs64: true};
  if (addressSize === 16 && codeSize === 64) return {ok: false, why: '64-bit mode has no 16-bit addresses'};
  const terms = memory.terms.filter(term => term.coefficient !== 0n);
  if (codeSize !== 64 && terms.some(term => numberOf(term.register) >= 8)) return {ok: false, needs64: true};
  const range = addressSize === 64 ? signedRange(32) : eitherRange(addressSize);
  const {value, certainty} = memory.displacement;
  // A plain number does not move with the code, so nasm addresses it absolutely even when told `rel`.
  const relative = codeSize === 64 && memory.reference === 'relative' && terms.length === 0 && certainty !== 'constant';
  if (!relative && certainty !== 'forward' && !within(signedAddress(value), range)) return {ok: false, range};
  return addressSize === 16 ? encode16(memory, terms) : encodeWide(memory, terms, addressSize, codeSize, relative);
}

/** An address near 2^64 may be written unsigned: 0xffffffff80000000 is a sign-extended 32-bit displacement. */
function signedAddress(value: bigint): bigint {
  return value >= 1n << 63n && value < 1n << 64n ? BigInt.asIntN(64, value) : value;
}

/** 0, 1 or the full width; an address or a number not yet known gets the full width, as nasm gives it. */
function displacementBytes(
  memory: AssemblyMemory,
  addressSize: 16 | 32 | 64,
  needed: 'always' | 'unless-zero',
): 0 | 1 | 2 | 4 {
  const full = addressSize === 16 ? 2 : 4;
  const {value, certainty} = memory.displacement;
  if (memory.displacementSize === 8) return 1;
  if (memory.displacementSize !== undefined || certainty !== 'constant') return full;
  const wrapped = BigInt.asIntN(addressSize, value);
  if (wrapped === 0n && needed === 'unless-zero') return 0;
  return within(wrapped, signedRange(8)) ? 1 : full;
}

const MOD = {0: 0, 1: 1, 2: 2, 4: 2} as const;

/** The eight forms of 16-bit addressing, by rm (SDM vol. 2, "16-Bit Addressing Forms with the ModR/M Byte"). */
const FORMS_16 = ['RBX+RSI', 'RBX+RDI', 'RBP+RSI', 'RBP+RDI', 'RSI', 'RDI', 'RBP', 'RBX'] as const;

function encode16(memory: AssemblyMemory, terms: readonly AddressTerm[]): EncodedAddress | AddressFailure {
  const fixed = {
    ok: true,
    addressSize: 16,
    sib: undefined,
    displacement: memory.displacement.value,
    relative: false,
    rex: 0,
  } as const;
  if (terms.length === 0) return {...fixed, mod: 0, rm: 6, displacementBytes: 2};
  const names = terms.map(term => term.register);
  const wanted = names.length === 2 && (names[0] === 'RSI' || names[0] === 'RDI') ? names.reverse() : names;
  const rm = FORMS_16.findIndex(form => form === wanted.join('+'));
  if (rm < 0 || terms.some(term => term.coefficient !== 1n)) {
    return {ok: false, why: 'a 16-bit address is BX or BP, plus SI or DI, plus a number'};
  }
  const bytes = displacementBytes(memory, 16, rm === 6 ? 'always' : 'unless-zero');
  return {...fixed, mod: MOD[bytes], rm, displacementBytes: bytes};
}

interface Roles {
  readonly base: AddressTerm | undefined;
  readonly index: AddressTerm | undefined;
  readonly scale: bigint;
}

/** Which register is the base and which the index. */
function rolesOf(memory: AssemblyMemory, terms: readonly AddressTerm[]): Roles | string {
  const [first, second] = terms;
  if (terms.length > 2) return 'an address has at most two registers: a base and an index';
  if (first === undefined) return {base: undefined, index: undefined, scale: 1n};
  if (second === undefined) return singleRole(memory, first);
  if (first.coefficient !== 1n && second.coefficient !== 1n) return 'only one register can be scaled';
  const secondIsBase = first.coefficient !== 1n || (second.coefficient === 1n && first.multiplied);
  const [base, index] = secondIsBase ? [second, first] : [first, second];
  if (isStackPointer(index) && index.coefficient === 1n) return {base: index, index: base, scale: 1n};
  return {base, index, scale: index.coefficient};
}

function singleRole(memory: AssemblyMemory, term: AddressTerm): Roles {
  const {coefficient} = term;
  const keptAsIndex = term.multiplied && memory.split === 'forbidden' && !isStackPointer(term);
  if (coefficient === 1n && !keptAsIndex) return {base: term, index: undefined, scale: 1n};
  const splits =
    coefficient === 3n ||
    coefficient === 5n ||
    coefficient === 9n ||
    (coefficient === 2n && (memory.split === 'allowed' || !term.multiplied) && !isStackPointer(term));
  if (splits) return {base: term, index: term, scale: coefficient - 1n};
  return {base: undefined, index: term, scale: coefficient};
}

const SCALES: readonly bigint[] = [1n, 2n, 4n, 8n];

function encodeWide(
  memory: AssemblyMemory,
  terms: readonly AddressTerm[],
  addressSize: 32 | 64,
  codeSize: CodeSize,
  relative: boolean,
): EncodedAddress | AddressFailure {
  const roles = rolesOf(memory, terms);
  if (typeof roles === 'string') return {ok: false, why: roles};
  const {base, index, scale} = roles;
  const fixed = {ok: true, addressSize, displacement: memory.displacement.value, relative} as const;
  if (index !== undefined && isStackPointer(index)) return {ok: false, why: 'ESP and RSP cannot be an index'};
  const scaleBits = SCALES.indexOf(scale);
  if (scaleBits < 0) return {ok: false, why: 'an index can be multiplied by 1, 2, 4 or 8'};
  if (base === undefined && index === undefined) {
    // Without a SIB byte, 64-bit mode reads this form as RIP-relative.
    if (codeSize === 64 && !relative) return {...fixed, mod: 0, rm: 4, sib: 0x25, displacementBytes: 4, rex: 0};
    return {...fixed, mod: 0, rm: 5, sib: undefined, displacementBytes: 4, rex: 0};
  }
  const indexNumber = index === undefined ? 4 : numberOf(index.register);
  const baseNumber = base === undefined ? 5 : numberOf(base.register);
  const rex = (index !== undefined && indexNumber >= 8 ? 2 : 0) | (base !== undefined && baseNumber >= 8 ? 1 : 0);
  const sib = (scaleBits << 6) | ((indexNumber & 7) << 3) | (baseNumber & 7);
  if (base === undefined) return {...fixed, mod: 0, rm: 4, sib, displacementBytes: 4, rex};
  // Base 5 with mod 0 means "no base", so EBP and R13 need a displacement even when it is zero.
  const bytes = displacementBytes(memory, addressSize, (baseNumber & 7) === 5 ? 'always' : 'unless-zero');
  const needsSib = index !== undefined || (baseNumber & 7) === 4;
  return {
    ...fixed,
    mod: MOD[bytes],
    rm: needsSib ? 4 : baseNumber & 7,
    sib: needsSib ? sib : undefined,
    displacementBytes: bytes,
    rex,
  };
}
