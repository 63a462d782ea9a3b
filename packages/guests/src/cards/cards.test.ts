import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {assembleGuest} from '../assembled-guest.js';
import {CARD_GUESTS, GUESTS, findGuest} from '../guests.js';
import {STEALTH_CARDS} from './cards.js';

const nasm = hasNasm();

test('there are eighteen cards, six about registers and twelve about protection, each with an id of its own', () => {
  expect(STEALTH_CARDS.filter(({group}) => group === 'sensitive register instructions')).toHaveLength(6);
  expect(STEALTH_CARDS.filter(({group}) => group === 'protection system references')).toHaveLength(12);
  expect(new Set(STEALTH_CARDS.map(({id}) => id)).size).toBe(18);
});

test('UMIP is said to make five of them trap', () =>
  expect(STEALTH_CARDS.filter(({umip}) => umip === 'traps').map(({mnemonic}) => mnemonic)).toEqual([
    'SGDT',
    'SIDT',
    'SLDT',
    'SMSW',
    'STR',
  ]));

test('cards do not stand among the guests, and are found by their names', () => {
  expect(GUESTS.some(({id}) => id.startsWith('card-'))).toBe(false);
  expect(findGuest('card-popf')?.title).toBe('Card: POPF');
});

describe.each(CARD_GUESTS.map(guest => [guest.id, guest] as const))('%s', (_, guest) => {
  test('assembles, and has the instruction between its two labels', () => {
    const {symbols, bytes} = assembleGuest(guest);
    const [stealth, after] = [symbols.get('stealth') ?? 0n, symbols.get('after') ?? 0n];
    expect(after - stealth).toBeGreaterThan(0n);
    expect(after - stealth).toBeLessThan(12n);
    expect(bytes.length).toBeLessThan(4096);
  });

  test.skipIf(!nasm)('is byte for byte what nasm makes of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
    writeFileSync(join(folder, 'guest.asm'), guest.source);
    execFileSync('nasm', ['-f', 'bin', '-o', 'guest.bin', 'guest.asm'], {cwd: folder});
    expect(Buffer.from(assembleGuest(guest).bytes).equals(readFileSync(join(folder, 'guest.bin')))).toBe(true);
  });

  test('has lines that fit a screen, and says what a deprivileged kernel believes', () => {
    expect(guest.source.split('\n').filter(line => line.length > 120)).toEqual([]);
    expect(guest.source).toContain('; Outside ring 0: ');
  });
});

function hasNasm(): boolean {
  try {
    execFileSync('nasm', ['-v'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}
