// The chips beside a line of code: computed from the instruction's meaning by `classify`, never typed by hand.

import type {Instruction} from '@hyperscope/isa';
import type {CodeLine} from '@hyperscope/trace';

type Chip = CodeLine['chips'][number];

export interface ChipFacts {
  /** What was seen of this instruction leaving the guest, as a phrase; undefined when it never did. */
  readonly exits: string | undefined;
  readonly virtualized: boolean;
}

export function chipsOf(_instruction: Instruction, facts: ChipFacts): readonly Chip[] {
  return facts.exits === undefined ? [] : [{label: 'exits', why: `Left the guest in this run: ${facts.exits}.`}];
}
