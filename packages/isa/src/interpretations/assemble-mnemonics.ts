// How people spell mnemonics: nasm's synonyms, its sized spellings, and the nearest right spelling of a wrong one.

import type {CodeSize} from '../instruction.js';
import {LINES, type Line} from './assemble-lines.js';

/** x87 spellings that are two instructions: WAIT, and the one that does not wait. */
export const WAITING: ReadonlyMap<string, string> = new Map([
  ['FINIT', 'FNINIT'],
  ['FCLEX', 'FNCLEX'],
  ['FSTCW', 'FNSTCW'],
  ['FSTSW', 'FNSTSW'],
  ['FSTENV', 'FNSTENV'],
  ['FSAVE', 'FNSAVE'],
]);

const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['SAL', 'SHL'],
  ['XLAT', 'XLATB'],
  ['RETN', 'RET'],
  ['LOOPZ', 'LOOPE'],
  ['LOOPNZ', 'LOOPNE'],
  ['FWAIT', 'WAIT'],
  ...WAITING,
  ['ICEBP', 'INT1'],
  ['INT01', 'INT1'],
  ['INT03', 'INT3'],
  ['IRETW', 'IRET'],
  ['PUSHFW', 'PUSHF'],
  ['POPFW', 'POPF'],
  ['PUSHAW', 'PUSHA'],
  ['POPAW', 'POPA'],
]);

/** Without a suffix: the spelling of the code size. In 64-bit mode plain IRET is IRETD, as its bytes (CF) say. */
const UNSUFFIXED: ReadonlyMap<string, Readonly<Record<16 | 32 | 64, string>>> = new Map([
  ['IRET', {16: 'IRET', 32: 'IRETD', 64: 'IRETQ'}],
  ['PUSHF', {16: 'PUSHF', 32: 'PUSHFD', 64: 'PUSHFQ'}],
  ['POPF', {16: 'POPF', 32: 'POPFD', 64: 'POPFQ'}],
  ['PUSHA', {16: 'PUSHA', 32: 'PUSHAD', 64: 'PUSHAD'}],
  ['POPA', {16: 'POPA', 32: 'POPAD', 64: 'POPAD'}],
]);

/** Spellings that only add an operand-size prefix. */
const SIZED_SPELLINGS: ReadonlyMap<string, {readonly mnemonic: string; readonly size: 16 | 32 | 64}> = new Map([
  ['RETW', {mnemonic: 'RET', size: 16}],
  ['RETD', {mnemonic: 'RET', size: 32}],
  ['RETQ', {mnemonic: 'RET', size: 64}],
  ['RETNW', {mnemonic: 'RET', size: 16}],
  ['RETND', {mnemonic: 'RET', size: 32}],
  ['RETNQ', {mnemonic: 'RET', size: 64}],
  ['RETFW', {mnemonic: 'RETF', size: 16}],
  ['RETFD', {mnemonic: 'RETF', size: 32}],
  ['RETFQ', {mnemonic: 'RETF', size: 64}],
]);

export interface Meaning {
  readonly lines: readonly Line[];
  /** The operand size that the spelling or the prefix asks for and that no line settles. */
  readonly operandSize: 16 | 32 | 64 | undefined;
  /** Code sizes that the spelling itself rules out: RETD in 64-bit mode. */
  readonly modes: readonly CodeSize[];
}

const ANYWHERE: readonly CodeSize[] = [16, 32, 64];

/** What a mnemonic means in this mode, or undefined when the table has no such instruction. */
export function meaningOf(spelling: string, codeSize: CodeSize, prefix: 16 | 32 | 64 | undefined): Meaning | undefined {
  const name = spelling.toUpperCase();
  const family = UNSUFFIXED.get(name);
  if (family !== undefined) {
    const size = prefix ?? (name === 'IRET' && codeSize === 64 ? 32 : codeSize);
    return {lines: LINES.get(family[size]) ?? [], operandSize: undefined, modes: ANYWHERE};
  }
  const sized = SIZED_SPELLINGS.get(name);
  if (sized !== undefined) return sizedMeaning(sized.mnemonic, sized.size);
  const lines = LINES.get(SYNONYMS.get(name) ?? name);
  if (lines === undefined) return undefined;
  // nasm writes MOVSXD as MOVSX too.
  const all = name === 'MOVSX' ? [...lines, ...(LINES.get('MOVSXD') ?? [])] : lines;
  return {lines: all, operandSize: prefix, modes: ANYWHERE};
}

function sizedMeaning(mnemonic: string, size: 16 | 32 | 64): Meaning {
  const lines = LINES.get(mnemonic) ?? [];
  if (size === 64) return {lines, operandSize: mnemonic === 'RETF' ? 64 : undefined, modes: [64]};
  const near32 = mnemonic === 'RET' && size === 32;
  return {lines, operandSize: size, modes: near32 ? [16, 32] : ANYWHERE};
}

/** Whether a word is a mnemonic: what tells a label from an instruction. */
export function isMnemonic(word: string): boolean {
  return meaningOf(word, 64, undefined) !== undefined;
}

/** Every spelling of a mnemonic, in lower case and in order, with what its section of the manual calls it. */
export function mnemonicSpellings(): readonly {readonly mnemonic: string; readonly words: string}[] {
  return [...knownSpellings()]
    .map(name => ({mnemonic: name.toLowerCase(), words: meaningOf(name, 64, undefined)?.lines[0]?.form.title ?? ''}))
    .sort((a, b) => (a.mnemonic < b.mnemonic ? -1 : 1));
}

function knownSpellings(): ReadonlySet<string> {
  return new Set([...LINES.keys(), ...SYNONYMS.keys(), ...SIZED_SPELLINGS.keys()]);
}

/** The nearest known spellings, up to three, at most two edits away (one for words of three letters or fewer). */
export function nearestMnemonics(word: string): readonly string[] {
  const wanted = word.toUpperCase();
  const limit = wanted.length <= 3 ? 1 : 2;
  const near = [...knownSpellings()]
    .map(name => ({name, distance: editDistance(wanted, name)}))
    .filter(({distance}) => distance <= limit);
  const least = Math.min(...near.map(({distance}) => distance));
  return near
    .filter(({distance}) => distance === least)
    .map(({name}) => name.toLowerCase())
    .sort()
    .slice(0, 3);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let previous = Array.from({length: b.length + 1}, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(swapped ? Math.min(cost, (before[column - 2] ?? 0) + 1) : cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
