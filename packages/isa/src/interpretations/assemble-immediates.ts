// Immediates and branch targets: which of the table's widths a number may take.
// nasm shortens only what it knows: a number may become a sign-extended byte, an address may not (it could move).

import type {AssemblyImmediate, EncodeRequest} from './assemble-request.js';
import type {Draft, Matched} from './assemble-draft.js';
import type {Line} from './assemble-lines.js';
import {eitherRange, signExtends, signedRange, within, type Range} from './assemble-ranges.js';

/** Where an operand stands while a line is tried. */
export interface Place {
  readonly line: Line;
  readonly request: EncodeRequest;
  readonly draft: Draft;
  readonly operand: number;
}

type ImmediateType = 'imm8' | 'imm8s' | 'imm16' | 'immZ' | 'immV' | '1';

export function matchImmediate(place: Place, type: ImmediateType, written: AssemblyImmediate): Matched {
  if (written.distance !== undefined) return mismatch(place);
  const size = place.line.operandSize ?? 8;
  switch (type) {
    case '1':
      return written.value === 1n && written.certainty === 'constant' && written.size === undefined
        ? 'yes'
        : mismatch(place);
    case 'imm8':
      return counted(place, written, 8);
    case 'imm16':
      return counted(place, written, 16);
    case 'imm8s':
      return signExtended(place, written, size);
    case 'immZ':
      return size === 64 ? whole64(place, written) : whole(place, written, size, eitherRange(size));
    case 'immV':
      return immediateOfMove(place, written, size);
  }
}

/** Counts, ports, vectors and frame sizes: a negative one is a mistake. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'ROL',
  'ROR',
  'RCL',
  'RCR',
  'SHL',
  'SHR',
  'SAR',
  'SHLD',
  'SHRD',
  'BT',
  'BTS',
  'BTR',
  'BTC',
  'IN',
  'OUT',
  'INT',
  'ENTER',
  'AAM',
  'AAD',
]);
/** nasm takes no size keyword for the immediates of these. */
const UNSIZED: ReadonlySet<string> = new Set(['SHLD', 'SHRD', 'ENTER']);

function counted(place: Place, written: AssemblyImmediate, width: 8 | 16): Matched {
  const {mnemonic} = place.line.form;
  if (written.size !== undefined && UNSIZED.has(mnemonic)) {
    return {reason: 'size-mismatch', operand: place.operand, written: written.size, needed: 0};
  }
  const range = eitherRange(width);
  return whole(place, written, width, width === 8 && UNSIGNED.has(mnemonic) ? {low: 0n, high: range.high} : range);
}

function mismatch(place: Place): Matched {
  return {reason: 'no-such-form', mnemonic: place.line.mnemonic, accepted: []};
}

function whole(place: Place, written: AssemblyImmediate, width: number, range: Range): Matched {
  const {draft, operand} = place;
  if (written.size !== undefined && written.size !== width) {
    return {reason: 'size-mismatch', operand, written: written.size, needed: width};
  }
  if (written.certainty !== 'forward' && !within(written.value, range)) {
    return {reason: 'out-of-range', operand, value: written.value, ...range};
  }
  if (written.size !== undefined && place.line.form.operandTypes.length === 1) draft.pinned = true;
  draft.immediates.push({value: written.value, bytes: width / 8});
  return 'yes';
}

/** Whether `dword` may be said of the 32-bit immediate of a 64-bit operation; for the others nasm wants `qword`. */
function takesDword(line: Line): boolean {
  const {mnemonic} = line.form;
  return mnemonic === 'MOV' || mnemonic === 'PUSH' || mnemonic === 'IMUL';
}

/** 64-bit operations have 32-bit immediates, sign-extended. */
function whole64(place: Place, written: AssemblyImmediate): Matched {
  const {line} = place;
  // MOV has a form that holds all 64 bits; without a keyword an address goes there.
  const isMove = line.form.mnemonic === 'MOV';
  if (
    isMove &&
    written.size !== 32 &&
    written.certainty !== 'constant' &&
    written.certainty !== 'forward' &&
    place.request.operands[0]?.kind === 'register'
  )
    return mismatch(place);
  if (isMove && written.size === 64 && written.strict) return mismatch(place);
  if (written.size === 32 && !takesDword(line))
    return {reason: 'size-mismatch', operand: place.operand, written: 32, needed: 64};
  const sized = written.size === 64 ? {...written, size: 32} : written;
  return whole(place, sized, 32, signedRange(32));
}

function signExtended(place: Place, written: AssemblyImmediate, size: number): Matched {
  const {draft, operand} = place;
  const asByte = written.size === 8;
  if (!asByte) {
    const sameSize =
      written.size === undefined ||
      written.size === size ||
      (size === 64 && written.size === 32 && takesDword(place.line));
    if (!sameSize || written.strict) return mismatch(place);
    if (written.certainty !== 'constant' && written.certainty !== 'forward') return mismatch(place);
  }
  if (written.certainty !== 'forward' && !signExtends(written.value, 8, size)) {
    return asByte ? {reason: 'out-of-range', operand, value: written.value, ...signedRange(8)} : mismatch(place);
  }
  if (written.size !== undefined && !asByte && place.line.form.operandTypes.length === 1) draft.pinned = true;
  draft.immediates.push({value: written.value, bytes: 1});
  draft.shortened = true;
  return 'yes';
}

function immediateOfMove(place: Place, written: AssemblyImmediate, size: number): Matched {
  return whole(place, written, size, eitherRange(size));
}

/** Short and near jumps. Only an address of this section is known well enough to be reached by a short one unasked. */
export function matchTarget(place: Place, type: 'rel8' | 'relZ', written: AssemblyImmediate): Matched {
  const {line, draft, operand} = place;
  const {mnemonic} = line.form;
  const grows = mnemonic === 'JMP' || mnemonic === 'Jcc';
  if (written.distance === 'far') return mismatch(place);
  if (type === 'rel8') {
    if (written.size !== undefined || written.distance === 'near') return mismatch(place);
    const unasked = grows && written.distance !== 'short';
    // LOOP and JCXZ are always short, and nasm does not want to hear it.
    if (!grows && written.distance !== undefined) return mismatch(place);
    const known = written.certainty === 'local' || written.certainty === 'forward';
    if (unasked && (written.strict || !known)) return mismatch(place);
    draft.target = {value: written.value, bytes: 1, operand, checked: written.certainty !== 'forward'};
    return 'yes';
  }
  if (written.distance === 'short') return mismatch(place);
  if (
    written.size !== undefined &&
    (mnemonic === 'Jcc' || written.size !== line.operandSize || line.operandSize === 64)
  ) {
    return mismatch(place);
  }
  draft.pinned = written.size !== undefined;
  draft.target = {
    value: written.value,
    bytes: line.operandSize === 16 ? 2 : 4,
    operand,
    checked: written.certainty !== 'forward',
  };
  return 'yes';
}
