// The steps of a run, column by column: about twenty bytes a step besides its change.

import type {Actor} from '@hyperscope/vmm';
import {ACTOR_ORDER} from './actors.js';
import {STEP_KINDS} from '../record-format.js';
import type {Step, StepKind} from '../record-format.js';
import {AddressColumn, ByteColumn, NumberColumn} from './growable-columns.js';

/** What is known of a step when it is over. */
export interface RecordedStep {
  readonly who: Actor;
  readonly kind: StepKind;
  readonly rip: bigint;
  readonly length: number;
  /** Cycle counter before the step; must not decrease. */
  readonly cycle: number;
}

export class StepColumns {
  /** Bits 2:0 the actor, bits 5:3 the kind. */
  readonly #tags = new ByteColumn();
  readonly #lengths = new ByteColumn();
  readonly #rips = new AddressColumn();
  readonly cycles: NumberColumn = new NumberColumn();

  get length(): number {
    return this.#rips.length;
  }

  push(step: RecordedStep): void {
    this.#tags.push(ACTOR_ORDER.indexOf(step.who) | (STEP_KINDS.indexOf(step.kind) << 3));
    this.#lengths.push(step.length);
    this.#rips.push(step.rip);
    this.cycles.push(step.cycle);
  }

  /** The index of the actor in ACTORS. */
  actorIndex(step: number): number {
    return (this.#tags.bytes[step] ?? 0) & 7;
  }
  who(step: number): Actor {
    return ACTOR_ORDER[this.actorIndex(step)] ?? 'guest-kernel';
  }
  kind(step: number): StepKind {
    return STEP_KINDS[(this.#tags.bytes[step] ?? 0) >> 3] ?? 'instruction';
  }
  rip(step: number): bigint {
    return this.#rips.at(step);
  }
  instructionLength(step: number): number {
    return this.#lengths.bytes[step] ?? 0;
  }

  at(index: number): Step {
    return {
      index,
      who: this.who(index),
      kind: this.kind(index),
      rip: this.rip(index),
      length: this.instructionLength(index),
      cycle: this.cycles.at(index),
    };
  }
}
