// Collects the checks of a VM entry. The processor may stop at the first that fails; this keeps them all, because a
// person who has to repair a VMCS wants the whole list.

import {hex} from '@hyperscope/base';
import type {Check} from '../observer.js';
import {usualCause} from './usual-causes.js';

export type CheckedValue = readonly [name: string, value: bigint | number | string];

/** 'failures' keeps only what does not hold: every VM entry runs the checks, so those that pass must cost little. */
export type CheckDetail = 'failures' | 'all';

export class CheckList {
  readonly checks: Check[] = [];
  readonly #source: string;
  readonly #detail: CheckDetail;

  /** `source`: manual and section title of everything that is checked with this list. */
  constructor(source: string, detail: CheckDetail) {
    this.#source = source;
    this.#detail = detail;
  }

  /** `rule` must hold; `values` are what went into it. */
  must(holds: boolean, rule: string, ...values: readonly CheckedValue[]): void {
    if (holds && this.#detail === 'failures') return;
    this.checks.push({
      rule,
      holds,
      values: values.map(([name, value]) => [name, shown(value)] as const),
      source: this.#source,
      cause: holds ? undefined : usualCause(rule),
    });
  }
}

const shown = (value: bigint | number | string): string => (typeof value === 'string' ? value : hex(value));
