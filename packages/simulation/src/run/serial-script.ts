// A script for the serial port: wait for some text, send some text, or type it on the keyboard, and so on.
//
//   wait "login: "
//   send "root\n"
//   keys "root\n"
//
// One command a line; texts are written as in JSON; blank lines and lines that begin with # are skipped.

import {UserError} from '@hyperscope/base';
import {scanCodesOf} from '@hyperscope/machine';

export interface SerialCommand {
  readonly kind: 'wait' | 'send' | 'keys';
  readonly text: string;
}

/** UserError: serial-script, naming the line. */
export function parseSerialScript(source: string): readonly SerialCommand[] {
  return source.split(/\r?\n/).flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const match = /^(wait|send|keys)\s+(".*")$/.exec(trimmed);
    const text = match?.[2] === undefined ? undefined : jsonText(match[2]);
    if (match === null || text === undefined) {
      throw new UserError(
        'serial-script',
        `Line ${index + 1} of the serial script is not understood. Write: wait "text", send "text\\n" or keys "text\\n".`,
      );
    }
    const kind = match[1] === 'wait' || match[1] === 'keys' ? match[1] : 'send';
    if (kind === 'keys') checkKeys(text, index + 1);
    return [{kind, text}];
  });
}

/** Keys wait in the keyboard until the guest takes them, and there is room for so many bytes. */
const KEYBOARD_ROOM = 256;

function checkKeys(text: string, line: number): void {
  if (scanCodesOf(text).length <= KEYBOARD_ROOM) return;
  throw new UserError(
    'serial-script',
    `Line ${line} of the serial script types more than a keyboard keeps. Type it in parts, with a wait between them.`,
  );
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

/** What is given to the guest: bytes at the serial port, or scan codes from the keyboard. */
export interface ScriptedInput {
  readonly device: 'serial' | 'keyboard';
  readonly bytes: Uint8Array;
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
  next(output: string): ScriptedInput | undefined {
    for (;;) {
      const command = this.#commands[this.#next];
      if (command === undefined) return undefined;
      if (command.kind === 'send') {
        this.#next++;
        return {device: 'serial', bytes: new TextEncoder().encode(command.text)};
      }
      if (command.kind === 'keys') {
        this.#next++;
        return {device: 'keyboard', bytes: scanCodesOf(command.text)};
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
