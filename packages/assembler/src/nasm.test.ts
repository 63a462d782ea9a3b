// The assembler against Debian's nasm: byte for byte, on every guest and on a generated corpus over all encodings.

import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';
import {assemble} from './assembler.js';
import {corpus} from './testing/corpus.js';
import {findNasm, nasmLines, nasmProgram} from './testing/nasm.js';
import {programs} from './testing/programs.js';
import {SPELLINGS} from './testing/spellings.js';
import {QUIRKS, type Difference} from './testing/quirks.js';

const nasm = findNasm();
const SEED = 20261122;
const PER_FORM = 14;

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What ours makes of each line by itself. */
function ourLines(bits: 16 | 32 | 64, lines: readonly string[]): readonly (string | undefined)[] {
  const refused = new Set<number>();
  const first = assemble(`bits ${bits}\n${lines.join('\n')}\n`);
  if (!first.ok) for (const {line, severity} of first.diagnostics) if (severity === 'error') refused.add(line - 2);
  const kept = lines.map((line, index) => (refused.has(index) ? '' : line));
  const second = assemble(`bits ${bits}\n${kept.join('\n')}\n`);
  if (!second.ok) throw new Error(`second reading refuses: ${JSON.stringify(second.diagnostics[0])}`);
  const found = new Map<number, string>();
  for (const {line, offset, length} of second.lines)
    found.set(line - 2, toHex(second.bytes.subarray(offset, offset + length)));
  return lines.map((_, index) => (refused.has(index) ? undefined : (found.get(index) ?? '')));
}

function differences(bits: 16 | 32 | 64, lines: readonly string[]): readonly Difference[] {
  const theirs = nasmLines(bits, lines);
  const ours = ourLines(bits, lines);
  return lines.flatMap((line, index) => {
    const their = theirs[index];
    const nasmBytes = their !== undefined && 'bytes' in their ? their.bytes : undefined;
    return nasmBytes === ours[index] ? [] : [{bits, line, nasm: nasmBytes, ours: ours[index]}];
  });
}

const shown = ({bits, line, nasm: their, ours}: Difference): string =>
  `${bits}: ${line.padEnd(44)} nasm ${their ?? 'refuses'}  ours ${ours ?? 'refuses'}`;

describe.skipIf(!nasm.found)(`held against ${nasm.found ? nasm.version : `nasm (skipped: ${nasm.why})`}`, () => {
  const folder = fileURLToPath(new URL('../../guests/programs/', import.meta.url));
  const text = (name: string): string => readFileSync(folder + name, 'utf8');
  // What the single-user systems share stands behind each of them, and is no program alone.
  const shared = 'cms-nucleus.asm';
  const guests = readdirSync(folder).filter(name => name.endsWith('.asm') && name !== shared);
  test.each(guests)('the guest %s gives the same bytes', name => {
    const source = name.startsWith('cms-') ? text(name) + text(shared) : text(name);
    const ours = assemble(source);
    expect(ours.ok ? toHex(ours.bytes) : ours.diagnostics).toEqual(toHex(nasmProgram(source)));
  });

  const features = fileURLToPath(new URL('testing/features/', import.meta.url));
  test.each(readdirSync(features))('the feature program %s gives the same bytes', name => {
    const source = readFileSync(features + name, 'utf8');
    const ours = assemble(source);
    expect(ours.ok ? toHex(ours.bytes) : ours.diagnostics).toEqual(toHex(nasmProgram(source)));
  });

  test('at least 5,000 generated lines over every line of the opcode table, in three modes, give the same bytes', () => {
    const counted = {lines: 0, accepted: 0};
    const found: Difference[] = [];
    for (const bits of [16, 32, 64] as const) {
      const lines = [...SPELLINGS, ...corpus(bits, PER_FORM, SEED)];
      const different = differences(bits, lines);
      counted.lines += lines.length;
      counted.accepted += ourLines(bits, lines).filter(bytes => bytes !== undefined).length;
      found.push(...different);
    }
    const unexplained = found.filter(difference => !QUIRKS.some(quirk => quirk.covers(difference)));
    const unused = QUIRKS.filter(quirk => !found.some(difference => quirk.covers(difference)));
    const byRule = found.length - unexplained.length;
    process.stdout.write(`${counted.lines} lines, ${counted.accepted} encodable, ${byRule} differences by rule\n`);
    expect(unexplained.map(shown)).toEqual([]);
    expect(unused.map(({rule}) => rule)).toEqual([]);
    expect(counted.accepted).toBeGreaterThanOrEqual(5000);
  }, 120_000);

  test.each(programs(SEED, 24))('the generated program %# with labels near and far gives the same bytes', source => {
    const ours = assemble(source);
    expect(ours.ok ? toHex(ours.bytes) : ours.diagnostics).toEqual(toHex(nasmProgram(source)));
  });
});
