// Assemble: the fifth reading of the opcode table. Words in, bytes out.
// All lines of the table that take the operands are encoded; the shortest wins, as nasm -Ox chooses. Between equals:
// the sign-extended byte first, then the order of the table (so `mov ebx, ecx` is 89, not 8B).

import type {OpcodeForm} from '../opcodes/form.js';
import {emptyDraft, type Draft} from './assemble-draft.js';
import {emit} from './assemble-emit.js';
import {modesOf, type Line} from './assemble-lines.js';
import {immediateConflict, matchOperand, noForm} from './assemble-match.js';
import {WAITING, meaningOf, nearestMnemonics} from './assemble-mnemonics.js';
import type {EncodeFailure, EncodeRequest, EncodeResult, EncodeWarning} from './assemble-request.js';
import {within} from './assemble-ranges.js';

interface Candidate {
  readonly line: Line;
  readonly draft: Draft;
  readonly bytes: readonly number[];
}

/**
 * Encodes one instruction as nasm -Ox would.
 * Never throws for what a person wrote: the reason for a failure is in the result.
 */
export function encodeInstruction(request: EncodeRequest): EncodeResult {
  if (!WAITING.has(request.mnemonic.toUpperCase())) return encodeOne(request);
  const result = encodeOne({...request, address: request.address + 1n});
  return result.ok ? {...result, bytes: Uint8Array.of(WAIT_OPCODE, ...result.bytes)} : result;
}

const WAIT_OPCODE = 0x9b;

function encodeOne(request: EncodeRequest): EncodeResult {
  const meaning = meaningOf(request.mnemonic, request.codeSize, request.prefixes.operandSize);
  if (meaning === undefined) {
    const nearest = nearestMnemonics(request.mnemonic);
    return fail({reason: 'unknown-mnemonic', mnemonic: request.mnemonic, nearest});
  }
  if (!meaning.modes.includes(request.codeSize)) {
    return fail({reason: 'not-in-mode', codeSize: request.codeSize, modes: meaning.modes});
  }
  const wanted = rewritten(request);
  const invalid = invalidPrefix(wanted);
  if (invalid !== undefined) return fail(invalid);
  const outcome = tryLines(meaning.lines, wanted, meaning.operandSize);
  return outcome.ok ? outcome : fail(withSyntaxes(outcome.failure, meaning.lines));
}

function fail(failure: EncodeFailure): EncodeResult {
  return {ok: false, failure};
}

function invalidPrefix(request: EncodeRequest): EncodeFailure | undefined {
  const {operandSize, addressSize} = request.prefixes;
  if (operandSize === 64 && request.codeSize !== 64)
    return {reason: 'invalid-prefix', prefix: 'o64', why: '64-bit operands exist only in 64-bit mode'};
  if (addressSize === 64 && request.codeSize !== 64)
    return {reason: 'invalid-prefix', prefix: 'a64', why: '64-bit addresses exist only in 64-bit mode'};
  const inBrackets = request.operands.find(operand => operand.kind === 'memory' && operand.segment !== undefined);
  if (inBrackets !== undefined && request.prefixes.segment !== undefined) {
    return {
      reason: 'invalid-prefix',
      prefix: request.prefixes.segment.toLowerCase(),
      why: 'the address already has a segment',
    };
  }
  if (addressSize === 16 && request.codeSize === 64)
    return {reason: 'invalid-prefix', prefix: 'a16', why: '64-bit mode has no 16-bit addresses'};
  return undefined;
}

/** Spellings of the operands that the manual's table does not have and nasm does. */
function rewritten(request: EncodeRequest): EncodeRequest {
  const {operands} = request;
  const [first, second] = operands;
  switch (request.mnemonic.toUpperCase()) {
    // XCHG and TEST are symmetric. nasm puts XCHG's first register into the reg field, unless 90+r serves.
    case 'XCHG': {
      const short = second?.kind === 'register' && second.register === 'RAX' && second.width !== 8;
      if (first?.kind !== 'register' || second === undefined || short) return request;
      return {...request, operands: [second, first]};
    }
    case 'TEST':
      if (first?.kind === 'register' && second?.kind === 'memory') return {...request, operands: [second, first]};
      return request;
    case 'IMUL':
      if (first !== undefined && second?.kind === 'immediate' && operands.length === 2) {
        return {...request, operands: [first, first, second]};
      }
      return request;
    case 'MOV':
      return first?.kind === 'segment' ? selectorMove(request) : narrowMove(request);
    case 'LAR':
    case 'LSL':
      return selectorSource(request);
    case 'LOOP':
    case 'LOOPE':
    case 'LOOPNE':
    case 'LOOPZ':
    case 'LOOPNZ':
      return loopCounter(request);
    default:
      return request;
  }
}

/** Writing a 32-bit register clears the upper half: nasm turns MOV r64, imm32 into MOV r32, imm32. */
function narrowMove(request: EncodeRequest): EncodeRequest {
  const [first, second] = request.operands;
  if (first?.kind !== 'register' || first.width !== 64 || second?.kind !== 'immediate') return request;
  const shortens =
    !second.strict &&
    (second.size === undefined || second.size === 64) &&
    (second.certainty === 'constant' || second.certainty === 'forward');
  const fits = second.certainty === 'forward' || within(second.value, {low: 0n, high: 0xffff_ffffn});
  if (request.codeSize !== 64 || !shortens || !fits || second.distance !== undefined) return request;
  return {
    ...request,
    operands: [
      {...first, width: 32},
      {...second, size: undefined},
    ],
  };
}

/** MOV to a segment register takes 16 bits of whatever register is named. */
function selectorMove(request: EncodeRequest): EncodeRequest {
  const [first, second] = request.operands;
  if (first === undefined || second?.kind !== 'register' || second.width === 8) return request;
  if (second.width === 64 && request.codeSize !== 64) return request;
  return {...request, operands: [first, {...second, width: 16}]};
}

/** LAR and LSL read 16 bits of whatever register is named. */
function selectorSource(request: EncodeRequest): EncodeRequest {
  const [first, second] = request.operands;
  if (first?.kind !== 'register' || second?.kind !== 'register' || second.width === 8 || first.width === 8)
    return request;
  if (second.width === 64 && request.codeSize !== 64) return request;
  return {...request, operands: [first, {...second, width: first.width}]};
}

/** `loop x, ecx` names the counter, whose size is the address size. */
function loopCounter(request: EncodeRequest): EncodeRequest {
  const [target, counter] = request.operands;
  if (target === undefined || counter?.kind !== 'register' || counter.register !== 'RCX' || counter.width === 8)
    return request;
  return {...request, operands: [target], prefixes: {...request.prefixes, addressSize: counter.width}};
}

/** Which failure says most about what was wrong. */
const TELLING: readonly EncodeFailure['reason'][] = [
  'unknown-mnemonic',
  'no-such-form',
  'size-mismatch',
  'not-in-mode',
  'needs-64-bit-mode',
  'high-byte-with-rex',
  'invalid-prefix',
  'invalid-address',
  'out-of-range',
  'branch-too-far',
  'size-not-specified',
];

/** Between two reasons of a kind, the line that got further with the operands is the one that was meant. */
function saysMore(failure: EncodeFailure, other: EncodeFailure): boolean {
  const difference = TELLING.indexOf(failure.reason) - TELLING.indexOf(other.reason);
  if (difference !== 0) return difference > 0;
  return 'operand' in failure && 'operand' in other && failure.operand > other.operand;
}

function tryLines(lines: readonly Line[], request: EncodeRequest, operandSize: 16 | 32 | 64 | undefined): EncodeResult {
  const candidates: Candidate[] = [];
  const unsized: Unsized[] = [];
  let failure: EncodeFailure | undefined;
  for (const line of lines) {
    const outcome = tryLine(line, request, operandSize, unsized);
    if ('bytes' in outcome) candidates.push(outcome);
    else if (failure === undefined || saysMore(outcome, failure)) failure = outcome;
  }
  const ambiguity = ambiguous(unsized);
  if (ambiguity !== undefined) return fail(ambiguity);
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  if (best === undefined) return fail(failure ?? {reason: 'no-such-form', mnemonic: request.mnemonic, accepted: []});
  return {
    ok: true,
    bytes: Uint8Array.from(best.bytes),
    form: best.line.form,
    warnings: warningsOf(best, request),
    depends: best.draft.target !== undefined || best.draft.memory?.relative === true ? 'here' : 'nothing',
  };
}

function isBetter(candidate: Candidate, best: Candidate): boolean {
  if (candidate.draft.longOffset !== best.draft.longOffset) return candidate.draft.longOffset;
  if (candidate.bytes.length !== best.bytes.length) return candidate.bytes.length < best.bytes.length;
  if (candidate.draft.shortened !== best.draft.shortened) return candidate.draft.shortened;
  return candidate.line.order < best.line.order;
}

/** An operand in memory without a size, and the size that a line which would take it gives it. */
type Unsized = NonNullable<Draft['unsized']>;

/** Encodes by one line. A number that is too large for it still counts when sizes are compared: `add [x], 1000`. */
function tryLine(
  line: Line,
  request: EncodeRequest,
  operandSize: 16 | 32 | 64 | undefined,
  unsized: Unsized[],
): Candidate | EncodeFailure {
  const draft = emptyDraft();
  const problem = matchOperands(line, request, draft);
  if (problem !== undefined && problem.reason !== 'out-of-range') return problem;
  const modes = modesOf(line);
  if (!modes.includes(request.codeSize)) return {reason: 'not-in-mode', codeSize: request.codeSize, modes};
  const conflict = sizeConflict(line, request, draft, operandSize);
  if (conflict !== undefined) return conflict;
  if (draft.unsized !== undefined) unsized.push(draft.unsized);
  if (problem !== undefined) return problem;
  const bytes = emit(line, draft, request, operandSize);
  return Array.isArray(bytes) ? {line, draft, bytes} : bytes;
}

/** Matches every operand; of several problems, an operand of the wrong kind says more than a number that is too large. */
function matchOperands(line: Line, request: EncodeRequest, draft: Draft): EncodeFailure | undefined {
  const {operandTypes} = line.form;
  if (operandTypes.length !== request.operands.length) return noForm({line});
  let problem: EncodeFailure | undefined;
  for (const [operand, written] of request.operands.entries()) {
    const type = operandTypes[operand];
    const matched = type === undefined ? noForm({line}) : matchOperand({line, request, draft, operand}, type, written);
    if (matched === 'yes') continue;
    if (problem === undefined || TELLING.indexOf(matched.reason) < TELLING.indexOf(problem.reason)) problem = matched;
  }
  return problem;
}

/** Lines that the operands allow and the sizes rule out. */
function sizeConflict(
  line: Line,
  request: EncodeRequest,
  draft: Draft,
  operandSize: 16 | 32 | 64 | undefined,
): EncodeFailure | undefined {
  const contradiction = immediateConflict(line, request, draft);
  if (contradiction !== undefined) return contradiction;
  const {prefixes, codeSize} = request;
  if (
    prefixes.addressSize !== undefined &&
    (draft.addressSize ?? line.addressSize ?? prefixes.addressSize) !== prefixes.addressSize
  ) {
    return {
      reason: 'invalid-prefix',
      prefix: `a${prefixes.addressSize}`,
      why: 'the operands have another address size',
    };
  }
  // 90 is NOP, which would not clear the upper half of RAX.
  if (
    line.form.pattern.opcode[0] === 0x90 &&
    line.operandSize === 32 &&
    codeSize === 64 &&
    draft.low === 0 &&
    (draft.rex & 1) === 0 &&
    request.operands.length === 2
  )
    return noForm({line});
  if (line.operandSize === undefined) return undefined;
  if (operandSize !== undefined && operandSize !== line.operandSize) {
    return {reason: 'invalid-prefix', prefix: `o${operandSize}`, why: 'the operands have another size'};
  }
  const settled = draft.pinned || operandSize !== undefined || selectsBySize(line);
  const defaults = line.form.mnemonic === 'JMP' || line.form.mnemonic === 'CALL' || draft.unsized === undefined;
  if (settled || !defaults) return undefined;
  return line.operandSize === codeSize ? undefined : noForm({line});
}

function selectsBySize(line: Line): boolean {
  const {attributes} = line.form;
  return attributes.has('os16') || attributes.has('os32') || attributes.has('os64');
}

/** `inc [x]`: the same words fit operands of several sizes. */
function ambiguous(unsized: readonly Unsized[]): EncodeFailure | undefined {
  const sizes = new Set(unsized.map(({size}) => size));
  if (sizes.size < 2) return undefined;
  return {reason: 'size-not-specified', operand: unsized[0]?.operand ?? 0, sizes: [...sizes].sort((a, b) => a - b)};
}

function warningsOf(chosen: Candidate, request: EncodeRequest): readonly EncodeWarning[] {
  const lockable = chosen.line.form.attributes.has('lockable') && chosen.draft.memory !== undefined;
  return request.prefixes.lock && !lockable ? [{warning: 'lock-without-effect', mnemonic: request.mnemonic}] : [];
}

function withSyntaxes(failure: EncodeFailure, lines: readonly Line[]): EncodeFailure {
  if (failure.reason !== 'no-such-form') return failure;
  const syntaxes = new Set(lines.map(({form, mnemonic}) => syntaxOf(form, mnemonic)));
  return {...failure, accepted: [...syntaxes]};
}

function syntaxOf(form: OpcodeForm, mnemonic: string): string {
  return [mnemonic, form.operandTypes.join(', ')].filter(text => text !== '').join(' ');
}
