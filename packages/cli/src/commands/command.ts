// What every command is: a name, a table of options, words for --help, and a function that gives an exit status.

import type {Clock} from '@hyperscope/base';
import type {OptionTable} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';

export interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Asks to be told of Ctrl-C, which from now on does not end the process by itself. */
  readonly interrupted: () => AbortSignal;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly usage: string;
  readonly description: readonly string[];
  readonly options: OptionTable;
  readonly examples: readonly {readonly line: string; readonly what: string}[];
  readonly exitCodes?: readonly {readonly code: number; readonly what: string}[];
  /** Runs the command; resolves to the exit status. UserErrors are printed by the caller. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}
