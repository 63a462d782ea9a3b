// `hyperscope asm`: NASM text to bytes, with the words of a helpful assembler where it does not assemble.

import type {Assembly} from '@hyperscope/assembler';
import {hex, hexBytes} from '@hyperscope/base';
import {EXIT} from '../exit-status.js';
import {readText, writeBytes} from '../files.js';
import {assembleSource, printMessages} from '../run/assembly.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  output: {value: 'FILE', short: 'o', help: 'Where the bytes go. Default: the name of the source with .bin.'},
  listing: {
    value: undefined,
    short: 'l',
    help: 'Print address, bytes and source side by side instead of writing a file.',
  },
  json: {value: undefined, help: 'Print bytes, symbols and messages as JSON instead of writing a file.'},
} as const;

export const ASM: Command = {
  name: 'asm',
  summary: 'assemble NASM text into a flat binary',
  usage: 'hyperscope asm FILE.asm [-o FILE] [--listing] [--json]',
  description: [
    'Takes NASM syntax (bits, org, labels, equ, db, times, %define, %macro) and gives the bytes that nasm -f bin gives. ' +
      'Every error names its line and column and says what to write instead.',
    'Use - to read the source from standard input.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope asm boot.asm -o boot.img', what: 'Assemble a boot sector.'},
    {line: 'hyperscope asm boot.asm --listing', what: 'See which bytes each line became.'},
    {line: 'echo "mov cr3, eax" | hyperscope asm - --listing', what: 'One instruction, quickly.'},
  ],
  exitCodes: [
    {code: 0, what: 'assembled'},
    {code: 2, what: 'the source has errors, or cannot be read'},
  ],
  run: async (args, context) => runAsm(args, context),
};

function runAsm(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const [path, ...more] = given.positionals;
  if (path === undefined || more.length > 0) throw usage('Give one source file, or - for standard input.');
  const source = readText(path);
  const assembly = assembleSource(source, path);
  if (given.has('json')) terminal.line(JSON.stringify(asJson(assembly), undefined, 2));
  else printMessages(path, source, assembly.ok ? assembly.warnings : assembly.diagnostics, terminal);
  if (!assembly.ok) return EXIT.usage;
  if (given.has('listing')) printListing(assembly, source, terminal);
  if (given.has('listing') || given.has('json')) {
    const output = given.value('output');
    if (output !== undefined) writeBytes(output, assembly.bytes);
    return EXIT.ok;
  }
  const output = given.value('output') ?? (path === '-' ? 'out.bin' : path.replace(/\.(asm|nasm|s)$/i, '') + '.bin');
  writeBytes(output, assembly.bytes);
  terminal.note(`${output}: ${assembly.bytes.length} bytes from ${hex(assembly.origin)}`);
  return EXIT.ok;
}

type Assembled = Extract<Assembly, {ok: true}>;

function printListing(assembly: Assembled, source: string, terminal: Terminal): void {
  const lines = source.split(/\r?\n/);
  for (const stretch of assembly.lines) {
    const bytes = assembly.bytes.subarray(stretch.offset, stretch.offset + stretch.length);
    const shown = bytes.length > 12 ? `${hexBytes(bytes.subarray(0, 11))} …` : hexBytes(bytes);
    const text = lines[stretch.line - 1]?.trim() ?? '';
    const address = stretch.address.toString(16).padStart(8, '0');
    terminal.line(`${terminal.style('dim', address)}  ${shown.padEnd(36)}  ${text}`.trimEnd());
  }
}

function asJson(assembly: Assembly): unknown {
  if (!assembly.ok) return {ok: false, messages: assembly.diagnostics};
  return {
    ok: true,
    origin: hex(assembly.origin),
    bytes: Buffer.from(assembly.bytes).toString('hex'),
    symbols: Object.fromEntries([...assembly.symbols].map(([name, value]) => [name, hex(value)])),
    lines: assembly.lines.map(line => ({...line, address: hex(line.address)})),
    messages: assembly.warnings,
  };
}
