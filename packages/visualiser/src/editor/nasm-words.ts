// The words of NASM that are neither instructions nor registers, as our assembler reads them: "NASM manual", "Pseudo-Instructions",
// "Assembler Directives", "Instruction Prefixes".

import type {AssemblyVocabulary} from '../lab-client.js';

export const DATA_WORDS: ReadonlySet<string> = new Set(
  'db dw dd dq resb resw resd resq rest reso resy resz equ'.split(' '),
);

export const DIRECTIVES: ReadonlySet<string> = new Set(
  'bits use16 use32 use64 org default section segment align alignb global cpu static times'.split(' '),
);

export const PREFIXES: ReadonlySet<string> = new Set(
  'lock rep repe repz repne repnz o16 o32 o64 a16 a32 a64'.split(' '),
);

/** What stands before an operand: its size, or how far a jump goes. */
export const OPERAND_WORDS: ReadonlySet<string> = new Set(
  'byte word dword qword tword oword yword zword short near far strict rel abs'.split(' '),
);

/** What an editor knows: the assembler's own vocabulary, as sets. */
export interface KnownWords {
  /** Mnemonic → what the manual calls it. */
  readonly mnemonics: ReadonlyMap<string, string>;
  readonly registers: ReadonlySet<string>;
}

export function knownWords(vocabulary: AssemblyVocabulary): KnownWords {
  return {
    mnemonics: new Map(vocabulary.mnemonics.map(({mnemonic, words}) => [mnemonic, words])),
    registers: new Set(vocabulary.registers),
  };
}
