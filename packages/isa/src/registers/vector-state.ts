// The state of the x87 FPU, MMX and SSE: where each register lies in the bank named 'vector'.
// The bank has the layout of a 64-bit FXSAVE image (SDM vol. 1, "FXSAVE Area"), with two differences that keep a register in
// its place: the eight 80-bit registers are in physical order (R0 to R7, the tag's order, which MMX calls MM0 to MM7) while an
// image has them from the top of the stack, and FCS and FDS lie where an image leaves room for software.
//
//     0  FCW FSW FTW – FOP      8  FIP              16  FDP             24  MXCSR
//    32  R0 … R7, 16 bytes each (63:0 significand, which MMX uses; 79:64 sign and exponent)
//   160  XMM0 … XMM15, 16 bytes each              464  FCS  466  FDS

import {assertExists} from '@hyperscope/base';

export const VECTOR_BANK_BYTES = 512;

export const XMM_REGISTERS = [
  'XMM0',
  'XMM1',
  'XMM2',
  'XMM3',
  'XMM4',
  'XMM5',
  'XMM6',
  'XMM7',
  'XMM8',
  'XMM9',
  'XMM10',
  'XMM11',
  'XMM12',
  'XMM13',
  'XMM14',
  'XMM15',
] as const;
export type XmmRegister = (typeof XMM_REGISTERS)[number];

export const MMX_REGISTERS = ['MM0', 'MM1', 'MM2', 'MM3', 'MM4', 'MM5', 'MM6', 'MM7'] as const;
export type MmxRegister = (typeof MMX_REGISTERS)[number];

export type VectorRegister = XmmRegister | MmxRegister;

/** FTW is the abridged tag word: bit i is 1 where R(i) holds something. */
const CONTROL_CELLS = [
  ['FCW', 0, 16],
  ['FSW', 2, 16],
  ['FTW', 4, 8],
  ['FOP', 6, 16],
  ['FIP', 8, 64],
  ['FDP', 16, 64],
  ['MXCSR', 24, 32],
  ['FCS', 464, 16],
  ['FDS', 466, 16],
] as const;

/** A piece of the bank by its name; `MM0.exponent` is bits 79:64 of R0. */
export type VectorCell = (typeof CONTROL_CELLS)[number][0] | VectorRegister | `${MmxRegister}.exponent`;

export interface VectorPlace {
  /** Bytes from the start of the bank. */
  readonly offset: number;
  readonly bits: number;
}

const PLACES: ReadonlyMap<VectorCell, VectorPlace> = new Map<VectorCell, VectorPlace>([
  ...CONTROL_CELLS.map(([name, offset, bits]): [VectorCell, VectorPlace] => [name, {offset, bits}]),
  ...MMX_REGISTERS.map((name, n): [VectorCell, VectorPlace] => [name, {offset: 32 + 16 * n, bits: 64}]),
  ...MMX_REGISTERS.map((name, n): [VectorCell, VectorPlace] => [`${name}.exponent`, {offset: 40 + 16 * n, bits: 16}]),
  ...XMM_REGISTERS.map((name, n): [VectorCell, VectorPlace] => [name, {offset: 160 + 16 * n, bits: 128}]),
]);

/** Where a cell lies. */
export function vectorPlace(cell: VectorCell): VectorPlace {
  return assertExists(PLACES.get(cell), `no vector cell named ${cell}`);
}

/** FCW after FNINIT, with every exception masked and the longest precision; and MXCSR after RESET. */
export const FCW_INITIAL = 0x37fn;
export const MXCSR_INITIAL = 0x1f80n;
