// How a fault is made: the conditions that the processor looked at, in order, and the one that did not hold.
// These become the sentences on the screen, so a rule is written as the manual would say it: 'CPL = 0'.

import {exceptionVector} from '@hyperscope/isa';
import type {ExceptionName} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {Check, Checks} from '../observer.js';
import type {Fault, Trouble} from './trouble.js';

export type NamedValue = readonly [name: string, value: string];

/** One condition, with the values that went into it. */
export function check(rule: string, holds: boolean, values: readonly NamedValue[], source: string): Check {
  return {rule, holds, values, source};
}

/** An exception as a value. `address` is the linear address of a #PF. */
export function fault(name: ExceptionName, errorCode: number | undefined, checks: Checks, address?: bigint): Fault {
  return {kind: 'fault', vector: exceptionVector(name), errorCode, address, checks};
}

/** A fault with a single condition behind it. */
export function faultBecause(
  name: ExceptionName,
  errorCode: number | undefined,
  rule: string,
  values: readonly NamedValue[],
  source: string,
): Fault {
  return fault(name, errorCode, [check(rule, false, values, source)]);
}

/** The checks of one procedure, gathered in the order in which the processor makes them. */
export class Checklist {
  readonly checks: Check[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  /** Notes a condition, and answers whether it holds. */
  require(rule: string, holds: boolean, ...values: readonly NamedValue[]): boolean {
    this.checks.push(check(rule, holds, values, this.#source));
    return holds;
  }

  /** The fault that the last condition led to. */
  fault(name: ExceptionName, errorCode?: number): Fault {
    return fault(name, errorCode, this.checks);
  }
}

/** A value for a check: `['RFLAGS', '0x2']`. */
export const shown = (name: string, value: bigint | number): NamedValue => [name, hex(value)];
export const counted = (name: string, value: bigint | number): NamedValue => [name, value.toString()];

/** Whether a result of the memory system or of a descriptor read is trouble. */
export function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && 'kind' in value && TROUBLE_KINDS.has(value.kind);
}
const TROUBLE_KINDS: ReadonlySet<unknown> = new Set(['fault', 'vm-exit', 'unsupported']);

/** What the simulator does not do; the run stops and says so. */
export function unsupported(what: string, bytes: Uint8Array = new Uint8Array()): Trouble {
  return {kind: 'unsupported', what, bytes};
}
