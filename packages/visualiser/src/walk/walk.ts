// A walk: moments of runs one after the other, each with what is said of it. It is what a handout prints and what an animated
// picture shows; everything in it was answered by a session that ran the guest.

import {stagePicture, routeMarks, type StageHost, type StagePicture} from '@hyperscope/elements';
import type {Moment, TimelineWindow} from '@hyperscope/trace';
import type {Question} from '@hyperscope/walkthroughs';
import type {CostFigures} from '../lab-client.js';

export interface AskedQuestion extends Pick<Question, 'because' | 'choices' | 'text'> {
  /** Index into `choices`; undefined where `because` tells each of them. */
  readonly answer: number | undefined;
}

/** A register that has another value than it had at the stop before. */
export interface RegisterChange {
  readonly name: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** One moment of a walk. */
export interface WalkStop {
  readonly title: string;
  /** Markdown; '' where only the machine speaks. */
  readonly text: string;
  readonly moment: Moment;
  readonly picture: StagePicture;
  /** The machine's name: `VT-x with EPT`. */
  readonly machine: string;
  /** The processor by whose figures its cycles are counted; '' where there are none. */
  readonly model: string;
  readonly changes: readonly RegisterChange[];
  /** What the guest printed since the stop before. */
  readonly printed: string;
  /** What is asked before it is shown. */
  readonly asked: readonly AskedQuestion[];
  /** What can be broken here, by name. */
  readonly breakIt: readonly string[];
}

export interface Walk {
  readonly title: string;
  /** What a reader knows afterwards, in a sentence. */
  readonly teaches: string;
  /** Markdown. */
  readonly introduction: string;
  readonly guest: string;
  readonly stops: readonly WalkStop[];
  readonly questions: readonly AskedQuestion[];
  readonly sources: readonly string[];
  /** Where the cycles come from: of each machine that the walk is on. */
  readonly costs: readonly CostFigures[];
  /** Address of the lab at its beginning. */
  readonly link: string;
}

/** Those that a reader follows; the rest of the bank is the processor's bookkeeping. */
const FOLLOWED =
  /^(R(AX|BX|CX|DX|SI|DI|BP|SP|IP|FLAGS|[89]|1[0-5])|CR[0234]|EFER|CPL|CS\.selector|SS\.selector|GDTR\.base|IDTR\.base)$/;

/** The registers that differ between two states of one run. */
export function registersBetween(before: Moment, after: Moment): readonly RegisterChange[] {
  return after.header.cells.flatMap((name, cell) => {
    const [was, is] = [before.registers[cell], after.registers[cell]];
    return was === undefined || is === undefined || was === is || !FOLLOWED.test(name)
      ? []
      : [{name, before: was, after: is}];
  });
}

/** What was printed after a stop; all of it where the run is another. */
export function printedSince(before: Moment | undefined, after: Moment): string {
  return before !== undefined && after.serial.startsWith(before.serial)
    ? after.serial.slice(before.serial.length)
    : after.serial;
}

/** The stage at a moment; `marks`: the marks of the run before it. */
export function pictureAt(moment: Moment, host: StageHost, {marks}: Pick<TimelineWindow, 'marks'>): StagePicture {
  return stagePicture(moment, host, routeMarks(marks));
}
