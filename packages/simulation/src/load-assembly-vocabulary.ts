// The words of the assembler, fetched by a page when its editor opens.

import type {assemblyVocabulary} from './assembly-vocabulary.js';

/** The mnemonics and registers that the assembler knows, in lower case. */
export async function loadAssemblyVocabulary(): Promise<ReturnType<typeof assemblyVocabulary>> {
  const words = await import('./assembly-vocabulary.js');
  return words.assemblyVocabulary();
}
