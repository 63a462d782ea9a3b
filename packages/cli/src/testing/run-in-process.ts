// Runs commands in this process with a terminal that remembers: for tests.

import type {Command} from '../commands/command.js';
import {runProgram} from '../program.js';
import {styles} from '../terminal/colours.js';

export interface Finished {
  readonly status: number;
  readonly out: string;
  readonly notes: string;
}

/** Runs `args` as if typed, without colours. */
export async function runInProcess(commands: readonly Command[], args: readonly string[]): Promise<Finished> {
  const out: string[] = [];
  const notes: string[] = [];
  const decoder = new TextDecoder();
  const status = await runProgram(commands, '1.2.3', args, {
    terminal: {
      write: text => void out.push(typeof text === 'string' ? text : decoder.decode(text)),
      line: (text = '') => void out.push(`${text}\n`),
      note: text => void notes.push(`${text}\n`),
      noteBytes: bytes => void notes.push(decoder.decode(bytes)),
      status: () => undefined,
      style: styles('plain'),
      noteStyle: styles('plain'),
      width: 80,
    },
    clock: performance,
    interrupted: () => new AbortController().signal,
  });
  return {status, out: out.join(''), notes: notes.join('')};
}
