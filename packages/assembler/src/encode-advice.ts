// The encoder's reasons in words: what is wrong with this operand, and what to write instead.

import {assertUnreachable, hex} from '@hyperscope/base';
import {nearestMnemonics, type EncodeFailure, type EncodeWarning} from '@hyperscope/isa';
import {SourceError} from './diagnostics.js';
import type {Place} from './expression.js';
import type {Token} from './lexer.js';

/** A word at the start of a line that is neither a label with a colon nor an instruction. */
export function unknownWord(token: Token, follows: Token | undefined): SourceError {
  const place = {column: token.column, length: token.length};
  if (token.kind !== 'name')
    return new SourceError(
      place,
      `A statement cannot start with '${token.text}'.`,
      'Start the line with a label, an instruction or a directive.',
    );
  const nearest = nearestMnemonics(token.text);
  const label = follows === undefined ? ` If it is a label, write '${token.text}:'.` : '';
  const advice =
    nearest.length > 0
      ? `Did you mean ${orList(nearest)}?${label}`
      : `Check the spelling; instructions outside the simulated set cannot be assembled.${label}`;
  return new SourceError(place, `'${token.text}' is not an instruction.`, advice);
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

const SIZE_NAMES: ReadonlyMap<number, string> = new Map([
  [8, 'byte'],
  [16, 'word'],
  [32, 'dword'],
  [64, 'qword'],
  [128, 'oword'],
]);
const sizeName = (bits: number): string => SIZE_NAMES.get(bits) ?? `${bits} bits`;

/** What the statement looked like, for pointing at the operand that is wrong. */
export interface Written {
  readonly place: Place;
  readonly operands: readonly {readonly place: Place}[];
}

/** A failure of the encoder as an error with its place and advice. */
export function encodeError(failure: EncodeFailure, written: Written): SourceError {
  const place = 'operand' in failure ? (written.operands[failure.operand]?.place ?? written.place) : written.place;
  const [message, advice] = wordsFor(failure);
  return new SourceError(place, message, advice);
}

function wordsFor(failure: EncodeFailure): readonly [string, string] {
  switch (failure.reason) {
    case 'unknown-mnemonic':
      return [`'${failure.mnemonic}' is not an instruction.`, `Did you mean ${orList(failure.nearest)}?`];
    case 'no-such-form':
      return noSuchForm(failure);
    case 'size-not-specified':
      return [
        'The size of this operand is not specified.',
        `Write ${orList(failure.sizes.map(sizeName))} before the bracket.`,
      ];
    case 'size-mismatch':
      return sizeMismatch(failure);
    case 'out-of-range':
      return [
        `${decimalAndHex(failure.value)} does not fit: this operand holds ${failure.low} to ${failure.high}.`,
        'Use a smaller number, or an operand of a larger size.',
      ];
    case 'branch-too-far':
      return [
        `The target is ${failure.distance} bytes away, and this jump reaches ${failure.reach}.`,
        'Leave out `short`, or jump in two steps: this instruction has no longer form to a far target.',
      ];
    case 'not-in-mode':
      return [
        `This instruction does not exist in ${failure.codeSize}-bit code.`,
        failure.modes.length === 0
          ? 'Use another instruction.'
          : `It exists in ${orList(failure.modes.map(String))}-bit code: use it there, or choose another operand size.`,
      ];
    case 'invalid-address':
      return [
        `This cannot be an address: ${failure.why}.`,
        'Compute the address with LEA or ADD first, or use other registers.',
      ];
    case 'needs-64-bit-mode':
      return [
        'This register exists only in 64-bit code.',
        'Write bits 64 before it, if the processor is in 64-bit mode there; else use another register.',
      ];
    case 'high-byte-with-rex':
      return [
        'AH, BH, CH and DH cannot be used together with a register or an operand size that needs a REX prefix.',
        'Move the value through AL, BL, CL or DL.',
      ];
    case 'invalid-prefix':
      return [
        `The prefix ${failure.prefix} does not fit: ${failure.why}.`,
        'Leave it out: sizes follow from the operands.',
      ];
    default:
      return assertUnreachable(failure);
  }
}

function noSuchForm(failure: Extract<EncodeFailure, {readonly reason: 'no-such-form'}>): readonly [string, string] {
  const shown = failure.accepted.slice(0, 6).join('; ');
  const more = failure.accepted.length > 6 ? '; and more' : '';
  return [`${failure.mnemonic.toUpperCase()} does not take these operands.`, `It is written: ${shown}${more}.`];
}

function sizeMismatch(failure: Extract<EncodeFailure, {readonly reason: 'size-mismatch'}>): readonly [string, string] {
  const written = sizeName(failure.written);
  if (failure.needed === 0) return [`This operand takes no size, but ${written} is written.`, `Leave out ${written}.`];
  return [
    `The operand is written as ${written}, but must be ${sizeName(failure.needed)}.`,
    `Write ${sizeName(failure.needed)}, or leave the size out.`,
  ];
}

function decimalAndHex(value: bigint): string {
  return value < 0n || value < 10n ? String(value) : `${value} (${hex(value)})`;
}

/** A warning of the encoder in words. */
export function encodeWarning(warning: EncodeWarning): readonly [string, string] {
  return [
    `LOCK is not allowed on this ${warning.mnemonic.toUpperCase()}: the processor raises #UD.`,
    'LOCK needs a memory destination of ADD, ADC, AND, BTC, BTR, BTS, CMPXCHG, DEC, INC, NEG, NOT, OR, SBB, SUB, XADD, ' +
      'XCHG or XOR.',
  ];
}
