// What an explanation may know of a step beyond its events: the instruction, the registers before and after, the bytes
// that changed, and what kept it inside the guest. Whoever holds the state (a session, a player) gathers it.

import type {Checks} from '@hyperscope/machine';
import type {Instruction} from '@hyperscope/isa';
import type {TraceEvent} from '../record-format.js';
import type {CellSource} from '../state/processor-view.js';

/** A register, a flag or a stretch of memory that a step changed, as texts: {name: 'RAX', before: '0x0', after: '0x48'}. */
export interface StateChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Why an instruction that a hypervisor could have intercepted ran in the guest all the same. */
export interface StayedInGuest {
  readonly sentence: string;
  readonly checks: Checks;
  readonly otherwise: string | undefined;
}

export interface StepContext {
  /** The text of the instruction; '' for a step that is none. */
  readonly text: string;
  readonly instruction: Instruction | undefined;
  readonly before: CellSource;
  readonly after: CellSource;
  readonly changes: readonly StateChange[];
  readonly stayed: StayedInGuest | undefined;
  /** The guest's instruction in whose place one of the translation cache was executed: 'ret at 0x8243'. */
  readonly standsFor?: string | undefined;
  /** Whose exits they are: those of the KVM role, or of a guest program that is a hypervisor itself. */
  readonly hypervisor: 'kvm' | 'guest';
  /** The later answer to the exit of this step, where it is recorded. */
  readonly handled: Extract<TraceEvent, {kind: 'exit-handled'}> | undefined;
}

const nothingKnown: CellSource = () => undefined;

/** The context of a step of which only the text is known. */
export const textContext = (text: string): StepContext => ({
  text,
  instruction: undefined,
  before: nothingKnown,
  after: nothingKnown,
  changes: [],
  stayed: undefined,
  hypervisor: 'kvm',
  handled: undefined,
});
