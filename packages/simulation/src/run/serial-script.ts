// A script for the serial port: wait for some text, send some text, and so on.
//
//   wait "login: "
//   send "root\n"
//
// One command a line; texts are written as in JSON; blank lines and lines that begin with # are skipped.

import {UserError} from '@hyperscope/base';

export interface SerialCommand {
  readonly kind: 'wait' | 'send';
  readonly text: string;
}

/** UserError: serial-script, naming the line. */
export function parseSerialScript(source: string): readonly SerialCommand[] {
  return source.split(/\r?\n/).flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const match = /^(wait|send)\s+(".*")$/.exec(trimmed);
    const text = match?.[2] === undefined ? undefined : jsonText(match[2]);
    if (match === null || text === undefined) {
      throw new UserError(
        'serial-script',
        `Line ${index + 1} of the serial script is not understood. Write: wait "text" or send "text\\n".`,
      );
    }
    return [{kind: match[1] === 'wait' ? 'wait' : 'send', text}];
  });
}

function jsonText(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Plays a script against what the guest prints. */
export class SerialScriptPlayer {
  readonly #commands: readonly SerialCommand[];
  #next = 0;
  /** Where in the output the next search begins: text that answered one wait does not answer another. */
  #from = 0;

  constructor(commands: readonly SerialCommand[]) {
    this.#commands = commands;
  }

  /** What must be sent now, given everything printed so far; undefined when the script waits or is over. */
  next(output: string): Uint8Array | undefined {
    for (;;) {
      const command = this.#commands[this.#next];
      if (command === undefined) return undefined;
      if (command.kind === 'send') {
        this.#next++;
        return new TextEncoder().encode(command.text);
      }
      const found = output.indexOf(command.text, this.#from);
      if (found < 0) return undefined;
      this.#from = found + command.text.length;
      this.#next++;
    }
  }
  get done(): boolean {
    return this.#next >= this.#commands.length;
  }
}
