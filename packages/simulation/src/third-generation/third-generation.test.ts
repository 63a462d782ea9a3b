// The toy machine keeps the paper's promises: its instructions are what the definitions say, an instruction added breaks the
// theorem that the paper says it breaks, and the definitions hold of programs and places that the classifier never saw.

import {describe, expect, test} from 'vitest';
import fc from 'fast-check';
import {assertExists} from '@hyperscope/base';
import {classifyToy, programOf, stateOf, toyTheorem} from './classify.js';
import {ADDED_INSTRUCTIONS, TOY_INSTRUCTIONS} from './instructions.js';
import {execute} from './machine.js';
import type {Mode, ToyInstruction} from './machine.js';

const named = (name: string): ToyInstruction =>
  assertExists(
    [...TOY_INSTRUCTIONS, ...ADDED_INSTRUCTIONS].find(each => each.name === name),
    `${name} exists`,
  );
const classes = (...added: readonly string[]) => [...TOY_INSTRUCTIONS, ...added.map(named)].map(classifyToy);
const STATE = (M: Mode = 'u') => stateOf([1, 2, 3, 4, 5, 6], M, {l: 20, b: 6});

describe('the machine', () => {
  test('relocates every address by l', () =>
    expect(execute(named('MOVE'), [0, 3], STATE()).state.E.slice(20, 26)).toEqual([4, 2, 3, 4, 5, 6]));

  test('traps where an address is not below b, and the old PSW points at the instruction', () => {
    const {ending, state} = execute(named('MOVE'), [0, 6], STATE());
    expect(ending).toBe('memory trap');
    expect(state.E.slice(0, 4)).toEqual([0, 2, 20, 6]);
    expect(state).toMatchObject({M: 's', P: 30, R: {l: 0, b: 64}});
  });

  test('CALL exchanges PSWs in both modes', () => {
    for (const M of ['s', 'u'] as const) expect(execute(named('CALL'), [], STATE(M))).toMatchObject({ending: 'trap'});
  });
});

describe('classification', () => {
  test.each([
    ['MOVE', {privileged: false, innocuous: true}],
    ['JZERO', {privileged: false, innocuous: true}],
    ['CALL', {privileged: false, innocuous: true}],
    ['LPSW', {privileged: true, controlSensitive: true, userSensitive: false}],
    ['LRB', {privileged: true, controlSensitive: true}],
    ['SRB', {privileged: true, locationSensitive: true, controlSensitive: false}],
    ['JRST1', {privileged: false, controlSensitive: true, modeSensitive: false, userSensitive: false}],
    ['SETR', {privileged: false, controlSensitive: true, userSensitive: false, supervisorSensitive: true}],
    ['LRA', {privileged: false, locationSensitive: true, modeSensitive: false, userSensitive: true}],
    ['SMODE', {privileged: false, modeSensitive: true, locationSensitive: false, userSensitive: true}],
  ] as const)('%s', (name, expected) => expect(classifyToy(named(name))).toMatchObject(expected));

  test('says which states showed it', () =>
    expect(classifyToy(named('JRST1')).witnesses).toEqual([
      'control sensitive: from M = s, R = (8, 6) it completes with M = u, R = (8, 6)',
    ]));
});

describe('the theorems', () => {
  test('hold of the machine as it is', () => {
    expect([toyTheorem(1, classes()).kind, toyTheorem(3, classes()).kind]).toEqual(['holds', 'holds']);
  });
  test.each([
    ['JRST1', 'fails', 'holds'],
    ['SETR', 'fails', 'holds'],
    ['LRA', 'fails', 'fails'],
    ['SMODE', 'fails', 'fails'],
    ['LRA-S', 'holds', 'holds'],
  ] as const)('with %s: Theorem 1 %s, Theorem 3 %s', (name, first, third) => {
    const [one, three] = [toyTheorem(1, classes(name)), toyTheorem(3, classes(name))];
    expect([one.kind, three.kind]).toEqual([first, third]);
    expect(one.breakers).toEqual(first === 'fails' ? [name] : []);
  });
});

describe('of programs, places and operands that the classifier never saw', () => {
  const program = fc.array(fc.integer({min: 0, max: 63}), {minLength: 6, maxLength: 6});
  const operands = fc.tuple(fc.integer({min: 0, max: 7}), fc.integer({min: 0, max: 7}));
  const base = fc.integer({min: 8, max: 50});
  const of = (which: 'innocuous' | 'privileged') =>
    fc.constantFrom(...[...TOY_INSTRUCTIONS, ...ADDED_INSTRUCTIONS].filter(each => classifyToy(each)[which]));

  test('an innocuous instruction does the same in every mode and place, and leaves M and R alone', () => {
    fc.assert(
      fc.property(of('innocuous'), program, operands, base, base, (instruction, words, args, l, other) => {
        const run = (M: Mode, at: number) => execute(instruction, args, stateOf(words, M, {l: at, b: 6}));
        const [s, u, moved] = [run('s', l), run('u', l), run('u', other)];
        expect(s.ending).toBe(u.ending);
        expect(moved.ending).toBe(u.ending);
        if (u.ending !== 'completed') return;
        expect(u.state).toMatchObject({M: 'u', R: {l, b: 6}});
        expect(programOf(moved.state, {l: other, b: 6})).toEqual(programOf(u.state, {l, b: 6}));
        expect(programOf(s.state, {l, b: 6})).toEqual(programOf(u.state, {l, b: 6}));
        expect([s.state.P, moved.state.P]).toEqual([u.state.P, u.state.P]);
      }),
    );
  });

  test('a privileged instruction traps in user mode, and in supervisor mode only for its address', () => {
    fc.assert(
      fc.property(of('privileged'), program, operands, base, (instruction, words, args, l) => {
        const run = (M: Mode) => execute(instruction, args, stateOf(words, M, {l, b: 6})).ending;
        expect(run('u')).toBe('trap');
        expect(run('s')).not.toBe('trap');
      }),
    );
  });
});
