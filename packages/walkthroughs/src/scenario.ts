// A scenario as data: what a Markdown file with front matter comes to once it is read. Nothing here runs anything.

import type {SeededQuestion} from './seeded-question.js';
import type {Granularity, Moment, RunChoice, Switches, TraceEvent} from '@hyperscope/trace';

/** A place in a run, said so that it stays right when the hypervisor's set-up gets longer. */
export interface Place {
  /** Where the search begins: before the hypervisor's first step, where the guest begins, where the last step of the scenario stands, or the end of the run. */
  readonly from: 'beginning' | 'end' | 'here' | 'start';
  /** What is looked for; absent: `from` itself. */
  readonly event?: EventPattern | undefined;
  /** Which of them, from 1. */
  readonly occurrence: number;
  /** Further units of a granularity, forward. */
  readonly further?: {readonly steps: number; readonly granularity: Granularity} | undefined;
}

/** What an event or the instruction of its step must be; what is absent does not matter. The place is right behind that step. */
export interface EventPattern {
  readonly kind?: TraceEvent['kind'] | undefined;
  /** The event's label as the timeline and the reason lines print it, or a part of it: `I/O instruction`, `SYSCALL`, `#GP`. */
  readonly label?: string | undefined;
  /** A part of the sentence of a step of the hypervisor's. */
  readonly sentence?: string | undefined;
  /** What the instruction's text begins with, as disassembled: `popfq`, `mov cr3`. */
  readonly instruction?: string | undefined;
  /** Label or line text of the guest's source at which the instruction stands. */
  readonly at?: string | undefined;
  readonly who?: Moment['who'] | undefined;
}

/** A run that differs from the scenario's, and what it must show; checked by running it. */
export interface Trial {
  /** Beside the scenario's own switches. */
  readonly switches?: Switches | undefined;
  readonly technique?: string | undefined;
  /** Text of the source (must occur exactly once), and what stands in its place. */
  readonly replace?: readonly Replacement[] | undefined;
  readonly expect: Expectation;
}

export interface Replacement {
  readonly text: string;
  readonly by: string;
}

/** Something to change, and what happens then: a switch, another machine, or lines of the guest's source that are replaced. */
export interface BreakIt extends Trial {
  readonly title: string;
  /** What happens and why, shown after it ran. Markdown. */
  readonly explanation: string;
}

/** What a run or a moment must show; what is absent does not matter. */
export interface Expectation {
  /** A part of what the guest has printed. */
  readonly prints?: string | undefined;
  /** It must not have printed this. */
  readonly printsNot?: string | undefined;
  /** A part of the sentence on how the run ended; `goes on` for a run that does not end by itself. */
  readonly outcome?: string | undefined;
  /** Events that occur somewhere in the run, and events that do not. */
  readonly occurs?: readonly EventPattern[] | undefined;
  readonly occursNot?: readonly EventPattern[] | undefined;
  /** How often events occur in the whole run. */
  readonly counts?: readonly EventCount[] | undefined;
  /** Registers at the place, by cell name: `{"rax": "0x2a"}`. */
  readonly registers?: Readonly<Record<string, string>> | undefined;
}

/** How often an event occurs: at least, at most; both the same where it says exactly. */
export interface EventCount {
  readonly event: EventPattern;
  readonly least: number;
  readonly most: number;
}

export interface Question {
  /** Markdown. */
  readonly text: string;
  readonly choices: readonly string[];
  /** Index into `choices`. */
  readonly answer: number;
  /** Why, shown afterwards. Markdown. */
  readonly because: string;
  /** The run that shows the answer. A prediction has none where its step's own expectation shows it. */
  readonly check?: Trial | undefined;
}

/** A part of a run, from one step to another; both are in it. */
export interface Stretch {
  readonly name: string;
  /** Looked for from where the guest begins. */
  readonly first: Place;
  /** Looked for from the first step on; may be the same. */
  readonly last: Place;
}

/** Stretches of the run beside each other, by what they cost. */
export interface Measurement {
  readonly title: string;
  readonly stretches: readonly Stretch[];
  /** They come in ascending order of this, each more than the one before; checked by running. */
  readonly ascending?: 'cycles' | 'instructions' | undefined;
  /** Markdown, below the figures. */
  readonly explanation?: string | undefined;
}

/** A way from who has the processor to who has it next, without anybody between. */
export interface Arrow {
  readonly from: Moment['who'];
  readonly to: Moment['who'];
  readonly exists: 'no' | 'yes';
  /** Why, shown after the guess. Markdown. */
  readonly because: string;
  /** Beside the scenario's own, in the run that shows it. */
  readonly switches?: Switches | undefined;
}

/** Arrows to choose from: does it exist? */
export interface ArrowGuess {
  /** Markdown. */
  readonly question: string;
  readonly arrows: readonly Arrow[];
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
  readonly measurement?: Measurement | undefined;
  readonly arrowGuess?: ArrowGuess | undefined;
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
  /** Markdown: what is read before the first step. */
  readonly introduction: string;
  /** `edited`: the scenario's own program. */
  readonly choice: RunChoice;
  /** Machines shown together; one or more. */
  readonly machines: readonly string[];
  readonly steps: readonly ScenarioStep[];
  /** Asked at the end. */
  readonly questions: readonly Question[];
  /** Asked behind them: each set of values is another question. */
  readonly seeded: readonly SeededQuestion[];
  readonly sources: readonly string[];
}
