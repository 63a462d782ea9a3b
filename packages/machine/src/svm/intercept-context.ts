// What a rule about an intercepted instruction looks at, and what it answers.

import {hex} from '@hyperscope/base';
import type {Instruction, SvmInterceptName} from '@hyperscope/isa';
import {svmInterceptBit, svmInterceptExit} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {Check, Checks} from '../observer.js';
import type {SvmControls} from './controls.js';

export interface SvmIntercepted {
  readonly core: Core;
  readonly controls: SvmControls;
  readonly instruction: Instruction;
  /** In the order in which the instruction's definition passes them. */
  readonly args: readonly bigint[];
}

export interface SvmDecision {
  readonly code: number;
  readonly checks: Checks;
  readonly info1?: bigint;
  readonly info2?: bigint;
}

/** Undefined: the instruction stays in the guest. */
export type SvmRule = (intercepted: SvmIntercepted) => SvmDecision | undefined;

export const INTERCEPT_SOURCE = 'APM vol. 2, "Intercept Operation"';

/** `the POPF intercept = 1`, with the word and the bit's number. */
export function interceptCheck(controls: SvmControls, name: SvmInterceptName): Check {
  const {word, bit} = svmInterceptBit(name);
  return check(
    `the ${name} intercept = 1`,
    controls.intercepts(name),
    [
      [`intercept word ${word}`, hex(controls.wordOf(name))],
      ['bit', String(bit)],
    ],
    INTERCEPT_SOURCE,
  );
}

/** The plain rule: one bit decides. */
export const onBit =
  (name: SvmInterceptName): SvmRule =>
  ({controls}) => {
    const asked = interceptCheck(controls, name);
    return asked.holds ? {code: svmInterceptExit(name), checks: [asked]} : undefined;
  };
