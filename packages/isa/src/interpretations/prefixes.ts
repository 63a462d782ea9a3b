// The prefixes of an instruction: legacy ones in any order, then REX directly before the opcode.
// SDM vol. 2, "Instruction Prefixes" and "REX Prefixes".

import type {CodeSize, Prefixes} from '../instruction.js';
import type {SegmentRegister} from '../registers/cells.js';
import type {Cursor} from './cursor.js';

/** The longest instruction, in bytes. SDM vol. 3A, "General-Protection Exception": longer ones give #GP(0). */
export const MAXIMUM_LENGTH = 15;

const SEGMENTS: ReadonlyMap<number, SegmentRegister> = new Map([
  [0x26, 'ES'],
  [0x2e, 'CS'],
  [0x36, 'SS'],
  [0x3e, 'DS'],
  [0x64, 'FS'],
  [0x65, 'GS'],
]);

/** Reads prefixes; stops at the opcode, or after more of them than an instruction can have. */
export function readPrefixes(cursor: Cursor, codeSize: CodeSize): Prefixes {
  let lock = false;
  let repeat: Prefixes['repeat'] = 'none';
  let segment: SegmentRegister | undefined;
  let operandSize = false;
  let addressSize = false;
  let rex: number | undefined;
  while (cursor.length <= MAXIMUM_LENGTH) {
    const byte = cursor.peek();
    const override = SEGMENTS.get(byte);
    if (codeSize === 64 && (byte & 0xf0) === 0x40) {
      rex = byte;
      cursor.byte();
      continue;
    }
    if (override !== undefined) segment = laterSegment(segment, override, codeSize);
    else if (byte === 0xf0) lock = true;
    else if (byte === 0xf2) repeat = 'repne';
    else if (byte === 0xf3) repeat = 'rep';
    else if (byte === 0x66) operandSize = true;
    else if (byte === 0x67) addressSize = true;
    else break;
    // A REX that another prefix follows is ignored.
    rex = undefined;
    cursor.byte();
  }
  return {lock, repeat, segment, operandSize, addressSize, rex};
}

/** The last override counts; but in 64-bit mode ES, CS, SS and DS are ignored, and do not undo an FS or GS before them. */
function laterSegment(
  earlier: SegmentRegister | undefined,
  later: SegmentRegister,
  codeSize: CodeSize,
): SegmentRegister {
  const ignored = codeSize === 64 && later !== 'FS' && later !== 'GS';
  return ignored && (earlier === 'FS' || earlier === 'GS') ? earlier : later;
}

/** The override that has an effect: in 64-bit mode only FS and GS do. */
export function effectiveSegment(prefixes: Prefixes, codeSize: CodeSize): SegmentRegister | undefined {
  const {segment} = prefixes;
  return codeSize === 64 && segment !== 'FS' && segment !== 'GS' ? undefined : segment;
}
