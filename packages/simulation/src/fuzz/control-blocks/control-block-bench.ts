// What the fuzzer of control blocks asks of a machine with one: fields to change, guests to start from, and what becomes of an
// entry. There is one for VMCSs and one for VMCBs.

import type {RuleGroup} from './block-facts.js';

export interface FieldWidth<Field extends string> {
  readonly name: Field;
  readonly bits: number;
}

export interface Change<Field extends string> {
  readonly field: Field;
  readonly value: bigint;
}

export interface Attempt {
  /** What the rule table says must happen, and the rules that it finds broken. */
  readonly expected: RuleGroup | 'entered';
  readonly broken: readonly string[];
  /** What happened. 'msr-loading': the guest's state was fine, its MSR list was not. */
  readonly seen: RuleGroup | 'entered' | 'msr-loading' | 'something else';
  /** Everything that the failing checks name: their rules, and the values that went into them. */
  readonly named: readonly string[];
}

export interface ControlBlockBench<Field extends string> {
  readonly title: string;
  readonly fields: readonly FieldWidth<Field>[];
  /** Names of the guests to start from. */
  readonly guests: readonly [string, ...string[]];
  /** The value that a field has before it is changed. */
  before(guest: string, field: Field): bigint;
  /** Enters a guest whose control block has these changes, and lets it run for some steps. */
  attempt(guest: string, changes: readonly Change<Field>[]): Attempt;
}
