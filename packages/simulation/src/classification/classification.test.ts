// The two classifications agree, and the result is the one that history knows. A difference between them is a mistake in the
// recorded meaning, in what a helper declares, in the samples, or a line with its reason in classification-exceptions.ts.

import {describe, expect, test} from 'vitest';
import {MODERN_INTEL, WESTMERE, profileById, withFeature, withStrictness} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {assertExists} from '@hyperscope/base';
import {CLASSIFICATION_EXCEPTIONS} from './classification-exceptions.js';
import {classifyInstructions} from './classification.js';
import type {InstructionClass} from './classification.js';
import {INSTRUCTIONS} from './instruction-names.js';
import {BEYOND_THE_LIST, ROBIN_AND_IRVINE} from './published-list.js';
import type {ClassifiedMode} from './state-layout.js';
import {theorem} from './theorems.js';

/** Half a million runs take their time. */
const PATIENCE = 240_000;
/** With the two instructions that no profile announces: CRC32 and LDDQU. */
const EVERYTHING = withFeature(withFeature(MODERN_INTEL, 'sse42', 'on'), 'sse3', 'on');
const AMD = assertExists(profileById('amd-svm'), 'there is a profile with SVM');

/** What is AMD's alone, or different there. */
const AMDS_OWN = [...INSTRUCTIONS]
  .filter(([name, forms]) => name.startsWith('SYS') || forms.every(({feature}) => feature === 'svm'))
  .map(([name]) => name);

const differences = (classes: readonly InstructionClass[]): readonly string[] =>
  classes.flatMap(({name, mode, recorded, unexplained}) =>
    unexplained.map(
      property => `${name} (${mode}): ${property} is ${String(recorded[property])} by its meaning, not when run`,
    ),
  );
const called = (classes: readonly InstructionClass[], verdict: InstructionClass['verdict']): readonly string[] =>
  classes.filter(each => each.verdict === verdict).map(({name}) => name);
const one = (profile: ProcessorProfile, mode: ClassifiedMode, name: string): InstructionClass =>
  assertExists(classifyInstructions(profile, mode, [name])[0], `${name} exists`);

const classified = new Set<string>();

describe.each([
  // SYSCALL and SYSRET outside long mode are AMD's alone; no profile announces performance counters.
  [EVERYTHING, 32, ['UD2', 'UD1', 'UD0', 'SYSCALL', 'SYSRET', 'RSM', 'RDPMC'], undefined],
  [EVERYTHING, 64, ['UD2', 'UD1', 'UD0', 'RSM', 'RDPMC'], undefined],
  // SYSENTER and SYSEXIT in long mode are Intel's alone; VMMCALL and SKINIT want an intercept, which a host has not.
  [AMD, 64, ['SYSENTER', 'SYSEXIT', 'VMMCALL', 'SKINIT'], AMDS_OWN],
] as const)('$0.id, $1-bit code', (profile, mode, alwaysTrap, names) => {
  let classes: readonly InstructionClass[] = [];
  test(
    'every instruction is classified the same way from its meaning and by running it',
    () => {
      classes = classifyInstructions(profile, mode, names);
      for (const {name} of classes) classified.add(name);
      expect(classes.length).toBeGreaterThan(names === undefined ? 330 : 10);
      expect(differences(classes)).toEqual([]);
    },
    PATIENCE,
  );
  test('every instruction completed at least once, but for those that cannot', () =>
    expect(called(classes, 'always traps')).toEqual(alwaysTrap));
  test('every exception is still one', () => {
    const needed = CLASSIFICATION_EXCEPTIONS.filter(
      ({names, modes}) => modes.includes(mode) && names.every(name => classes.some(each => each.name === name)),
    );
    for (const {names, property} of needed)
      for (const name of names)
        expect(classes.find(each => each.name === name)?.disagreements, name).toContain(property);
  });
  test('what is sensitive and unprivileged is on the list of Robin and Irvine, or beyond it with a reason', () => {
    const listed = ROBIN_AND_IRVINE.flatMap(({names}) => names);
    expect(called(classes, 'stealth').filter(name => !listed.includes(name) && !BEYOND_THE_LIST.has(name))).toEqual([]);
  });
});

test('together these are all instructions of the opcode table, but for ESC, which needs a processor without FPU', () => {
  expect([...INSTRUCTIONS.keys()].filter(name => !classified.has(name))).toEqual(['ESC']);
  expect(one(withFeature(WESTMERE, 'fpu', 'off'), 32, 'ESC')).toMatchObject({verdict: 'innocuous', unexplained: []});
});

describe("Robin and Irvine's list, computed in 32-bit code on a processor without UMIP", () => {
  const names = ROBIN_AND_IRVINE.flatMap(each => each.names);
  const classes = classifyInstructions(WESTMERE, 32, names);

  test('has eighteen mnemonics, six about registers and twelve about protection', () => {
    expect(ROBIN_AND_IRVINE.filter(({group}) => group === 'sensitive register instructions')).toHaveLength(6);
    expect(ROBIN_AND_IRVINE.filter(({group}) => group === 'protection system references')).toHaveLength(12);
  });

  test('all are sensitive and unprivileged; of them INT n alone hands control to the system', () => {
    expect(called(classes, 'system call')).toEqual(['INT']);
    expect(classes.filter(({verdict}) => verdict !== 'stealth').map(({name}) => name)).toEqual(['INT']);
  });

  test('with UMIP five leave it, by both methods', () => {
    const withUmip = classifyInstructions(MODERN_INTEL, 32, names);
    expect(called(withUmip, 'privileged and sensitive')).toEqual(['SGDT', 'SIDT', 'SLDT', 'SMSW', 'STR']);
    expect(differences(withUmip)).toEqual([]);
  });

  test('on the strict processor none is left, and INT n is still there for programs', () => {
    const strict = classifyInstructions(withStrictness(WESTMERE), 32, [...names, ...BEYOND_THE_LIST.keys()]);
    expect(differences(strict)).toEqual([]);
    expect(called(strict, 'stealth')).toEqual([]);
    expect(called(strict, 'system call')).toEqual(['INT']);
    expect(theorem(1, strict).kind).toBe('holds');
  });

  test('breaks the condition of Theorem 1 with all of it but INT n, and of Theorem 3 without POPF', () => {
    const [first, third] = [theorem(1, classes), theorem(3, classes)];
    expect(first.kind).toBe('fails');
    expect(first.breakers).toHaveLength(classes.length - 1);
    expect(first.systemCalls).toEqual(['INT']);
    expect(first.breakers.filter(name => !third.breakers.includes(name))).toEqual(['POPF', 'POPFD']);
  });
});

describe('witnesses', () => {
  test('POPF: at CPL 0 it changes IF and IOPL; at CPL 3 it completes, and a user program can tell nothing', () => {
    const {executed} = one(WESTMERE, 32, 'POPFD');
    expect(executed.witnesses.map(({shows}) => shows)).toEqual(['unprivileged', 'controlSensitive']);
    expect(executed.witnesses[1]).toMatchObject({states: 'CPL 0', code: 'popfd', bytes: '9d'});
    expect(executed.witnesses[1]?.difference).toBe('IF and IOPL in RFLAGS: 0h → 3200h');
  });
  test('PUSHF shows IF from both rings: location sensitive, and user sensitive', () => {
    const {executed} = one(WESTMERE, 32, 'PUSHFD');
    expect(executed.witnesses.map(({shows}) => shows)).toEqual(['unprivileged', 'locationSensitive', 'userSensitive']);
    expect(executed.witnesses[1]?.states).toBe('CPL 0, twice; in the second IF is 1');
  });
  test('MOV from a segment register shows CPL in the low bits of CS', () => {
    const found = one(WESTMERE, 32, 'MOV r/m, Sreg').executed.witnesses.find(({shows}) => shows === 'modeSensitive');
    expect(found).toMatchObject({states: 'CPL 0 / CPL 3', difference: 'RAX: 8h / 1bh', code: 'mov eax, cs'});
  });
  test('CLI is privileged because IOPL is 0: it traps at CPL 3, and its meaning says on what that depends', () => {
    const {executed, privilegedWhen} = one(WESTMERE, 32, 'CLI');
    expect(executed.witnesses[0]).toMatchObject({shows: 'privileged', difference: '#GP in the second'});
    expect(privilegedWhen).toBe('CPL > IOPL');
  });
  test('IRETQ is a hole and SYSCALL is none: the one changes segments in silence, the other arrives at LSTAR', () => {
    expect(one(WESTMERE, 64, 'IRETQ').verdict).toBe('stealth');
    const {executed, verdict} = one(WESTMERE, 64, 'SYSCALL');
    expect(verdict).toBe('system call');
    expect(executed.properties).toMatchObject({systemCall: true, controlSensitive: true, privileged: false});
  });
});
