// The x87, MMX and SSE registers as the inspector shows them: each half only once it has left its state after RESET, and of
// XMM0 to XMM15 those that hold something or that the last step changed. The x87 registers stand in the order of the stack.

import {MMX_REGISTERS, XMM_REGISTERS, vectorPlace} from '@hyperscope/isa';
import type {VectorCell} from '@hyperscope/isa';
import {bit, bits, hex} from '@hyperscope/base';
import type {Moment} from '@hyperscope/trace';

type Row = Moment['vector'][number];
type Cells = (cell: VectorCell) => bigint;

const X87_CELLS: readonly VectorCell[] = [
  ...(['FCW', 'FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'FCS', 'FDS'] as const),
  ...MMX_REGISTERS,
  ...MMX_REGISTERS.map((name): VectorCell => `${name}.exponent`),
];
const SSE_CELLS: readonly VectorCell[] = ['MXCSR', ...XMM_REGISTERS];

/** What is not 0 after RESET (SDM vol. 3A, "Processor State After Reset"): the tags say that each register holds +0.0. */
const AFTER_RESET: ReadonlyMap<VectorCell, bigint> = new Map<VectorCell, bigint>([
  ['FCW', 0x40n],
  ['FTW', 0xffn],
  ['MXCSR', 0x1f80n],
]);

/** Both are the bytes of the bank named 'vector', `before` one step earlier; a record of a real processor has none. */
export function vectorPanel(bank: Uint8Array | undefined, before: Uint8Array | undefined): Moment['vector'] {
  if (bank === undefined) return [];
  const now = cellsOf(bank);
  const was = before === undefined ? now : cellsOf(before);
  const isTouched = (cells: readonly VectorCell[]): boolean =>
    cells.some(cell => [now, was].some(read => read(cell) !== (AFTER_RESET.get(cell) ?? 0n)));
  return [
    ...(isTouched(SSE_CELLS) ? sseRows(now, was) : []),
    ...(isTouched(X87_CELLS) ? [...controlRows(now, was), ...stackRows(now, was)] : []),
  ];
}

function sseRows(now: Cells, was: Cells): readonly Row[] {
  const registers = XMM_REGISTERS.filter(name => now(name) !== 0n || was(name) !== 0n);
  return [
    ...registers.map(name => row(name, hex(now(name), 32), hex(was(name), 32), '')),
    row('MXCSR', hex(now('MXCSR'), 4), hex(was('MXCSR'), 4), mxcsrText(now('MXCSR'))),
  ];
}

function controlRows(now: Cells, was: Cells): readonly Row[] {
  const line = (cell: 'FCW' | 'FSW' | 'FTW', digits: number, meaning: (value: bigint) => string): Row =>
    row(cell, hex(now(cell), digits), hex(was(cell), digits), meaning(now(cell)));
  return [line('FCW', 4, controlText), line('FSW', 4, statusText), line('FTW', 2, tagsText)];
}

/** ST(0) to ST(7); none while every register is empty. */
function stackRows(now: Cells, was: Cells): readonly Row[] {
  if (now('FTW') === 0n) return [];
  return MMX_REGISTERS.map((_, depth) => {
    const [here, before] = [stackRegister(now, depth), stackRegister(was, depth)];
    const meaning = `${here.name.replace('MM', 'R')}, which MMX calls ${here.name}: ${here.tag}`;
    const shown = row(`ST(${depth})`, here.value, before.value, meaning);
    return here.tag === before.tag ? shown : {...shown, changed: true, was: wasText(before)};
  });
}

interface StackRegister {
  readonly name: string;
  /** All 80 bits. */
  readonly value: string;
  readonly tag: 'valid' | 'zero' | 'special' | 'empty';
}

/** What an empty register still holds is nobody's value. */
const wasText = ({value, tag}: StackRegister): string => (tag === 'empty' ? tag : `${value} (${tag})`);

/** The register `depth` places below the top. The tag is what FNSTENV would store (SDM vol. 1, "x87 FPU Tag Word"). */
function stackRegister(cells: Cells, depth: number): StackRegister {
  const number = (Number(bits(cells('FSW'), 13, 11)) + depth) % MMX_REGISTERS.length;
  const name = MMX_REGISTERS[number] ?? 'MM0';
  const [significand, sign] = [cells(name), cells(`${name}.exponent`)];
  const exponent = bits(sign, 14, 0);
  const value = hex((sign << 64n) | significand, 20);
  if (!bit(cells('FTW'), number)) return {name, value, tag: 'empty'};
  if (exponent === 0n && significand === 0n) return {name, value, tag: 'zero'};
  const isNormal = exponent !== 0n && exponent !== 0x7fffn && bit(significand, 63);
  return {name, value, tag: isNormal ? 'valid' : 'special'};
}

function row(name: string, value: string, was: string, meaning: string): Row {
  const changed = value !== was;
  return {name, value, changed, was: changed ? was : undefined, meaning};
}

const EXCEPTIONS = ['I', 'D', 'Z', 'O', 'U', 'P'] as const;
const ROUNDING = ['to nearest', 'down', 'up', 'towards zero'] as const;
const PRECISION = ['24-bit', 'reserved', '53-bit', '64-bit'] as const;

const isNotEmpty = (text: string): boolean => text !== '';
const flags = (value: bigint, names: readonly (readonly [name: string, at: number])[]): string =>
  names
    .filter(([, at]) => bit(value, at))
    .map(([name]) => name)
    .join(' ');

/** The six mask bits, the first of them at `low`. */
function masksText(value: bigint, low: number): string {
  const open = EXCEPTIONS.filter((_, at) => !bit(value, low + at)).map(letter => `#${letter}`);
  if (open.length === 0) return 'every exception masked';
  return open.length === EXCEPTIONS.length ? 'no exception masked' : `not masked: ${open.join(' ')}`;
}

const raisedText = (value: bigint): string =>
  flags(
    value,
    EXCEPTIONS.map((letter, at) => [`${letter}E`, at]),
  );

/** SDM vol. 1, "MXCSR Control and Status Register". */
function mxcsrText(value: bigint): string {
  const modes = flags(value, [
    ['DAZ', 6],
    ['FZ', 15],
  ]);
  const rounding = `rounds ${ROUNDING[Number(bits(value, 14, 13))] ?? ''}`;
  return [masksText(value, 7), rounding, modes, raisedText(value)].filter(isNotEmpty).join('; ');
}

/** SDM vol. 1, "x87 FPU Control Word". */
function controlText(value: bigint): string {
  const precision = `${PRECISION[Number(bits(value, 9, 8))] ?? ''} precision`;
  return [masksText(value, 0), precision, `rounds ${ROUNDING[Number(bits(value, 11, 10))] ?? ''}`].join('; ');
}

/** SDM vol. 1, "x87 FPU Status Register". */
function statusText(value: bigint): string {
  const conditions = flags(value, [
    ['SF', 6],
    ['ES', 7],
    ['C0', 8],
    ['C1', 9],
    ['C2', 10],
    ['C3', 14],
    ['B', 15],
  ]);
  return [`ST(0) is R${bits(value, 13, 11)}`, raisedText(value), conditions].filter(isNotEmpty).join('; ');
}

/** The abridged tag word of an FXSAVE image. */
function tagsText(value: bigint): string {
  const full = MMX_REGISTERS.flatMap((_, at) => (bit(value, at) ? [`R${at}`] : []));
  if (full.length === 0) return 'abridged tags: every register is empty';
  return `abridged tags: ${full.length === MMX_REGISTERS.length ? 'no register is empty' : `not empty: ${full.join(' ')}`}`;
}

/** Reads cells of a bank, which are little-endian. */
function cellsOf(bank: Uint8Array): Cells {
  return cell => {
    const {offset, bits: width} = vectorPlace(cell);
    let value = 0n;
    for (let at = width / 8 - 1; at >= 0; at--) value = (value << 8n) | BigInt(bank[offset + at] ?? 0);
    return value;
  };
}
