// A finished draft as bytes, in the order of SDM vol. 2, "Instruction Format"; legacy prefixes in nasm's order.

import type {Draft} from './assemble-draft.js';
import {REX_W, segmentNumber} from './assemble-draft.js';
import type {Line} from './assemble-lines.js';
import type {OpcodeForm} from '../opcodes/form.js';
import type {EncodeFailure, EncodeRequest} from './assemble-request.js';
import {appendBytes, signedRange, within} from './assemble-ranges.js';

/** ES CS SS DS FS GS. */
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;

/** The bytes of a draft, or why a branch or the high byte of a register cannot be encoded. */
export function emit(
  line: Line,
  draft: Draft,
  request: EncodeRequest,
  operandSize: 16 | 32 | 64 | undefined,
): number[] | EncodeFailure {
  const bytes = legacyPrefixes(line, draft, request, operandSize);
  const {pattern} = line.form;
  if (pattern.vex !== undefined) {
    bytes.push(...vexBytes(pattern, draft));
    return finished(bytes, line, draft, request);
  }
  if (typeof pattern.mandatory === 'number' && pattern.mandatory !== 0x66) bytes.push(pattern.mandatory);
  // nasm writes the REX.W that INVPCID ignores.
  const superfluous = line.form.mnemonic === 'INVPCID' && request.codeSize === 64;
  const w = line.wide || superfluous || (line.operandSize === undefined && operandSize === 64) ? REX_W : 0;
  const rex = draft.rex | w;
  if (rex !== 0 || draft.needsRex) {
    if (draft.highByte !== undefined) return {reason: 'high-byte-with-rex', operand: draft.highByte};
    bytes.push(0x40 | rex);
  }
  const last = pattern.opcode.length - 1;
  for (const [index, byte] of pattern.opcode.entries()) {
    bytes.push(index === last ? byte | draft.low | line.condition : byte);
  }
  return finished(bytes, line, draft, request);
}

/** C4, two bytes of fields and the opcode. nasm prefers it to nothing: these opcode maps have no shorter form. */
function vexBytes({vex, opcode, mandatory}: OpcodeForm['pattern'], draft: Draft): readonly number[] {
  const map = opcode[1] === 0x38 ? 2 : 3;
  const pp = mandatory === 0x66 ? 1 : mandatory === 0xf3 ? 2 : mandatory === 0xf2 ? 3 : 0;
  const second = ((vex ?? 0) << 7) | ((~draft.vexRegister & 15) << 3) | pp;
  return [0xc4, ((~draft.rex & 7) << 5) | map, second, opcode[2] ?? 0];
}

/** What comes after the opcode. */
function finished(bytes: number[], line: Line, draft: Draft, request: EncodeRequest): number[] | EncodeFailure {
  const displacementAt = addressBytes(line, draft, bytes);
  for (const {value, bytes: count} of draft.immediates) appendBytes(bytes, value, count);
  if (draft.memory?.relative === true) patchRelative(bytes, displacementAt, draft.memory.displacement, request);
  return draft.target === undefined ? bytes : appendTarget(bytes, draft.target, request);
}

function legacyPrefixes(
  line: Line,
  draft: Draft,
  request: EncodeRequest,
  operandSize: 16 | 32 | 64 | undefined,
): number[] {
  const {prefixes, codeSize} = request;
  const bytes: number[] = [];
  if (prefixes.repeat !== 'none') bytes.push(prefixes.repeat === 'rep' ? 0xf3 : 0xf2);
  if (prefixes.lock) bytes.push(0xf0);
  const segment = draft.segment ?? prefixes.segment;
  if (segment !== undefined) bytes.push(SEGMENT_PREFIXES[segmentNumber(segment)] ?? 0);
  const toggles = line.form.pattern.vex === undefined ? (line.operandSize ?? operandSize) : undefined;
  const sizeMatters = !(line.form.attributes.has('f64') && codeSize === 64 && line.operandSize !== undefined);
  const toggled = sizeMatters && toggles !== undefined && (codeSize === 16 ? toggles === 32 : toggles === 16);
  const mandatory66 = line.form.pattern.mandatory === 0x66 && line.form.pattern.vex === undefined;
  if (toggled && !mandatory66) bytes.push(0x66);
  const addressSize = draft.addressSize ?? line.addressSize ?? prefixes.addressSize ?? codeSize;
  if (addressSize !== codeSize) bytes.push(0x67);
  if (mandatory66) bytes.push(0x66);
  return bytes;
}

/** ModR/M, SIB and displacement; returns where the displacement is. */
function addressBytes(line: Line, draft: Draft, bytes: number[]): number {
  const {modrm, registerOnly} = line.form.pattern;
  if (modrm === undefined) return bytes.length;
  const reg = modrm === 'r' ? draft.reg : modrm;
  const {memory} = draft;
  if (memory === undefined) {
    bytes.push(0xc0 | (reg << 3) | (registerOnly ? 0 : (draft.rm ?? 0)));
    return bytes.length;
  }
  bytes.push((memory.mod << 6) | (reg << 3) | memory.rm);
  if (memory.sib !== undefined) bytes.push(memory.sib);
  const at = bytes.length;
  appendBytes(bytes, memory.displacement, memory.displacementBytes);
  return at;
}

/** RIP-relative: the distance from the end of the instruction, immediates included. */
function patchRelative(bytes: number[], at: number, target: bigint, request: EncodeRequest): void {
  const distance: number[] = [];
  appendBytes(distance, target - (request.address + BigInt(bytes.length)), 4);
  for (const [index, byte] of distance.entries()) bytes[at + index] = byte;
}

function appendTarget(
  bytes: number[],
  target: NonNullable<Draft['target']>,
  request: EncodeRequest,
): number[] | EncodeFailure {
  const distance = target.value - (request.address + BigInt(bytes.length + target.bytes));
  const width = 8 * target.bytes;
  // In 16-bit code IP wraps, so a distance of 16 bits reaches everything; likewise 32 bits outside 64-bit mode.
  const wraps = target.bytes === 2 || (target.bytes === 4 && request.codeSize !== 64);
  const reached = wraps
    ? within(distance, {low: -(1n << BigInt(width)), high: 1n << BigInt(width)})
    : within(distance, signedRange(width));
  if (target.checked && !reached) {
    return {reason: 'branch-too-far', operand: target.operand, distance, reach: signedRange(width).high};
  }
  appendBytes(bytes, distance, target.bytes);
  return bytes;
}
