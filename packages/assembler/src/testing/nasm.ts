// Debian's nasm as the oracle: what it makes of a file, line by line.

import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/**
 * Two of nasm's warnings are errors here, as they are in ours: an unknown mnemonic alone on a line (nasm takes it for a
 * label), and a number that was cut to fit an instruction.
 */
const STRICT = ['-w+error=label-orphan', '-w+error=number-overflow'];

/** nasm's version, or why there is none. */
export function findNasm():
  | {readonly found: true; readonly version: string}
  | {readonly found: false; readonly why: string} {
  try {
    return {found: true, version: execFileSync('nasm', ['-v'], {encoding: 'utf8'}).trim()};
  } catch {
    return {found: false, why: 'nasm is not on PATH (on Debian: apt-get install nasm)'};
  }
}

interface Run {
  readonly bytes: Uint8Array;
  readonly listing: string;
  readonly errors: ReadonlyMap<number, string>;
}

function run(source: string, flags: readonly string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), 'hyperscope-nasm-'));
  try {
    const [input, output, list] = [join(folder, 'a.asm'), join(folder, 'a.bin'), join(folder, 'a.lst')];
    writeFileSync(input, source);
    const {status, stderr} = spawnSync('nasm', ['-f', 'bin', ...flags, '-o', output, '-l', list, input], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const errors = new Map<number, string>();
    for (const [, line, message] of stderr.matchAll(/^.*?:(\d+): error: (.*)$/gm))
      errors.set(Number(line), message ?? '');
    if (status !== 0) return {bytes: new Uint8Array(), listing: '', errors};
    return {bytes: readFileSync(output), listing: readFileSync(list, 'utf8'), errors};
  } finally {
    rmSync(folder, {recursive: true});
  }
}

/** The bytes of a whole program. Throws with nasm's messages when it refuses. */
export function nasmProgram(source: string): Uint8Array {
  const {bytes, errors} = run(source, STRICT);
  if (errors.size > 0) throw new Error([...errors].map(([line, message]) => `line ${line}: ${message}`).join('\n'));
  return bytes;
}

/** What nasm makes of each line by itself: its bytes in hexadecimal, or its message. */
export function nasmLines(
  bits: number,
  lines: readonly string[],
): readonly ({readonly bytes: string} | {readonly error: string})[] {
  const errors = new Map<number, string>();
  for (;;) {
    const kept = lines.map((line, index) => (errors.has(index) ? '' : line));
    const outcome = run(`bits ${bits}\n${kept.join('\n')}\n`, STRICT);
    for (const [line, message] of outcome.errors) errors.set(line - 2, message);
    if (outcome.errors.size > 0) continue;
    const hex = lineBytes(outcome);
    return lines.map((_, index) => {
      const error = errors.get(index);
      return error === undefined ? {bytes: hex.get(index) ?? ''} : {error};
    });
  }
}

/** The listing says where each line is and how long; the bytes come from the file, where nothing is left open. */
function lineBytes({bytes, listing}: Run): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const row of listing.split('\n')) {
    const parts = /^ *(\d+) ([0-9A-F]{8}) (\S+)/.exec(row);
    if (parts === null) continue;
    const index = Number(parts[1]) - 2;
    const start = Number.parseInt(parts[2] ?? '', 16);
    const count = (parts[3] ?? '').replaceAll(/[^0-9A-F]/g, '').length / 2;
    found.set(index, (found.get(index) ?? '') + Buffer.from(bytes.subarray(start, start + count)).toString('hex'));
  }
  return found;
}
