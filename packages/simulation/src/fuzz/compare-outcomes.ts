// Whether two machines did the same with a program: how it ended, registers, memory. Flags that are undefined are not
// compared, neither in RFLAGS nor where the exception that ended the program has pushed them.

import {CELLS, GENERAL_REGISTERS, SEGMENT_REGISTERS, cellIndex, hasErrorCode} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {FUZZ_LAYOUT, FUZZ_MODES} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import type {FuzzEnding, FuzzOutcome} from './fuzz-program.js';

export interface Difference {
  /** 'ending', a cell's name, or the address of a byte: '[2f00a]'. */
  readonly what: string;
  readonly simulated: string;
  readonly other: string;
}

const RFLAGS = cellIndex('RFLAGS');
const RSP = cellIndex('RSP');
const SS_BASE = cellIndex('SS.base');
const DEFINED_FLAGS = 0x3f_7fd7n;
const SHOWN_BYTES = 8;

const SYSTEM: readonly Cell[] = ['CR0', 'CR2', 'CR3', 'CR4'];

function comparedCells(mode: FuzzMode): readonly number[] {
  const long = FUZZ_MODES[mode].codeSize === 64;
  const general: readonly Cell[] = GENERAL_REGISTERS.slice(0, long ? 16 : 8);
  const segments = SEGMENT_REGISTERS.flatMap((name): readonly Cell[] => [
    `${name}.selector`,
    `${name}.base`,
    `${name}.limit`,
  ]);
  return [...general, 'RIP' as const, ...segments, ...SYSTEM, ...(long ? ['CR8' as const] : [])].map(cellIndex);
}

const COMPARED = {
  real: comparedCells('real'),
  protected: comparedCells('protected'),
  long: comparedCells('long'),
  ring3: comparedCells('ring3'),
} as const satisfies Readonly<Record<FuzzMode, readonly number[]>>;

export function endingText(ending: FuzzEnding): string {
  switch (ending.kind) {
    case 'handler':
      return `handler of vector ${ending.vector}`;
    case 'stopped':
      return `stopped: ${ending.why}`;
    default:
      return ending.kind;
  }
}

/** All differences, the first bytes of memory only. */
export function differences(
  mode: FuzzMode,
  simulated: FuzzOutcome,
  other: FuzzOutcome,
  undefinedFlags: number,
): readonly Difference[] {
  const found: Difference[] = [];
  const ours = endingText(simulated.ending);
  const theirs = endingText(other.ending);
  if (ours !== theirs) found.push({what: 'ending', simulated: ours, other: theirs});
  if (simulated.ending.kind === 'shutdown' && other.ending.kind === 'shutdown') return found;
  const mask = FUZZ_MODES[mode].codeSize === 64 ? 64 : 32;
  for (const index of COMPARED[mode]) {
    const a = BigInt.asUintN(mask, simulated.cells[index] ?? 0n);
    const b = BigInt.asUintN(mask, other.cells[index] ?? 0n);
    if (a !== b) found.push({what: CELLS[index] ?? '', simulated: a.toString(16), other: b.toString(16)});
  }
  const flags = DEFINED_FLAGS & ~BigInt(undefinedFlags);
  const a = (simulated.cells[RFLAGS] ?? 0n) & flags;
  const b = (other.cells[RFLAGS] ?? 0n) & flags;
  if (a !== b) found.push({what: 'RFLAGS', simulated: a.toString(16), other: b.toString(16)});
  compareMemory(mode, simulated, other, undefinedFlags, found);
  return found;
}

function compareMemory(
  mode: FuzzMode,
  simulated: FuzzOutcome,
  other: FuzzOutcome,
  undefinedFlags: number,
  found: Difference[],
): void {
  const pushed = pushedFlags(mode, simulated);
  const [a, b] = [words(simulated.memory), words(other.memory)];
  let shown = 0;
  for (let word = 0; word < a.length && shown < SHOWN_BYTES; word++) {
    if (a[word] === b[word]) continue;
    for (let at = word * 4; at < word * 4 + 4; at++) {
      const mask = at === pushed ? ~undefinedFlags & 0xff : at === pushed + 1 ? (~undefinedFlags >> 8) & 0xff : 0xff;
      const [x, y] = [(simulated.memory[at] ?? 0) & mask, (other.memory[at] ?? 0) & mask];
      if (x === y) continue;
      found.push({what: `[${at.toString(16)}]`, simulated: x.toString(16), other: y.toString(16)});
      shown++;
    }
  }
}

const words = (memory: Uint8Array): Uint32Array =>
  new Uint32Array(memory.buffer, memory.byteOffset, FUZZ_LAYOUT.end / 4);

/** Where the exception that ended the program put the flags; −2 where none did. */
export function pushedFlags(mode: FuzzMode, outcome: FuzzOutcome): number {
  const frame = frameOf(mode, outcome);
  if (frame === undefined) return -2;
  return frame + (mode === 'real' ? 4 : mode === 'protected' ? 8 : 16);
}

/** Where the frame of the exception that ended a program begins, at the saved IP. SDM vol. 3A, "Stack Usage on Transfers". */
export function frameOf(mode: FuzzMode, {ending, cells}: FuzzOutcome): number | undefined {
  if (ending.kind !== 'handler') return undefined;
  const top = Number(BigInt.asUintN(32, cells[RSP] ?? 0n));
  const base = Number(BigInt.asUintN(32, cells[SS_BASE] ?? 0n));
  const code = hasErrorCode(ending.vector) ? 1 : 0;
  if (mode === 'real') return base + (top & 0xffff);
  return mode === 'protected' ? base + top + 4 * code : top + 8 * code;
}
