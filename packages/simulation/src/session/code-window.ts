// The code around the guest's current instruction, disassembled from memory as it is at the playhead.

import {hexBytes} from '@hyperscope/base';
import {decode, disassemble, encodingParts} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import {codeAddress, codeSizeOf} from '@hyperscope/trace';
import type {CellSource, CodeLine} from '@hyperscope/trace';
import {chipsOf} from './chips.js';
import {CodePlaces} from './code-places.js';
import type {ExecutionMap} from './execution-map.js';
import type {SourceMap} from './source-map.js';
import type {StateView} from './state-view.js';

const LINES_BEFORE = 8;
const LINES_AFTER = 20;
const LONGEST = 15;

export interface CodeKnowledge {
  readonly executed: ExecutionMap;
  readonly source: SourceMap | undefined;
  /** Whether the guest runs under VT-x, which some instructions always leave. */
  readonly vtx: boolean;
}

/** Up to 8 instructions before the guest's RIP, itself, and 20 after it; empty where its memory cannot be read. */
export function codeWindow(state: StateView, knowledge: CodeKnowledge): readonly CodeLine[] {
  const rip = state.guestCells()('RIP') ?? 0n;
  const places = new CodePlaces(state);
  const fromSource = places.before(knowledge.source, rip, LINES_BEFORE);
  const before = fromSource.length > 0 ? fromSource : knowledge.executed.before(rip, LINES_BEFORE);
  const lines = linesFrom(state, places, knowledge, before[0] ?? rip, before.length + 1 + LINES_AFTER);
  // Code may have been overwritten since it ran: a guess about where instructions begin must not hide the current one.
  return lines.some(line => line.address === rip) ? lines : linesFrom(state, places, knowledge, rip, 1 + LINES_AFTER);
}

/** Instructions one after another, up to the first bytes that are none: code ends there. */
function linesFrom(
  state: StateView,
  places: CodePlaces,
  knowledge: CodeKnowledge,
  start: bigint,
  most: number,
): readonly CodeLine[] {
  const cells = state.guestCells();
  const rip = cells('RIP') ?? 0n;
  const bytes = state.guestMemory.readLinear(cells, codeAddress(cells, start), most * LONGEST) ?? new Uint8Array(0);
  const lines: CodeLine[] = [];
  for (let offset = 0; lines.length < most && offset < bytes.length;) {
    const address = start + BigInt(offset);
    const source = places.sourceAt(knowledge.source, address);
    // What comes next runs as the processor is now; further on, the guest may have changed its mode by then.
    const instruction = instructionAt(bytes, offset, cells, address === rip ? undefined : source?.length);
    if (instruction === undefined) break;
    const line = lineOf(instruction, address, knowledge, source?.line);
    lines.push(address === rip ? {...line, encoding: encodingParts(instruction)} : line);
    offset += instruction.bytes.length;
  }
  return lines;
}

function lineOf(
  instruction: Instruction,
  address: bigint,
  {executed, vtx}: CodeKnowledge,
  sourceLine: number | undefined,
): CodeLine {
  return {
    address,
    text: disassemble(instruction, address),
    bytes: hexBytes(instruction.bytes, '').toUpperCase(),
    sourceLine,
    chips: chipsOf(instruction, {exits: executed.exitsAt(address), vtx}),
  };
}

const CODE_SIZES = [16, 32, 64] as const;

/** `length`: what the assembler made of it, in whichever code size it was told; that tells the code size again. */
function instructionAt(
  bytes: Uint8Array,
  offset: number,
  cells: CellSource,
  length: number | undefined,
): Instruction | undefined {
  const now = codeSizeOf(cells);
  for (const size of length === undefined ? [now] : [now, ...CODE_SIZES]) {
    const decoded = decode(bytes, size, offset);
    if (decoded.kind === 'instruction' && (length === undefined || decoded.instruction.bytes.length === length))
      return decoded.instruction;
  }
  return length === undefined ? undefined : instructionAt(bytes, offset, cells, undefined);
}
