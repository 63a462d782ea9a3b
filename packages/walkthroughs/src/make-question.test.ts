// What is drawn decides what runs, and what runs decides what is right. The machine here is one that prints its program.

import type {RunChoice} from '@hyperscope/trace';
import {describe, expect, test} from 'vitest';
import {makeQuestion} from './make-question.js';
import type {MadeQuestion} from './make-question.js';
import {readScenario} from './read-scenario.js';
import type {ScenarioRecord, ScenarioRun} from './scenario-run.js';
import type {SeededQuestion} from './seeded-question.js';

const HEAD = [
  '---',
  'title: T',
  'teaches: x',
  'guest: g',
  'machine: bare',
  '---',
  '## One',
  '```step',
  'place: {from: start}',
  '```',
];
const file = (...lines: readonly string[]): string =>
  [...HEAD, '## Questions', '```seeded', 'name: n', ...lines, '```'].join('\n');

function seeded(...lines: readonly string[]): SeededQuestion {
  const read = readScenario(file(...lines), 'x.md');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const [question] = read.scenario.seeded;
  if (question === undefined) throw new Error('no question');
  return question;
}
function problem(...lines: readonly string[]): string {
  const read = readScenario(file(...lines), 'x.md');
  return read.ok ? '' : read.problems.map(({message}) => message).join(' ');
}

const ENDED: ScenarioRecord = {
  length: 0,
  finished: true,
  outcome: 'ended',
  cycleAt: () => 0,
  eventsOf: () => [],
  columns: {instructionLength: () => 0, kind: () => 'instruction', rip: () => 0n, who: () => 'guest-kernel'},
};

/** A run that has ended, and has printed its own program. */
class PrintingRun implements ScenarioRun {
  readonly source: string;
  readonly start = 0;
  readonly instructions = [];
  readonly record: ScenarioRecord = ENDED;

  constructor(source: string) {
    this.source = source;
  }
  textOf(): string {
    return '';
  }
  printed(): string {
    return this.source;
  }
  moment(): never {
    throw new Error('nobody asks for a moment');
  }
  extend(): void {}
}

interface Made extends MadeQuestion {
  readonly opened: readonly string[];
}

function make(question: SeededQuestion, set: number): Made {
  const opened: string[] = [];
  const open = ({edited = ''}: RunChoice): ScenarioRun => {
    opened.push(edited);
    return new PrintingRun(edited);
  };
  const base = {technique: 'bare', guest: 'g', edited: 'number X'};
  const slices = makeQuestion(question, base, set, {open, sourceOf: () => ''});
  for (;;) {
    const next = slices.next();
    if (next.done === true) return {...next.value, opened};
  }
}

const VALUE = seeded(
  'question: "What does {value} print?"',
  'draw: {value: {from: 1, to: 1000}}',
  "replace: [{text: X, by: '{value}'}]",
  'read: {printed: all}',
  'because: "It prints {answer}."',
);

describe('a value of the run', () => {
  test('is what the machine gave with the value that was drawn, among what others give', () => {
    const {text, choices, answer, because, opened, runs, shown} = make(VALUE, 1);
    const [, value] = /What does (\d+) print/.exec(text) ?? [];
    expect(choices[answer]).toBe(`\`"number ${value}"\``);
    expect(because).toBe(`It prints "number ${value}".`);
    expect(shown.choice.edited).toBe(`number ${value}`);
    expect(opened[0]).toBe(`number ${value}`);
    expect([new Set(choices).size, runs]).toEqual([4, 4]);
  });

  test('is the same in the same set, and another in another', () => {
    expect(make(VALUE, 5)).toEqual(make(VALUE, 5));
    const texts = [1, 2, 3, 4, 5, 6].map(set => make(VALUE, set).text);
    expect(new Set(texts).size).toBe(6);
  });

  test('is no question where every value gives the same', () => {
    const same = {...VALUE, replace: [{text: 'X', by: 'nothing'}]};
    expect(() => make(same, 1)).toThrow('every run gives "number nothing", so there is nothing to choose from');
  });
});

describe('an outcome', () => {
  const outcomes = (...lines: readonly string[]): SeededQuestion =>
    seeded(
      'question: What?',
      'draw: {value: [7, 8]}',
      "replace: [{text: X, by: '{value}'}]",
      'outcomes:',
      ...lines,
      'because: so',
    );

  test('is the one that is true of the run', () => {
    const question = outcomes(
      '  - {says: seven, expect: {prints: "number 7"}}',
      '  - {says: eight, expect: {prints: "number 8"}}',
    );
    const made = [1, 2, 3, 4, 5, 6, 7, 8].map(set => make(question, set));
    for (const {choices, answer, shown} of made)
      expect(choices[answer]).toBe(shown.choice.edited === 'number 7' ? 'seven' : 'eight');
    expect(new Set(made.map(({answer}) => answer)).size).toBe(2);
  });

  test('must be one and only one', () => {
    const none = outcomes('  - {says: a, expect: {prints: a}}', '  - {says: c, expect: {prints: c}}');
    const both = outcomes('  - {says: a, expect: {prints: n}}', '  - {says: c, expect: {prints: "{value}"}}');
    expect(() => make(none, 1)).toThrow('none of its outcomes is true');
    expect(() => make(both, 1)).toThrow('“a” and “c” are both true');
  });
});

test('which of several: one for which it is true, the rest for which it is not, each run', () => {
  const question = seeded(
    'question: Which has a 3 in it?',
    'draw: {value: [13, 22, 31, 44, 3, 50, 62]}',
    "replace: [{text: X, by: '{value}'}]",
    "which: {draw: value, choices: 3, expect: {prints: '3'}}",
    'because: "{answer} does."',
  );
  for (let set = 1; set <= 20; set++) {
    const {choices, answer, because, opened} = make(question, set);
    expect(choices.filter(each => each.includes('3'))).toEqual([choices[answer]]);
    expect(choices).toHaveLength(3);
    expect(`\`${because}`).toBe(`${choices[answer]?.replace(/`$/, '')} does.`);
    for (const each of choices) expect(opened).toContain(`number ${each.replaceAll('`', '')}`);
  }
});

test.each([
  ['nothing is drawn', ['question: a', 'read: {printed: all}', 'because: b'], 'A seeded question draws something.'],
  [
    'a name is drawn nowhere',
    ['question: "{x} and {y}"', 'draw: {x: [1, 2]}', 'read: {printed: all}', 'because: b'],
    '{y} is drawn nowhere.',
  ],
  [
    'one thing to draw from',
    ['question: a', 'draw: {x: [1]}', 'read: {printed: all}', 'because: b'],
    'nothing to draw x from',
  ],
  ['it asks nothing', ['question: a', 'draw: {x: [1, 2]}', 'because: b'], 'It is not said what is asked.'],
  [
    'it asks two things',
    ['question: a', 'draw: {x: [1, 2]}', 'read: {printed: all}', 'which: {draw: x, expect: {prints: a}}', 'because: b'],
    'It asks two things',
  ],
  [
    'it asks which of what',
    ['question: a', 'draw: {x: {from: 1, to: 2}}', 'which: {draw: x, expect: {prints: a}}', 'because: b'],
    '“x” is no list',
  ],
  [
    'a range without end',
    ['question: a', 'draw: {x: {from: 5, to: 2}}', 'read: {printed: all}', 'because: b'],
    'to of x must be a whole number from 6',
  ],
])('%s: that is told', (_what, lines, message) => {
  expect(problem(...lines)).toContain(message);
});
