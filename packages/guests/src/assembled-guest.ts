// A guest turned into bytes by our own assembler, with the map back to its source.

import {assert} from '@hyperscope/base';
import {assemble} from '@hyperscope/assembler';
import type {Assembly} from '@hyperscope/assembler';
import type {Guest} from './guest.js';

export type AssembledGuest = Extract<Assembly, {ok: true}>;

/** Assembles a shipped guest. That it assembles is our own business: an AssertionError says where it does not. */
export function assembleGuest(guest: Guest): AssembledGuest {
  const assembly = assemble(guest.source, {fileName: `${guest.id}.asm`});
  assert(assembly.ok, `the shipped guest ${guest.id} must assemble`);
  assert(Number(assembly.origin) === guest.loadAddress, `${guest.id}: org and load address differ`);
  return assembly;
}

/**
 * Assembles another text in the place of a shipped guest's: a student's change of it. What is wrong with the text is in the
 * result; that an `org` names another address than the one where the loader puts the program is an error of the text, too.
 */
export function assembleInPlace(guest: Guest, source: string): Assembly {
  const assembly = assemble(source, {fileName: `${guest.id}.asm`, org: BigInt(guest.loadAddress)});
  if (!assembly.ok || Number(assembly.origin) === guest.loadAddress) return assembly;
  const line = 1 + source.split('\n').findIndex(text => /^\s*\[?\s*org\b/i.test(text));
  return {
    ok: false,
    diagnostics: [
      {
        line: Math.max(1, line),
        column: 1,
        length: 1,
        severity: 'error',
        message: `The loader puts this guest at 0x${guest.loadAddress.toString(16)}, and the text is written for 0x${assembly.origin.toString(16)}.`,
        advice: `Write org 0x${guest.loadAddress.toString(16)}.`,
        within: undefined,
      },
    ],
  };
}
