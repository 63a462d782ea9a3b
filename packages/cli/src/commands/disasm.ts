// `hyperscope disasm`: bytes to NASM text, one instruction a line; what is no instruction becomes db and says why.

import {assertUnreachable, hexBytes} from '@hyperscope/base';
import {decode, disassemble} from '@hyperscope/isa';
import type {CodeSize, DecodeResult} from '@hyperscope/isa';
import {EXIT} from '../exit-status.js';
import {readBytes} from '../files.js';
import {parseBigInt, parseNumber} from '../run/numbers.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  bits: {value: '16|32|64', short: 'b', help: 'Code size. Default: 16, as for a boot sector.'},
  at: {value: 'ADDRESS', help: 'Address of the first byte. Default: 0.'},
  skip: {value: 'N', help: 'Begin at this offset of the bytes.'},
  length: {value: 'N', help: 'End after so many bytes.'},
  hex: {value: undefined, short: 'x', help: 'The arguments are bytes in hexadecimal, not a file.'},
  json: {value: undefined, help: 'Print one JSON array.'},
} as const;

export const DISASM: Command = {
  name: 'disasm',
  summary: 'show bytes as instructions',
  usage: 'hyperscope disasm FILE [--bits 16|32|64] [--at ADDRESS]     hyperscope disasm --hex BYTES…',
  description: [
    'Reads bytes as the processor would, from the first one on. What is no instruction, or one that Hyperscope does not ' +
      'know, is printed as db with the reason behind it, and reading goes on at the next byte.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope disasm boot.img --at 0x7c00', what: 'A boot sector.'},
    {line: 'hyperscope disasm --bits 64 --hex 0f 01 c1', what: 'Three bytes: VMCALL.'},
  ],
  run: async (args, context) => runDisasm(args, context),
};

interface Line {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Why this is no instruction. */
  readonly note: string | undefined;
}

function runDisasm(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const all = given.has('hex') ? parseHex(given.positionals.join('')) : readImage(given.positionals);
  const skip = parseNumber(given.value('skip') ?? '0', '--skip', 0, all.length);
  const length = parseNumber(given.value('length') ?? String(all.length - skip), '--length');
  const origin = parseBigInt(given.value('at') ?? '0', '--at') + BigInt(skip);
  const lines = disassembly(all.subarray(skip, skip + length), parseBits(given.value('bits')), origin);
  if (given.has('json')) {
    const json = lines.map(line => ({
      address: `0x${line.address.toString(16)}`,
      bytes: hexBytes(line.bytes, ''),
      text: line.text,
      note: line.note,
    }));
    terminal.line(JSON.stringify(json, undefined, 2));
    return EXIT.ok;
  }
  for (const line of lines) {
    const address = terminal.style('dim', line.address.toString(16).padStart(8, '0'));
    const note = line.note === undefined ? '' : terminal.style('dim', `  ; ${line.note}`);
    terminal.line(`${address}  ${hexBytes(line.bytes).padEnd(30)}  ${line.text}${note}`);
  }
  return EXIT.ok;
}

/** Every instruction of `bytes`, the first of which lies at `origin`. */
function disassembly(bytes: Uint8Array, bits: CodeSize, origin: bigint): readonly Line[] {
  const lines: Line[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const result = decode(bytes, bits, offset);
    const address = BigInt.asUintN(64, origin + BigInt(offset));
    if (result.kind === 'instruction') {
      const {instruction} = result;
      lines.push({address, bytes: instruction.bytes, text: disassemble(instruction, address), note: undefined});
      offset += instruction.bytes.length;
    } else {
      const byte = bytes.subarray(offset, offset + 1);
      lines.push({address, bytes: byte, text: `db 0x${hexBytes(byte, '')}`, note: reason(result)});
      offset++;
    }
  }
  return lines;
}

function reason(result: Exclude<DecodeResult, {readonly kind: 'instruction'}>): string {
  switch (result.kind) {
    case 'undefined':
      return `#UD: ${result.why}`;
    case 'unsupported':
      return `not supported: ${result.what}`;
    case 'truncated':
      return 'the bytes end inside an instruction';
    case 'too-long':
      return '#GP(0): longer than 15 bytes';
    default:
      return assertUnreachable(result);
  }
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/0x|[\s,]/gi, '');
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw usage('--hex takes bytes of two digits each, such as 0f 01 c1.');
  return Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16));
}

function readImage(positionals: readonly string[]): Uint8Array {
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw usage('Give one file, or bytes with --hex.');
  return readBytes(path);
}

function parseBits(text = '16'): CodeSize {
  if (text === '16') return 16;
  if (text === '32') return 32;
  if (text === '64') return 64;
  throw usage(`--bits ${text}: code is 16, 32 or 64 bits.`);
}
