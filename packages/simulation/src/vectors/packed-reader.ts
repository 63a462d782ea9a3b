// The packed form of 286 vectors: text, one JSON object a line, 16-bit registers only.

import {UserError} from '@hyperscope/base';
import {VECTOR_REGISTERS, slotOf} from './vector.js';
import type {Vector, VectorMemory} from './vector.js';

const SLOTS = {
  ax: slotOf('eax'),
  bx: slotOf('ebx'),
  cx: slotOf('ecx'),
  dx: slotOf('edx'),
  cs: slotOf('cs'),
  ss: slotOf('ss'),
  ds: slotOf('ds'),
  es: slotOf('es'),
  sp: slotOf('esp'),
  bp: slotOf('ebp'),
  si: slotOf('esi'),
  di: slotOf('edi'),
  ip: slotOf('eip'),
  flags: slotOf('eflags'),
} as const;
const SLOT_OF: ReadonlyMap<string, number> = new Map(Object.entries(SLOTS));
const FLAGS = SLOTS.flags;

const WORDS = new Uint32Array(VECTOR_REGISTERS.length);
for (const slot of SLOT_OF.values()) WORDS[slot] = 0xffff;

interface PackedState {
  readonly regs: Readonly<Partial<Record<string, number>>>;
  readonly ram: readonly (readonly number[])[];
}
interface PackedVector {
  readonly f: string;
  readonly i: number;
  readonly name: string;
  readonly hash?: string;
  readonly bytes: string;
  readonly init: PackedState;
  readonly final: PackedState;
  readonly exc?: readonly number[];
  readonly fmask: number;
  readonly class?: string;
}

/** Whether a line begins as this form does: a JSON object. */
export const looksPacked = (bytes: Uint8Array): boolean => bytes[0] === 0x7b;

/**
 * The vectors of a packed file, one after the other.
 * @throws UserError 'bad-vectors' with the number of the line that is none
 */
export function* readPacked(text: string): Generator<Vector> {
  let line = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    line++;
    if (end > start) yield parseLine(text.slice(start, end), line);
    start = end + 1;
  }
}

function parseLine(text: string, line: number): Vector {
  const value = parseJson(text);
  if (!isPackedVector(value))
    throw new UserError('bad-vectors', `Line ${line} is no vector: it needs f, i, name, bytes, init, final and fmask.`);
  const before = new Uint32Array(VECTOR_REGISTERS.length);
  setRegisters(before, value.init.regs);
  const after = before.slice();
  setRegisters(after, value.final.regs);
  const mask = WORDS.slice();
  mask[FLAGS] = value.fmask;
  return {
    form: value.f,
    index: value.i,
    name: value.name,
    bytes: hexBytes(value.bytes),
    hash: value.hash ?? '',
    chip: 'C286',
    width: 16,
    before,
    after,
    mask,
    memoryBefore: flat(value.init.ram),
    memoryAfter: flat(value.final.ram),
    exception: value.exc?.[0],
    kind: value.class,
  };
}

/** Most are unchanged and left out, so what is there is walked and not what might be. */
function setRegisters(registers: Uint32Array, values: PackedState['regs']): void {
  for (const name in values) {
    const slot = SLOT_OF.get(name);
    if (slot !== undefined) registers[slot] = values[name] ?? 0;
  }
}

function hexBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function flat(pairs: PackedState['ram']): VectorMemory {
  const memory: number[] = [];
  for (const pair of pairs) memory.push(pair[0] ?? 0, pair[1] ?? 0);
  return memory;
}

function isPackedVector(value: unknown): value is PackedVector {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'f' in value &&
    typeof value.f === 'string' &&
    'i' in value &&
    'name' in value &&
    'bytes' in value &&
    typeof value.bytes === 'string' &&
    'fmask' in value &&
    typeof value.fmask === 'number' &&
    'init' in value &&
    isState(value.init) &&
    'final' in value &&
    isState(value.final)
  );
}

function isState(value: unknown): value is PackedState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'regs' in value &&
    typeof value.regs === 'object' &&
    value.regs !== null &&
    'ram' in value &&
    Array.isArray(value.ram)
  );
}
