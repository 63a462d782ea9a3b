import {describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {CLASSIFY} from './classify.js';

const classify = async (...args: readonly string[]) => await runInProcess([CLASSIFY], ['classify', ...args]);

describe('hyperscope classify', () => {
  test('tells a hole from a trap, with the states that showed it', async () => {
    const {out, status} = await classify('popf', 'cli');
    expect(status).toBe(0);
    expect(out).toContain('POPF (32-bit code): stealth\n');
    expect(out).toContain('CPL 0: IF and IOPL in RFLAGS: 0h → 3200h\n');
    expect(out).toContain('CLI (32-bit code): privileged and sensitive\n');
    expect(out).toContain('CPL 0 / CPL 3: #GP in the second\n');
  });

  test('of 64-bit code: IRETQ is a hole, SYSCALL a system call', async () => {
    const {out} = await classify('iretq', 'syscall', '--mode', '64');
    expect(out).toContain('IRETQ (64-bit code): stealth');
    expect(out).toContain('SYSCALL (64-bit code): system call');
  });

  test('a mnemonic stands for all that are called so, and a full name for one', async () => {
    const {out} = await classify('mov');
    expect(out.match(/^MOV.*code\): .*$/gm)).toHaveLength(7);
    expect((await classify('mov r/m, sreg')).out.match(/code\)/g)).toHaveLength(1);
  });

  test('says what UMIP changes, and what the strict processor does', async () => {
    expect((await classify('sidt')).out).toContain('SIDT (32-bit code): stealth');
    expect((await classify('sidt', '--cpu', 'modern-intel')).out).toContain('privileged and sensitive');
    const strict = await classify('popf', 'lar', 'int', '--cpu', 'westmere,+strict', '--theorem');
    expect(strict.out).toContain('Theorem 1: that every sensitive instruction is privileged is true here.');
    expect(strict.out).toContain('INT: unprivileged, but they trap by design');
  });

  test('prints the verdicts with what breaks them, and says that the condition is a sufficient one', async () => {
    const {out} = await classify('popf', 'pushf', '--theorem');
    expect(out).toContain('is not true here.\n  Because of POPF · POPFD · PUSHF · PUSHFD.');
    expect(out).toContain('Because of PUSHF · PUSHFD.');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('It states a sufficient condition');
  });

  test('as JSON: classes of both methods, witnesses and verdicts', async () => {
    const found = JSON.parse((await classify('sgdt', '--json')).out);
    expect(found).toMatchObject({
      processor: 'westmere',
      mode: 32,
      instructions: [{name: 'SGDT', verdict: 'stealth', recorded: {locationSensitive: true}, unexplained: []}],
    });
    expect(found.instructions[0].executed.properties).toEqual(found.instructions[0].recorded);
    expect(found.theorems[0]).toMatchObject({theorem: 1, kind: 'fails', breakers: ['SGDT']});
  });

  test.each([
    [['popff'], 'There is no instruction "popff". Did you mean POPF?'],
    [[''], 'An instruction has a name.'],
    [['lds', '--mode', '64'], 'LDS: not an instruction of westmere in 64-bit code. Try --mode 32.'],
    [['popf', '--mode', '16'], '--mode is 32 or 64'],
    [['popf', '--cpu', 'i386'], 'i386 has no large pages'],
    [['popf', '--cpu', 'pentium', '--mode', '64'], 'pentium has no 64-bit mode'],
    [['--machine', 'vax'], 'There is no machine "vax". There are x86 and toy.'],
    [['--machine', 'toy', '--add', 'jrst'], 'Did you mean JRST1?'],
    [['popf', '--add', 'jrst1'], 'to the toy machine only'],
  ] as const)('%j is refused with a sentence', async (args, sentence) => {
    const {notes, status} = await classify(...args);
    expect(status).toBe(2);
    expect(notes).toContain(sentence);
  });
});

describe('the toy machine', () => {
  test('keeps both premises as it is', async () => {
    const {out} = await classify('--machine', 'toy');
    expect(out).toContain('Theorem 1: its premise holds.\nTheorem 3: its premise holds.\n');
  });
  test('with JRST 1 loses the first and keeps the third', async () => {
    const {out} = await classify('--machine', 'toy', '--add', 'jrst1');
    expect(out).toContain('Theorem 1: its premise fails, because of JRST1.\nTheorem 3: its premise holds.\n');
    expect(out).toContain('JRST1: control sensitive: from M = s, R = (8, 6) it completes with M = u, R = (8, 6)');
  });
});
