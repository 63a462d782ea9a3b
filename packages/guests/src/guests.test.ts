import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {
  CARD_GUESTS,
  CMS_GUESTS,
  EXPERIMENTS,
  GUESTS,
  assembleGuest,
  findGuest,
  findOutline,
  loadGuestFiles,
} from './index.js';

const nasm = hasNasm();
/** A guest whose program is another one's, in other company. */
const PROGRAMS_OF: ReadonlyMap<string, string> = new Map([['cms-four', 'cms-punch']]);

describe.each([...GUESTS, ...EXPERIMENTS, ...CMS_GUESTS].map(guest => [guest.id, guest] as const))(
  '%s',
  (id, guest) => {
    test('is the text in programs/', () => {
      const text = (name: string): string =>
        readFileSync(fileURLToPath(new URL(`../programs/${name}.asm`, import.meta.url)), 'utf8');
      expect(guest.source).toBe(
        text(PROGRAMS_OF.get(id) ?? id) + (guest.group === 'Control program' ? text('cms-nucleus') : ''),
      );
    });

    test('assembles and fits its memory', () => {
      const assembly = assembleGuest(guest);
      expect(assembly.bytes.length).toBeGreaterThan(0);
      expect(guest.loadAddress + assembly.bytes.length).toBeLessThan(guest.memoryMiB << 20);
    });

    test.skipIf(!nasm)('is byte for byte what nasm makes of it', () => {
      const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
      writeFileSync(join(folder, 'guest.asm'), guest.source);
      execFileSync('nasm', ['-f', 'bin', '-w+error=label-orphan', '-o', 'guest.bin', 'guest.asm'], {cwd: folder});
      expect(digest(assembleGuest(guest).bytes)).toBe(digest(readFileSync(join(folder, 'guest.bin'))));
    });

    test('is found by its id', () => {
      expect(findGuest(id)).toBe(guest);
    });
  },
);

test('an unknown id finds nothing', () => {
  expect(findGuest('no-such-guest')).toBeUndefined();
  expect(findOutline('no-such-guest')).toBeUndefined();
});

test.each([...GUESTS, ...EXPERIMENTS, ...CMS_GUESTS, ...CARD_GUESTS].map(guest => [guest.id, guest] as const))(
  '%s, fetched by itself, is the same text and the same bytes',
  async (id, guest) => {
    const outline = assertExists(findOutline(id), 'an outline for every guest');
    expect(outline).not.toHaveProperty('source');
    const fetched = await loadGuestFiles(outline);
    const {bytes, lines} = assembleGuest(guest);
    const instructions = lines.filter(({kind}) => kind === 'instruction');
    expect(fetched.guest).toEqual(guest);
    expect(fetched.assembly.bytes).toEqual(bytes);
    const told = fetched.assembly.lines.filter(({kind}) => kind === 'instruction');
    expect(told.map(({line, address, length, kind}) => [line, address, length, kind])).toEqual(
      instructions.map(({line, address, length, kind}) => [line, address, length, kind]),
    );
  },
);

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
function hasNasm(): boolean {
  try {
    execFileSync('nasm', ['-v'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}
