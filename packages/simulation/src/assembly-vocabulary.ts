// The words that an editor of assembly colours and completes: mnemonics with what they mean, and registers.

import {mnemonicSpellings, registerNames} from '@hyperscope/isa';

/** The mnemonics and registers that the assembler knows, in lower case. */
export function assemblyVocabulary(): {
  readonly mnemonics: ReturnType<typeof mnemonicSpellings>;
  readonly registers: readonly string[];
} {
  return {mnemonics: mnemonicSpellings(), registers: registerNames()};
}
