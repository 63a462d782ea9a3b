// The opcode table as the assembler reads it: each line once for every operand size that it can have, by mnemonic.

import {CONDITIONS, type CodeSize} from '../instruction.js';
import type {OpcodeForm} from '../opcodes/form.js';
import {OPCODES} from '../opcodes/table.js';

/** One table line with its operand size settled. */
export interface Line {
  readonly form: OpcodeForm;
  /** As written: `JNZ`, not `Jcc`. */
  readonly mnemonic: string;
  /** The condition's number in the opcode's low bits; 0 for other instructions. */
  readonly condition: number;
  /** undefined: the operand size makes no difference to this line. */
  readonly operandSize: 16 | 32 | 64 | undefined;
  /** The address size that selects the line (JCXZ, JECXZ, JRCXZ). */
  readonly addressSize: 16 | 32 | 64 | undefined;
  /** Whether 64-bit operands need REX.W. */
  readonly wide: boolean;
  /** Place in the table: between encodings of one length, the earlier wins. */
  readonly order: number;
}

/** The spellings of each condition, by number (SDM vol. 2, "Jcc—Jump if Condition Is Met"). */
export const CONDITION_SPELLINGS: readonly (readonly string[])[] = [
  ['O'],
  ['NO'],
  ['B', 'C', 'NAE'],
  ['NB', 'AE', 'NC'],
  ['Z', 'E'],
  ['NZ', 'NE'],
  ['BE', 'NA'],
  ['NBE', 'A'],
  ['S'],
  ['NS'],
  ['P', 'PE'],
  ['NP', 'PO'],
  ['L', 'NGE'],
  ['NL', 'GE'],
  ['LE', 'NG'],
  ['NLE', 'G'],
];

const SIZED: ReadonlySet<string> = new Set([
  'rV',
  'r/mV',
  'regV',
  'mV',
  'rV/m16',
  'm16:V',
  'immZ',
  'immV',
  'imm8s',
  'relZ',
  'ptr16:Z',
  'rAX',
  'moffsV',
]);

function operandSizes(form: OpcodeForm): readonly (16 | 32 | 64 | undefined)[] {
  const {attributes} = form;
  if (attributes.has('os16')) return [16];
  if (attributes.has('os32')) return [32];
  if (attributes.has('os64')) return [64];
  if (!form.operandTypes.some(type => SIZED.has(type))) return [undefined];
  if (attributes.has('noW') || attributes.has('i64')) return [16, 32];
  return ([16, 32, 64] as const).filter(size => isSpelled(form, size));
}

/** Encodings that exist but that no assembler writes: they do nothing that another one does not, or are undefined. */
function isSpelled(form: OpcodeForm, size: 16 | 32 | 64): boolean {
  // SDM vol. 2, "BSWAP": undefined for 16-bit registers. MOVZX and MOVSX from 16 to 16 bits move nothing.
  if (form.mnemonic === 'BSWAP') return size !== 16;
  return !(
    (form.mnemonic === 'MOVZX' || form.mnemonic === 'MOVSX') &&
    form.operandTypes.includes('r/m16') &&
    size === 16
  );
}

function addressSize(form: OpcodeForm): 16 | 32 | 64 | undefined {
  if (form.attributes.has('as16')) return 16;
  if (form.attributes.has('as32')) return 32;
  return form.attributes.has('as64') ? 64 : undefined;
}

/** The upper half of a 64-bit register is zero either way for these, and nasm saves the prefix. */
function zeroExtends(form: OpcodeForm): boolean {
  return form.operandTypes.includes('rV/m16') && (form.mnemonic === 'MOV' || form.mnemonic === 'SLDT');
}

function* linesOf(form: OpcodeForm, order: number): Generator<Line> {
  for (const operandSize of operandSizes(form)) {
    const wide = operandSize === 64 && !form.attributes.has('f64') && !form.attributes.has('d64') && !zeroExtends(form);
    const line = {form, condition: 0, operandSize, addressSize: addressSize(form), wide, order};
    if (!form.mnemonic.endsWith('cc')) {
      yield {...line, mnemonic: form.mnemonic};
      continue;
    }
    for (const condition of CONDITIONS.keys()) {
      for (const spelling of CONDITION_SPELLINGS[condition] ?? []) {
        yield {...line, mnemonic: form.mnemonic.slice(0, -2) + spelling, condition};
      }
    }
  }
}

/** MOVSXD with a 16- or 32-bit destination is a plain MOV; nasm does not write it. */
function isWritten(form: OpcodeForm): boolean {
  return !form.attributes.has('redundant') && !(form.mnemonic === 'MOVSXD' && !form.attributes.has('os64'));
}

function buildIndex(): ReadonlyMap<string, readonly Line[]> {
  const index = new Map<string, Line[]>();
  for (const [order, form] of OPCODES.entries()) {
    if (!isWritten(form)) continue;
    for (const line of linesOf(form, order)) {
      const lines = index.get(line.mnemonic);
      if (lines === undefined) index.set(line.mnemonic, [line]);
      else lines.push(line);
    }
  }
  return index;
}

/** The table's lines by mnemonic, in capitals. */
export const LINES: ReadonlyMap<string, readonly Line[]> = buildIndex();

/** The code sizes in which a line exists. */
export function modesOf(line: Line): readonly CodeSize[] {
  const {attributes} = line.form;
  const in64 = !attributes.has('i64') && line.addressSize !== 16 && existsIn64(line);
  const below = !attributes.has('o64') && line.operandSize !== 64 && line.addressSize !== 64;
  return [...(below ? ([16, 32] as const) : []), ...(in64 ? ([64] as const) : [])];
}

function existsIn64(line: Line): boolean {
  const {attributes} = line.form;
  if (line.operandSize === undefined) return true;
  if (attributes.has('f64')) return line.operandSize === 64;
  return !attributes.has('d64') || line.operandSize !== 32;
}
