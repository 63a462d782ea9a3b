// FNSTENV, FLDENV, FNSAVE and FRSTOR: the x87 environment and registers in the four layouts that operand size and mode give.
// SDM vol. 1, "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE".

import type {Instruction} from '@hyperscope/isa';
import {isTrouble} from './faults.js';
import {hasRealModeSegments} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {readArea, writeArea} from './vector-area.js';
import type {AreaPlace} from './vector-area.js';

const STACK = 32;
const REGISTER_BYTES = 10;

interface Layout {
  /** Bytes of a field: 2 or 4; there are seven. */
  readonly field: 2 | 4;
  /** Real mode and virtual-8086 mode store linear addresses, protected mode selector and offset. */
  readonly pointers: 'linear' | 'selector';
}

const layoutOf = (cpu: Processor, instruction: Instruction): Layout => ({
  field: instruction.width === 16 ? 2 : 4,
  pointers: hasRealModeSegments(cpu.registers) ? 'linear' : 'selector',
});
const environmentBytes = ({field}: Layout): number => 7 * field;

/** The full tag word: two bits a register, from what it holds. 0 valid, 1 zero, 2 special, 3 empty. */
function fullTags(cpu: Processor): number {
  let tags = 0;
  for (let n = 7; n >= 0; n--) tags = (tags << 2) | tagOf(cpu, n);
  return tags;
}

function tagOf({vectors}: Processor, register: number): number {
  if (((vectors.number('FTW') >> register) & 1) === 0) return 3;
  const view = new DataView(vectors.slice(STACK + 16 * register, REGISTER_BYTES).buffer);
  const significand = view.getBigUint64(0, true);
  const exponent = view.getUint16(8, true) & 0x7fff;
  if (exponent === 0 && significand === 0n) return 1;
  return exponent === 0 || exponent === 0x7fff || significand >> 63n === 0n ? 2 : 0;
}

/** Seven fields: control, status, tags, instruction pointer (two), operand pointer (two). */
function environment(cpu: Processor, layout: Layout): Uint8Array {
  const {vectors} = cpu;
  const [fip, fdp] = [Number(vectors.get('FIP', 32)), Number(vectors.get('FDP', 32))];
  const [fcs, fds, fop] = [vectors.number('FCS'), vectors.number('FDS'), vectors.number('FOP')];
  const pointers =
    layout.pointers === 'selector'
      ? selectorPointers(layout, {fip, fdp, fcs, fds, fop})
      : linearPointers(layout, (fip + 16 * fcs) >>> 0, (fdp + 16 * fds) >>> 0, fop);
  return fields(layout, [vectors.number('FCW'), vectors.number('FSW'), fullTags(cpu), ...pointers]);
}

interface Pointers {
  readonly fip: number;
  readonly fdp: number;
  readonly fcs: number;
  readonly fds: number;
  readonly fop: number;
}

const selectorPointers = ({field}: Layout, {fip, fdp, fcs, fds, fop}: Pointers): readonly number[] =>
  field === 2 ? [fip, fcs, fdp, fds] : [fip, fcs | (fop << 16), fdp, fds];

const linearPointers = ({field}: Layout, fip: number, fdp: number, fop: number): readonly number[] =>
  field === 2
    ? [fip, (((fip >>> 16) & 15) << 12) | fop, fdp, ((fdp >>> 16) & 15) << 12]
    : [fip & 0xffff, ((fip >>> 16) << 12) | fop, fdp & 0xffff, (fdp >>> 16) << 12];

/** In the 32-bit layout the unused upper halves of words are ones. */
function fields({field}: Layout, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(7 * field);
  const view = new DataView(bytes.buffer);
  values.forEach((value, n) => {
    if (field === 2) view.setUint16(2 * n, value & 0xffff, true);
    else view.setUint32(4 * n, (n < 3 || n === 6 ? 0xffff_0000 | value : value) >>> 0, true);
  });
  return bytes;
}

export function storeFpuEnvironment(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const bytes = environment(cpu, layoutOf(cpu, instruction));
  const trouble = writeArea(cpu, place, bytes.length, [{at: 0, bytes}]);
  if (trouble !== undefined) return trouble;
  cpu.vectors.set('FCW', cpu.vectors.get('FCW') | 0x3fn);
  cpu.vectors.summarizeExceptions();
  return undefined;
}

export function saveFpuState(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const head = environment(cpu, layoutOf(cpu, instruction));
  const bytes = new Uint8Array(head.length + 8 * REGISTER_BYTES);
  bytes.set(head);
  for (let n = 0; n < 8; n++) bytes.set(stackRegister(cpu, n), head.length + REGISTER_BYTES * n);
  const trouble = writeArea(cpu, place, bytes.length, [{at: 0, bytes}]);
  if (trouble === undefined) cpu.vectors.initializeFpu();
  return trouble;
}

const physical = (cpu: Processor, n: number): number => (((cpu.vectors.number('FSW') >> 11) & 7) + n) & 7;

function stackRegister(cpu: Processor, n: number): Uint8Array {
  return cpu.vectors.slice(STACK + 16 * physical(cpu, n), REGISTER_BYTES);
}

export function loadFpuEnvironment(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const layout = layoutOf(cpu, instruction);
  const bytes = readArea(cpu, place, environmentBytes(layout));
  if (isTrouble(bytes)) return bytes;
  setEnvironment(cpu, layout, bytes);
  return undefined;
}

export function restoreFpuState(cpu: Processor, instruction: Instruction, place: AreaPlace): Trouble | undefined {
  const layout = layoutOf(cpu, instruction);
  const head = environmentBytes(layout);
  const bytes = readArea(cpu, place, head + 8 * REGISTER_BYTES);
  if (isTrouble(bytes)) return bytes;
  setEnvironment(cpu, layout, bytes);
  for (let n = 0; n < 8; n++) {
    const at = head + REGISTER_BYTES * n;
    cpu.vectors.put(STACK + 16 * physical(cpu, n), bytes.slice(at, at + REGISTER_BYTES));
  }
  return undefined;
}

/** Of the tags only "empty" is kept: the others follow from the registers. */
function setEnvironment(cpu: Processor, layout: Layout, bytes: Uint8Array): void {
  const {vectors} = cpu;
  const view = new DataView(bytes.buffer);
  const value = (n: number): number => (layout.field === 2 ? view.getUint16(2 * n, true) : view.getUint32(4 * n, true));
  const tags = value(2) & 0xffff;
  const held = [0, 1, 2, 3, 4, 5, 6, 7].reduce(
    (mask, n) => (((tags >> (2 * n)) & 3) === 3 ? mask : mask | (1 << n)),
    0,
  );
  vectors.set('FCW', BigInt((value(0) & 0x1f3f) | 0x40));
  vectors.set('FSW', BigInt(value(1) & 0xffff));
  vectors.set('FTW', BigInt(held));
  const {fip, fdp, fcs, fds, fop} = pointersOf(layout, value);
  vectors.set('FIP', BigInt(fip >>> 0));
  vectors.set('FDP', BigInt(fdp >>> 0));
  vectors.set('FCS', BigInt(fcs));
  vectors.set('FDS', BigInt(fds));
  if (fop !== undefined) vectors.set('FOP', BigInt(fop));
  vectors.summarizeExceptions();
}

function pointersOf(
  {field, pointers}: Layout,
  value: (n: number) => number,
): Omit<Pointers, 'fop'> & {readonly fop: number | undefined} {
  if (pointers === 'selector') {
    const fop = field === 2 ? undefined : (value(4) >>> 16) & 0x7ff;
    return {fip: value(3), fcs: value(4) & 0xffff, fdp: value(5), fds: value(6) & 0xffff, fop};
  }
  const upper = (n: number): number => (field === 2 ? value(n) >> 12 : (value(n) >>> 12) & 0xffff) * 0x1_0000;
  const fip = upper(4) + (value(3) & 0xffff);
  const fdp = upper(6) + (value(5) & 0xffff);
  return {fip, fdp, fcs: 0, fds: 0, fop: value(4) & 0x7ff};
}
