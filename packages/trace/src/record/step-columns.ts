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
  /** Which of several virtual machines, 0 to 3; 0 where absent. */
  readonly machine?: number | undefined;
}

export class StepColumns {
  /** Bits 2:0 the actor, bits 5:3 the kind, bits 7:6 the virtual machine. */
  readonly #tags = new ByteColumn();
  readonly #lengths = new ByteColumn();
  readonly #rips = new AddressColumn();
  #lastWho: Actor | undefined;
  #lastKind: StepKind | undefined;
  #lastMachine = 0;
  #lastTag = 0;
  readonly cycles: NumberColumn = new NumberColumn();

  get length(): number {
    return this.#rips.length;
  }

  get memoryBytes(): number {
    return this.#tags.memoryBytes + this.#lengths.memoryBytes + this.#rips.memoryBytes + this.cycles.memoryBytes;
  }

  push(step: RecordedStep): void {
    this.#tags.push(this.#tagOf(step.who, step.kind, step.machine ?? 0));
    this.#lengths.push(step.length);
    this.#rips.push(step.rip);
    this.cycles.push(step.cycle);
  }

  /** Most steps have the tag of the step before. */
  #tagOf(who: Actor, kind: StepKind, machine: number): number {
    if (who !== this.#lastWho || kind !== this.#lastKind || machine !== this.#lastMachine) {
      this.#lastTag = tagOf(who, kind, machine);
      this.#lastMachine = machine;
      this.#lastWho = who;
      this.#lastKind = kind;
    }
    return this.#lastTag;
  }

  /** The index of the actor in ACTORS. */
  actorIndex(step: number): number {
    return (this.#tags.bytes[step] ?? 0) & 7;
  }
  /** The index of the kind in STEP_KINDS. */
  kindIndex(step: number): number {
    return ((this.#tags.bytes[step] ?? 0) >> 3) & 7;
  }
  who(step: number): Actor {
    return ACTOR_ORDER[this.actorIndex(step)] ?? 'guest-kernel';
  }
  kind(step: number): StepKind {
    return STEP_KINDS[this.kindIndex(step)] ?? 'instruction';
  }
  /** The number of the virtual machine. */
  machine(step: number): number {
    return (this.#tags.bytes[step] ?? 0) >> 6;
  }
  /** Actor, kind and virtual machine in a byte: as they are stored. */
  tag(step: number): number {
    return this.#tags.bytes[step] ?? 0;
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
      ...machineOf(this.tag(index)),
    };
  }
}

function tagOf(who: Actor, kind: StepKind, machine: number): number {
  return ACTOR_ORDER.indexOf(who) | (STEP_KINDS.indexOf(kind) << 3) | (machine << 6);
}

/** What a byte of the column of tags says; undefined where it says nothing that there is. */
export function readTag(tag: number): Pick<Step, 'kind' | 'machine' | 'who'> | undefined {
  const who = ACTOR_ORDER[tag & 7];
  const kind = STEP_KINDS[(tag >> 3) & 7];
  return who === undefined || kind === undefined ? undefined : {who, kind, ...machineOf(tag)};
}

const machineOf = (tag: number): Pick<Step, 'machine'> => (tag >> 6 === 0 ? {} : {machine: tag >> 6});
