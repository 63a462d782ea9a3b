// What a rule about an intercepted instruction looks at, and what it answers: details of the exit, or no exit.

import {hex} from '@hyperscope/base';
import type {ExitReasonName, Instruction, MemoryOperand} from '@hyperscope/isa';
import {primaryControl, secondaryControl} from './control-bits.js';
import type {PrimaryControl, SecondaryControl} from './control-bits.js';
import type {Core} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {Check, Checks} from '../observer.js';
import type {Controls} from './controls.js';
import type {ExitDetails} from './exit-information.js';

export interface Intercepted {
  readonly core: Core;
  readonly controls: Controls;
  readonly instruction: Instruction;
  /** In the order in which the instruction's definition passes them. */
  readonly args: readonly bigint[];
}

export interface InterceptDecision {
  readonly reason: ExitReasonName;
  readonly checks: Checks;
  readonly details?: ExitDetails;
}

/** Undefined: the instruction stays in the guest. */
export type InterceptRule = (intercepted: Intercepted) => InterceptDecision | undefined;

export const CONDITIONAL = 'SDM vol. 3C, "Instructions That Cause VM Exits Conditionally"';
export const UNCONDITIONAL = 'SDM vol. 3C, "Instructions That Cause VM Exits Unconditionally"';

/** `HLT exiting = 1`, with the control word and the bit's number. */
export function primaryCheck(controls: Controls, name: PrimaryControl): Check {
  return check(
    `${name} = 1`,
    controls.primary(name),
    [
      ['primary processor-based controls', hex(controls.primaryWord)],
      ['bit', String(primaryControl(name))],
    ],
    CONDITIONAL,
  );
}
export function secondaryCheck(controls: Controls, name: SecondaryControl): Check {
  return check(
    `${name} = 1`,
    controls.secondary(name),
    [
      ['secondary processor-based controls', hex(controls.secondaryWord)],
      ['bit', String(secondaryControl(name))],
    ],
    CONDITIONAL,
  );
}

export function memoryOperand(instruction: Instruction): MemoryOperand | undefined {
  for (const operand of instruction.operands) if (operand.kind === 'memory') return operand;
  return undefined;
}
