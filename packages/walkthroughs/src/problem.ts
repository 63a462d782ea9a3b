// What is wrong with a scenario file: where, what, and what to do.

import {UserError} from '@hyperscope/base';

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** `d6-popf.md, line 12: …` */
export const problemText = (file: string, {line, message, advice}: Problem): string =>
  `${file}, line ${line}: ${message} ${advice}`;

/** Thrown where somebody asked for a scenario and its file is wrong. */
export function badScenario(file: string, problems: readonly Problem[]): UserError {
  return new UserError('bad-scenario', problems.map(problem => problemText(file, problem)).join('\n'));
}
