import {describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {CARD} from './card.js';

const card = async (...args: readonly string[]) => await runInProcess([CARD], ['card', ...args]);

describe('hyperscope card', () => {
  test('shows POPF in every ring, who was told, and its grid', async () => {
    const {out, status} = await card('popf');
    expect(status).toBe(0);
    expect(out).toMatch(/on the bare machine, in ring 0 +00000000 +right +nobody/);
    expect(out).toMatch(/under trap-and-emulate, in ring 1 +00000200 +wrong +nobody/);
    expect(out).toMatch(/strict processor, where it traps +00000000 +right +the monitor, by an exception/);
    expect(out).toMatch(/under VT-x, in ring 0 of non-root operation +00000000 +right +nobody/);
    expect(out).toMatch(
      /CPL 3 +kept in silence \(#GP\) +kept in silence \(#GP\) +kept in silence \(#GP\) +obeyed \(obeyed\)/,
    );
    expect(out).toMatch(/virtual-8086 +#GP \(#GP\)/);
  });

  test('lists eighteen, with a mark where the answer was wrong', async () => {
    const {out} = await card();
    expect(out.match(/✗/g)?.length).toBeGreaterThan(30);
    expect(out).toMatch(/^SGDT +8060 +\S+ ✗ +\S+ ✗ +8060 traps/m);
    expect(out).toMatch(/^INT n +c +c traps +c traps/m);
    expect(out.split('\n').filter(line => /^[A-Z]{3}/.test(line))).toHaveLength(18);
  }, 180_000);

  test('as JSON: the card and its runs', async () => {
    const [found] = JSON.parse((await card('str', '--json')).out);
    expect(found).toMatchObject({id: 'card-str', umip: 'traps'});
    expect(found.runs[0]).toMatchObject({run: 'ring 0', value: '00000028', verdict: 'right'});
  });

  test('prints the source of a card, which can be assembled', async () => {
    expect((await card('int', '--source')).out).toContain('        int 0x80\n');
  });

  test.each([
    [['popff'], 'There is no card "popff". Did you mean popf?'],
    [['cli'], 'There is no card "cli"'],
    [['--source'], 'Which source?'],
    [['popf', 'cli'], 'Give one card at a time'],
  ] as const)('%j is refused with a sentence', async (args, sentence) => {
    const {notes, status} = await card(...args);
    expect(status).toBe(2);
    expect(notes).toContain(sentence);
  });
});
