// The program `hyperscope`: finds the command, runs it, and turns trouble into a sentence and an exit status.

import {UserError} from '@hyperscope/base';
import type {Command, CommandContext} from './commands/command.js';
import {EXIT, statusOfUserError} from './exit-status.js';
import {closest, usage} from './terminal/arguments.js';
import {commandHelp, programHelp} from './terminal/help.js';

const isHelp = (text: string | undefined): boolean => text === '--help' || text === '-h' || text === 'help';

/** Runs `args` (without node and the script) and resolves to the exit status. */
export async function runProgram(
  commands: readonly Command[],
  version: string,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const {terminal} = context;
  const [name, ...rest] = args;
  try {
    if (name === undefined || (isHelp(name) && rest.length === 0)) {
      for (const line of programHelp(commands, terminal)) terminal.line(line);
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    if (name === '--version' || name === '-V') {
      terminal.line(version);
      return EXIT.ok;
    }
    const command = findCommand(commands, isHelp(name) ? rest[0] : name);
    if (isHelp(name) || rest.some(text => text === '--help' || text === '-h')) {
      for (const line of commandHelp(command, terminal)) terminal.line(line);
      return EXIT.ok;
    }
    return await command.run(rest, context);
  } catch (error) {
    terminal.status('');
    return report(error, name, context);
  }
}

function findCommand(commands: readonly Command[], name = ''): Command {
  const found = commands.find(command => command.name === name);
  if (found !== undefined) return found;
  const names = commands.map(command => command.name);
  const nearest = closest(name, names);
  const hint = nearest === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${nearest}?`;
  throw usage(`There is no command ${name}. ${hint}`);
}

/** What the user did is a sentence; what we did is a stack. */
function report(error: unknown, name: string | undefined, {terminal}: CommandContext): number {
  const red = (text: string): string => terminal.noteStyle('red', text);
  if (error instanceof UserError) {
    terminal.note(`${red('hyperscope:')} ${error.message}`);
    if (error.code === 'usage') terminal.note(`See: hyperscope ${name === undefined ? '' : `${name} `}--help`);
    return statusOfUserError(error.code);
  }
  terminal.note(`${red('hyperscope: this is a bug in Hyperscope.')}`);
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.internal;
}
