// The theorems, applied to a classification. Popek and Goldberg, CACM 17(7), 1974, sections 6 and 8.
// Both say that a monitor may be constructed *if*: they are sufficient conditions. A machine that breaks them is not thereby
// impossible to virtualize; it is impossible to virtualize in this simple way, as VMware's binary translation proved.

import {isSensitive} from './classification.js';
import type {InstructionClass} from './classification.js';

export interface TheoremVerdict {
  readonly theorem: 1 | 3;
  readonly condition: string;
  readonly kind: 'holds' | 'fails';
  /** The instructions that break the condition. */
  readonly breakers: readonly string[];
  /** Sensitive and unprivileged by the letter, but they trap by design: whoever owns the entry gets control. */
  readonly systemCalls: readonly string[];
  readonly sentence: string;
}

const CONDITIONS = {
  1: 'every sensitive instruction is privileged',
  3: 'every user-sensitive instruction is privileged',
} as const;

const MEANINGS = {
  1: {
    holds: 'A monitor may be constructed that lets the guest run directly and emulates what traps.',
    fails:
      'The theorem promises nothing then. It states a sufficient condition: it does not say that no monitor can be built, only that trap-and-emulate alone is not enough.',
  },
  3: {
    holds: 'A hybrid monitor may be constructed: it interprets all kernel code, and user programs run directly.',
    fails:
      'Even a hybrid monitor, which interprets all kernel code, would have to do something about these in user programs; in practice few programs depend on what they show.',
  },
} as const;

/** Whether the premise of Theorem 1 (virtual machines) or Theorem 3 (hybrid virtual machines) holds. */
export function theorem(number: 1 | 3, classes: readonly InstructionClass[]): TheoremVerdict {
  const isConcerned = (each: InstructionClass): boolean =>
    number === 1 ? isSensitive(each.recorded) : each.recorded.userSensitive;
  const concerned = classes.filter(each => each.verdict !== 'always traps' && isConcerned(each));
  const breakers = concerned.filter(each => each.verdict === 'stealth').map(({name}) => name);
  const kind = breakers.length === 0 ? 'holds' : 'fails';
  return {
    theorem: number,
    condition: CONDITIONS[number],
    kind,
    breakers,
    systemCalls: concerned.filter(each => each.verdict === 'system call').map(({name}) => name),
    sentence: MEANINGS[number][kind],
  };
}
