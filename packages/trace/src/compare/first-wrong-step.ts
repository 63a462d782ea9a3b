// Two runs of one guest, instruction beside instruction, until the guest finds something else on one of them and no clock,
// CPUID or interrupt is the reason: the instruction before that is the one that went wrong.

import {hex} from '@hyperscope/base';
import type {DifferenceFinder} from './difference-finder.js';
import type {GuestInstruction} from './guest-progress.js';

/** The instructions of two runs. */
export interface SideBySide {
  readonly reference: readonly GuestInstruction[];
  readonly lane: readonly GuestInstruction[];
  /** Whether the lane runs translations of the guest's code, from which a jump may have vanished. */
  readonly isTranslated: boolean;
}

export interface FoundStep {
  /** The steps in which the last instruction began before which both agreed. */
  readonly reference: number;
  readonly lane: number;
  /** The state of the lane in which the next one is about to begin. */
  readonly laneAfter: number;
  readonly differences: readonly {readonly what: string; readonly reference: string; readonly lane: string}[];
}

type Began = Pick<FoundStep, 'lane' | 'reference'>;

/** Ample for every guest that ships, and a few seconds. */
const MOST_INSTRUCTIONS = 200_000;
/** How far it is looked for the instruction that an interrupt overtook. */
const LONGEST_HANDLER = 2000;

/**
 * Undefined where there is none until the runs come apart at an interrupt: it comes when it comes, and what follows a change of
 * programs on two machines cannot be compared instruction by instruction.
 */
export function firstWrongStep(
  {reference, lane, isTranslated}: SideBySide,
  finder: DifferenceFinder,
): FoundStep | undefined {
  let last: Began | undefined;
  for (let i = 0, j = 0; i < Math.min(reference.length, MOST_INSTRUCTIONS) && j < lane.length; i++, j++) {
    if (isTranslated && reference[i]?.rip !== lane[j]?.rip && reference[i + 1]?.rip === lane[j]?.rip) i++;
    const met = behindInterrupts(reference, lane, i, j);
    if (met === undefined) return undefined;
    const hasSkipped = met.i !== i || met.j !== j;
    ({i, j} = met);
    const [left, right] = [reference[i], lane[j]];
    if (left === undefined || right === undefined) return undefined;
    if (left.rip !== right.rip) return last === undefined ? undefined : wentElsewhere(last, left, right);
    const wrong = finder.beforeInstruction(left.step, right.step).filter(each => each.class === 'unexplained');
    if (wrong.length > 0) {
      if (last === undefined || hasSkipped) return undefined;
      const differences = wrong.map(({what, a, b}) => ({what, reference: a, lane: b}));
      return {...last, laneAfter: right.step, differences};
    }
    last = {reference: left.step, lane: right.step};
  }
  return undefined;
}

/** Where only one of the two was interrupted, the place at which it goes on with what was overtaken; undefined: not in sight. */
function behindInterrupts(
  reference: readonly GuestInstruction[],
  lane: readonly GuestInstruction[],
  i: number,
  j: number,
): {readonly i: number; readonly j: number} | undefined {
  const [left, right] = [reference[i], lane[j]];
  if (left?.rip === right?.rip || left?.afterInterrupt === right?.afterInterrupt) return {i, j};
  const [list, at, rip] = left?.afterInterrupt === true ? [reference, i, right?.rip] : [lane, j, left?.rip];
  const found = list.slice(at, at + LONGEST_HANDLER).findIndex(each => each.rip === rip);
  if (found < 0) return undefined;
  return list === reference ? {i: i + found, j} : {i, j: j + found};
}

/** The same state led to different instructions. */
function wentElsewhere(last: Began, left: GuestInstruction, right: GuestInstruction): FoundStep {
  const differences = [{what: 'RIP', reference: hex(left.rip), lane: hex(right.rip)}];
  return {...last, laneAfter: right.step, differences};
}
