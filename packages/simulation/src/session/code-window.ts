// The code around the guest's current instruction, disassembled from memory as it is at the playhead.

import {encodingParts} from '@hyperscope/isa';
import {codeAddress, codeSizeOf} from '@hyperscope/trace';
import type {CodeLine} from '@hyperscope/trace';
import {CodePlaces} from './code-places.js';
import type {ExecutionMap} from './execution-map.js';
import type {KnownLines} from './known-lines.js';
import type {SourceMap} from './source-map.js';
import type {StateView} from './state-view.js';

/** As many instructions are shown before the current one, at least where they are known and at most; and in all. */
const LINES_BEFORE = 8;
const MOST_BEFORE = 28;
const LINES = 48;
const LONGEST = 15;
/** Where code is shown from is where a block of so many bytes begins. */
const BLOCK = 64n;

export interface CodeKnowledge {
  readonly executed: ExecutionMap;
  readonly source: SourceMap | undefined;
  /** Lines that were made before. */
  readonly known: KnownLines;
  /** Whether the guest runs under VT-x, which some instructions always leave. */
  readonly vtx: boolean;
}

/** The instructions around the guest's RIP, 8 before it where they are known; empty where its memory cannot be read. */
export function codeWindow(state: StateView, knowledge: CodeKnowledge): readonly CodeLine[] {
  const rip = state.guestCells()('RIP') ?? 0n;
  const places = new CodePlaces(state);
  const fromSource = places.before(knowledge.source, rip, MOST_BEFORE);
  const before = fromSource.length > 0 ? fromSource : knowledge.executed.before(rip, MOST_BEFORE);
  const lines = linesFrom(state, places, knowledge, firstShown(before) ?? rip);
  // Code may have been overwritten since it ran: a guess about where instructions begin must not hide the current one.
  return lines.some(line => line.address === rip) ? lines : linesFrom(state, places, knowledge, rip);
}

/**
 * Of the known instructions before the current one, the one to begin with: the first of a block, so that the lines stand still
 * while the guest goes on among them.
 */
function firstShown(before: readonly bigint[]): bigint | undefined {
  const far = before.slice(0, Math.max(0, before.length - LINES_BEFORE) + 1);
  return far.findLast((start, at) => at > 0 && start / BLOCK !== (far[at - 1] ?? start) / BLOCK) ?? far[0];
}

/** Instructions one after another, up to the first bytes that are none: code ends there. */
function linesFrom(
  state: StateView,
  places: CodePlaces,
  {source, executed, known, vtx}: CodeKnowledge,
  start: bigint,
): readonly CodeLine[] {
  const cells = state.guestCells();
  const rip = cells('RIP') ?? 0n;
  const now = codeSizeOf(cells);
  const bytes = state.guestMemory.readLinear(cells, codeAddress(cells, start), LINES * LONGEST) ?? new Uint8Array(0);
  const lines: CodeLine[] = [];
  for (let offset = 0; lines.length < LINES && offset < bytes.length;) {
    const address = start + BigInt(offset);
    const text = places.sourceAt(source, address);
    // What comes next runs as the processor is now; further on, the guest may have changed its mode by then.
    const length = address === rip ? undefined : text?.length;
    const facts = {now, length, sourceLine: text?.line, exits: executed.exitsAt(address), vtx};
    const found = known.at(address, bytes, offset, facts);
    if (found === undefined) break;
    const {line, instruction} = found;
    lines.push(address === rip ? {...line, encoding: encodingParts(instruction)} : line);
    offset += instruction.bytes.length;
  }
  return lines;
}
