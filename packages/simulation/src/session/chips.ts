// The chips beside a line of code: computed from the instruction's meaning by `classify`, never typed by hand.

import {classify, recordMicrocode} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import type {CodeLine} from '@hyperscope/trace';

type Chip = CodeLine['chips'][number];

export interface ChipFacts {
  /** What was seen of this instruction leaving the guest, as a phrase; undefined when it never did. */
  readonly exits: string | undefined;
  /** Whether the guest runs under VT-x. */
  readonly vtx: boolean;
}

/** Under VT-x these leave the guest whatever the VMCS says (SDM vol. 3C, "Instructions That Cause VM Exits Unconditionally"). */
const UNCONDITIONAL: ReadonlySet<string> = new Set([
  'CPUID',
  'GETSEC',
  'INVD',
  'XSETBV',
  'VMCALL',
  'VMCLEAR',
  'VMLAUNCH',
  'VMPTRLD',
  'VMPTRST',
  'VMRESUME',
  'VMXOFF',
  'VMXON',
  'INVEPT',
  'INVVPID',
]);

export function chipsOf(instruction: Instruction, facts: ChipFacts): readonly Chip[] {
  const found = classify(recordMicrocode(instruction));
  const chips: Chip[] = [];
  if (found.privileged && found.privilegedWhen === undefined) chips.push({label: 'privileged', why: found.sentence});
  else if (found.privilegedWhen !== undefined && /IOPL/.test(found.privilegedWhen))
    chips.push({label: 'IOPL-sensitive', why: `Traps when ${found.privilegedWhen}. ${found.sentence}`});
  if (found.stealth) chips.push({label: 'stealth', why: found.sentence});
  else if (found.systemCall) chips.push({label: 'system-call', why: found.sentence});
  if (facts.exits !== undefined) chips.push({label: 'exits', why: `Left the guest in this run: ${facts.exits}.`});
  else if (facts.vtx && found.exits.some(exit => UNCONDITIONAL.has(exit)))
    chips.push({label: 'exits', why: 'Always leaves a guest under VT-x: no control of the VMCS can prevent it.'});
  return chips;
}
