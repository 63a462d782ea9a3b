// A source file given where a program is wanted: assembled on the spot, and started the way its first instruction asks.

import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {assemble} from '@hyperscope/assembler';
import type {Assembly, Diagnostic} from '@hyperscope/assembler';
import {UserError} from '@hyperscope/base';
import type {RawMode} from '@hyperscope/simulation';
import {readText} from '../files.js';
import type {Terminal} from '../terminal/terminal.js';

/** Assembles `source`, which came from `path`; %include looks beside it. */
export function assembleSource(source: string, path: string): Assembly {
  const folder = path === '-' ? '.' : dirname(path);
  const include = (name: string): string | undefined => {
    const at = join(folder, name);
    return existsSync(at) ? readText(at) : undefined;
  };
  return assemble(source, {fileName: path, include});
}

/** The program in a source file. @throws UserError 'does-not-assemble', after its messages were printed. */
export function assembleFile(
  path: string,
  terminal: Terminal,
): {readonly bytes: Uint8Array; readonly origin: number; readonly mode: RawMode} {
  const source = readText(path);
  const assembly = assembleSource(source, path);
  printMessages(path, source, assembly.ok ? assembly.warnings : assembly.diagnostics, terminal);
  if (!assembly.ok) throw new UserError('does-not-assemble', `${path} does not assemble.`);
  const bits = assembly.lines.find(line => line.kind === 'instruction')?.bits ?? 16;
  const mode = bits === 16 ? 'real' : bits === 32 ? 'protected' : 'long';
  return {bytes: assembly.bytes, origin: Number(assembly.origin), mode};
}

/** Characters of a source line that a message shows. */
const SHOWN = 200;

/** Each message with its line and a mark under the place. */
export function printMessages(path: string, source: string, messages: readonly Diagnostic[], terminal: Terminal): void {
  const {noteStyle} = terminal;
  const lines = source.split(/\r?\n/);
  for (const message of messages) {
    const colour = message.severity === 'error' ? 'red' : 'yellow';
    const place = noteStyle('bold', `${path}:${message.line}:${message.column}:`);
    terminal.note(`${place} ${noteStyle(colour, message.severity)}: ${message.message}`);
    const text = lines[message.line - 1];
    if (text !== undefined && message.column > 0) {
      // Of a line of thousands of characters, those around the place.
      const from = text.length > SHOWN ? Math.max(0, message.column - 1 - SHOWN / 2) : 0;
      const shown = text.slice(from, from + SHOWN);
      terminal.note(`  ${shown}`);
      const before = shown.slice(0, message.column - 1 - from).replace(/[^\t]/g, ' ');
      const length = Math.min(Math.max(1, message.length), SHOWN - before.length);
      terminal.note(`  ${before}${noteStyle(colour, '^'.repeat(Math.max(1, length)))}`);
    }
    if (message.within !== undefined) terminal.note(`  ${message.within}`);
    terminal.note(`  ${message.advice}`);
  }
}
