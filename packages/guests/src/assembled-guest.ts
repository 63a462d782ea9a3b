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
