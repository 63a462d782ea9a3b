// Real x86 instructions that the project does not have yet. The decoder names them instead of guessing, and keeps them
// apart from encodings that no processor has (#UD). On a processor that does not announce one, it is #UD as well; and what
// this first table names, no profile announces. SDM vol. 2, "Opcode Map"; APM vol. 3, "Opcode Maps" (AMD's own).
//
// A row is a pattern and a name. Tokens of a pattern, in this order:
//   NP 66 F2 F3     only with this prefix (or with none of the three)
//   0F 38, 58, 10-17   the opcode; the last byte may be a range
//   =C8 =D8-DF      the whole ModR/M byte
//   /0 /3-5         the reg field of ModR/M
//   m  r            memory operand, register operand
//   i64 o64         not in 64-bit mode, only there

import {assert} from '@hyperscope/base';
import type {CodeSize} from '../instruction.js';
import type {InstructionFeature} from './form.js';
import {UNSUPPORTED_SIMD} from './unsupported-simd.js';
import {UNSUPPORTED_X87} from './unsupported-x87.js';

const SYSTEM_ROWS: readonly (readonly [pattern: string, name: string, feature?: InstructionFeature])[] = [
  ['62 r i64', 'EVEX encoding', 'avx512f'],
  ['62 o64', 'EVEX encoding', 'avx512f'],
  // The byte after 8F is the first of an XOP prefix where its low five bits, the opcode map, are 8 or more.
  ['8F /1-3', 'XOP encoding', 'xop'],
  ['8F /5-7', 'XOP encoding', 'xop'],
  ['C4-C5 r i64', 'VEX encoding', 'avx'],
  ['C4-C5 o64', 'VEX encoding', 'avx'],
  ['C6 =F8', 'XABORT'],
  ['C7 =F8', 'XBEGIN'],

  ['F2 0F 00 /6 o64', 'LKGS'],
  ['0F 01 =C0', 'ENCLV'],
  ['0F 01 =C5', 'PCONFIG'],
  ['0F 01 =C6', 'WRMSRNS'],
  ['0F 01 =C7', 'PBNDKB'],
  ['0F 01 =CC-CE', 'TDX or user-interrupt instruction'],
  ['0F 01 =CF', 'ENCLS'],
  ['0F 01 =D4', 'VMFUNC'],
  ['0F 01 =D5', 'XEND'],
  ['0F 01 =D6', 'XTEST'],
  ['0F 01 =D7', 'ENCLU'],
  ['0F 01 =E8-EF', 'protection-key, CET or TSX instruction'],
  ['0F 01 /5 m', 'RSTORSSP'],
  ['0F 01 =FA', 'MONITORX'],
  ['0F 01 =FB', 'MWAITX'],
  ['0F 01 =FC', 'CLZERO'],
  ['0F 01 =FD', 'RDPRU'],
  ['0F 01 =FE', 'INVLPGB'],
  ['0F 01 =FF', 'TLBSYNC'],
  ['0F 37', 'GETSEC'],
  ['0F A6-A7 r', 'PadLock instruction (VIA)'],
  ['F3 0F AE /6 m', 'CLRSSBSY'],
  ['F3 0F AE /4', 'PTWRITE'],
  ['F3 0F AE /5 r', 'INCSSP'],
  ['66 0F AE /6 r', 'TPAUSE'],
  ['F2 0F AE /6 r', 'UMWAIT'],
  ['F3 0F AE /6 r', 'UMONITOR'],
  ['66 0F AE /7 r', 'PCOMMIT'],
  ['0F C7 /3 m', 'XRSTORS'],
  ['0F C7 /5 m', 'XSAVES'],
  ['F3 0F C7 /6 r', 'SENDUIPI'],
  ['0F 38 F2-F5', 'CET instruction'],
  ['NP 0F 38 F6', 'WRSS (CET)'],
  ['0F 38 F7-FF', 'CET or user-interrupt instruction'],
];

/** A pattern with what is known of the instruction. */
interface Named {
  readonly pattern: string;
  readonly name: string;
  /** What CPUID must announce; undefined for parts of the instruction set that no profile has. */
  readonly feature: InstructionFeature | undefined;
  readonly unit: UnsupportedInstruction['unit'];
}

const NAMED: readonly Named[] = [
  ...SYSTEM_ROWS.map(([pattern, name, feature]): Named => ({pattern, name, feature, unit: undefined})),
  ...UNSUPPORTED_X87.map(([pattern, name]): Named => ({pattern, name, feature: 'fpu', unit: 'x87'})),
  ...UNSUPPORTED_SIMD,
];

interface Row {
  readonly prefix: 'NP' | 0x66 | 0xf2 | 0xf3 | undefined;
  readonly modrm: readonly [number, number] | undefined;
  readonly reg: readonly [number, number] | undefined;
  readonly operand: 'm' | 'r' | undefined;
  readonly mode: 'i64' | 'o64' | undefined;
  readonly named: Named;
}

const PATTERN =
  /^(NP |66 |F2 |F3 )?(0F (?:38 |3A )?)?([0-9A-F]{2}(?:-[0-9A-F]{2})?)(?: =([0-9A-F]{2}(?:-[0-9A-F]{2})?))?(?: \/([0-7](?:-[0-7])?))?(?: ([mr]))?(?: (i64|o64))?$/;

/** Rows by slot: 256 × opcode map (0 one-byte, 1 0F, 2 0F 38, 3 0F 3A) + opcode. */
const SLOTS: readonly (readonly Row[])[] = buildSlots();

function buildSlots(): readonly (readonly Row[])[] {
  const slots: Row[][] = Array.from({length: 1024}, () => []);
  for (const named of NAMED) {
    const match = PATTERN.exec(named.pattern);
    assert(match !== null, `unreadable pattern ${named.pattern}`);
    const [, prefix, escape, opcode = '', modrm, reg, operand, mode] = match;
    const row: Row = {
      prefix: prefixOf(prefix?.trim()),
      modrm: rangeOf(modrm),
      reg: rangeOf(reg),
      operand: oneOf(operand, 'm', 'r'),
      mode: oneOf(mode, 'i64', 'o64'),
      named,
    };
    const map = escape === '0F ' ? 1 : escape === '0F 38 ' ? 2 : escape === '0F 3A ' ? 3 : 0;
    const [first, last] = rangeOf(opcode) ?? [0, -1];
    for (let byte = first; byte <= last; byte++) slots[256 * map + byte]?.push(row);
  }
  return slots;
}

function oneOf<T extends string>(text: string | undefined, a: T, b: T): T | undefined {
  return text === a ? a : text === b ? b : undefined;
}

function prefixOf(text: string | undefined): Row['prefix'] {
  switch (text) {
    case 'NP':
      return 'NP';
    case '66':
      return 0x66;
    case 'F2':
      return 0xf2;
    case 'F3':
      return 0xf3;
    default:
      return undefined;
  }
}

function rangeOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [first = '', last = first] = text.split('-');
  return [parseInt(first, 16), parseInt(last, 16)];
}

/** What the decoder knows when it asks. */
export interface OpcodePlace {
  /** 256 × opcode map + opcode. */
  readonly slot: number;
  readonly prefix: 'NP' | 0x66 | 0xf2 | 0xf3;
  readonly codeSize: CodeSize;
}

/** Whether naming the instruction at this place needs its ModR/M byte. */
export function unsupportedNeedsModrm(slot: number): boolean {
  return (
    SLOTS[slot]?.some(row => row.modrm !== undefined || row.reg !== undefined || row.operand !== undefined) ?? false
  );
}

export interface UnsupportedInstruction {
  readonly name: string;
  /** What CPUID must announce; undefined for parts of the instruction set that no profile has. */
  readonly feature: InstructionFeature | undefined;
  /** The unit that it needs, and that CR0 and CR4 can declare absent. */
  readonly unit: 'x87' | 'MMX' | 'SSE' | undefined;
  /** Whether the ModR/M byte is part of the opcode. */
  readonly byModrm: boolean;
}

/** The name of a real instruction that the project lacks; undefined when this is none. */
export function unsupportedInstruction(place: OpcodePlace, modrm: number): UnsupportedInstruction | undefined {
  const rows = SLOTS[place.slot] ?? [];
  const fits = (row: Row): boolean =>
    (row.prefix === undefined || row.prefix === place.prefix) &&
    (row.mode === undefined || (row.mode === 'o64') === (place.codeSize === 64)) &&
    (row.operand === undefined || (row.operand === 'r') === modrm >= 0xc0) &&
    within(row.modrm, modrm) &&
    within(row.reg, (modrm >> 3) & 7);
  const row = rows.find(fits);
  if (row === undefined) return undefined;
  const {name, feature, unit} = row.named;
  return {name, feature, unit, byModrm: row.modrm !== undefined};
}

const within = (range: readonly [number, number] | undefined, value: number): boolean =>
  range === undefined || (value >= range[0] && value <= range[1]);
