// A scenario as data: what a Markdown file with front matter comes to once it is read. Nothing here runs anything.

import type {Granularity, Moment, RunChoice, Switches, TraceEvent} from '@hyperscope/trace';

/** A place in a run, said so that it stays right when the hypervisor's set-up gets longer. */
export interface Place {
  /** Where the search begins: where the guest does, where the last step of the scenario stands, or the end of the run. */
  readonly from: 'end' | 'here' | 'start';
  /** What is looked for; absent: `from` itself. */
  readonly event?: EventPattern | undefined;
  /** Which of them, from 1. */
  readonly occurrence: number;
  /** Further units of a granularity, forward. */
  readonly then?: {readonly steps: number; readonly granularity: Granularity} | undefined;
}

/** What an event or the instruction of its step must be; what is absent does not matter. */
export interface EventPattern {
  readonly kind?: TraceEvent['kind'] | undefined;
  /** The event's label as the timeline and the reason lines print it, or a part of it: `I/O instruction`, `SYSCALL`, `#GP`. */
  readonly label?: string | undefined;
  /** Mnemonic of the instruction, as disassembled: `popf`. */
  readonly instruction?: string | undefined;
  /** Label or line text of the guest's source at which the instruction stands. */
  readonly at?: string | undefined;
  readonly who?: Moment['who'] | undefined;
}

/** Something to change, and what happens then: a switch, or a line of the guest's source that is replaced. */
export interface BreakIt {
  readonly title: string;
  readonly switches?: Switches | undefined;
  readonly technique?: string | undefined;
  /** Text of the source (must occur exactly once), and what stands in its place. */
  readonly replace?: readonly {readonly text: string; readonly by: string}[] | undefined;
  /** What must be true of the changed run; checked by running it. */
  readonly expect: Expectation;
  /** What happens and why, shown after it ran. Markdown. */
  readonly explanation: string;
}

/** What a run or a moment must show; what is absent does not matter. */
export interface Expectation {
  /** A part of what the guest has printed. */
  readonly prints?: string | undefined;
  /** It must not have printed this. */
  readonly printsNot?: string | undefined;
  /** A part of the sentence on how the run ended. */
  readonly outcome?: string | undefined;
  /** An event that occurs, and one that does not. */
  readonly occurs?: EventPattern | undefined;
  readonly occursNot?: EventPattern | undefined;
  /** Registers at the place, by cell name: `{"rax": "0x2a"}`. */
  readonly registers?: Readonly<Record<string, string>> | undefined;
}

export interface Question {
  /** Markdown. */
  readonly text: string;
  readonly choices: readonly string[];
  /** Index into `choices`. */
  readonly answer: number;
  /** Why, shown afterwards. Markdown. */
  readonly because: string;
}

export interface ScenarioStep {
  readonly title: string;
  readonly place: Place;
  /** One sentence or a few: what is seen here. Markdown. */
  readonly text: string;
  /** Asked before the place is shown. */
  readonly prediction?: Question | undefined;
  readonly expect?: Expectation | undefined;
  readonly breakIt: readonly BreakIt[];
  /** Only for the speaker. Markdown. */
  readonly note?: string | undefined;
  /** Inspector tab that helps here. */
  readonly panel?: string | undefined;
  /** Another machine from here on. */
  readonly technique?: string | undefined;
}

export interface Scenario {
  /** From the file's name: `d6-popf`. */
  readonly id: string;
  readonly title: string;
  /** The demonstration: `D6`. */
  readonly demonstration?: string | undefined;
  /** What a student knows afterwards, in a sentence. */
  readonly teaches: string;
  readonly choice: RunChoice;
  /** Machines shown together; one or more. */
  readonly machines: readonly string[];
  readonly steps: readonly ScenarioStep[];
  /** Asked at the end. */
  readonly questions: readonly Question[];
  readonly sources: readonly string[];
}
