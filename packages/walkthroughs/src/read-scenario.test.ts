// A scenario file is read strictly, says where it is wrong, and cannot do anything to who reads it.

import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {readScenario} from './read-scenario.js';
import type {Problem} from './problem.js';
import type {Scenario} from './scenario.js';

const HEAD = ['---', 'title: T', 'teaches: Something', 'guest: popf', 'machine: bare', '---', ''];
const STEP = ['## One', '', '```step', 'place: {from: start}', '```'];
const file = (...lines: readonly string[]): string => lines.join('\n');

function problems(text: string): readonly Problem[] {
  const read = readScenario(text, 'x.md');
  return read.ok ? [] : read.problems;
}
function scenario(text: string): Scenario {
  const read = readScenario(text, 'My File.md');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.scenario;
}

test('what a file says is what is read', () => {
  const read = scenario(
    file(
      ...HEAD,
      'Before *everything*.',
      '',
      '```program',
      '        hlt',
      '```',
      '',
      ...STEP,
      'Seen here.',
      '```',
      'code',
      '```',
      '',
      '```note',
      'Slowly.',
      '```',
      '',
      '## Questions',
      '',
      '```question',
      'question: Why?',
      'choices: [this, that]',
      'answer: 2',
      'because: so',
      'check: {expect: {prints: x}}',
      '```',
    ),
  );
  expect(read).toMatchObject({
    id: 'my-file',
    title: 'T',
    choice: {technique: 'bare', guest: 'popf', edited: '        hlt'},
    machines: ['bare'],
    introduction: 'Before *everything*.',
    steps: [{title: 'One', place: {from: 'start', occurrence: 1}, text: 'Seen here.\n```\ncode\n```', note: 'Slowly.'}],
    questions: [{text: 'Why?', choices: ['this', 'that'], answer: 1, check: {expect: {prints: 'x'}}}],
  });
});

describe('what is wrong is told with its line and what to do', () => {
  test.each([
    ['no front matter', file('# Hello'), 1, 'There is no front matter.'],
    ['front matter without an end', file('---', 'title: x'), 1, 'does not end'],
    [
      'an unknown name',
      file(...HEAD.slice(0, 5), 'colour: red', '---', ...STEP),
      6,
      '“colour” is nothing that the front matter has',
    ],
    [
      'a missing name',
      file('---', 'title: T', 'guest: popf', 'machine: bare', '---', ...STEP),
      2,
      'the front matter has no teaches',
    ],
    ['no step', file(...HEAD), 1, 'There is no step.'],
    ['a step without a place', file(...HEAD, '## Lost'), 8, '“Lost” does not say where it is.'],
    ['a fence without an end', file(...HEAD, '## One', '```step', 'place: {from: start}'), 9, 'does not end'],
    [
      'a word that is none of the list',
      file(...HEAD, '## One', '```step', 'place: {from: middle}', '```'),
      10,
      'from of place cannot be “middle”.',
    ],
    ['YAML that is none', file(...HEAD, '## One', '```step', 'place: {from: start', '```'), 10, ''],
    [
      'an answer that is no choice',
      file(
        ...HEAD,
        ...STEP,
        '```predict',
        'question: a',
        'choices: [b, c]',
        'answer: 3',
        'because: d',
        'check: {expect: {prints: x}}',
        '```',
      ),
      16,
      'must be a whole number from 1 to 2',
    ],
    [
      'a prediction that nothing shows',
      file(...HEAD, ...STEP, '```predict', 'question: a', 'choices: [b, c]', 'answer: 1', 'because: d', '```'),
      14,
      'Nothing shows that the answer is right.',
    ],
    [
      'a break-it that changes nothing',
      file(...HEAD, ...STEP, '```break', 'title: a', 'explanation: b', 'expect: {prints: c}', '```'),
      14,
      '“a” changes nothing.',
    ],
    [
      'a block where it cannot be',
      file(...HEAD, '```step', '```', ...STEP),
      8,
      'A block “step” cannot stand before the first step.',
    ],
  ])('%s', (_what, text, line, message) => {
    const found = problems(text);
    expect(
      found.some(problem => problem.line === line && problem.message.includes(message) && problem.advice !== ''),
    ).toBe(true);
  });

  test('all of it at once, in the order of the file', () => {
    const lines = problems(file(...HEAD, '## A', '## B', '## C')).map(({line}) => line);
    expect(lines).toEqual([8, 9, 10]);
  });
});

describe('a hostile file', () => {
  test('may be of any text: it is read or refused, and nothing is thrown', () =>
    fc.assert(
      fc.property(fc.string({maxLength: 400, unit: 'grapheme'}), fc.string({maxLength: 200}), (head, body) => {
        const read = readScenario(`---\n${head}\n---\n## x\n\`\`\`step\n${body}\n\`\`\`\n`, 'x.md');
        expect(read.ok || read.problems.length > 0).toBe(true);
      }),
      {numRuns: 300},
    ));
  test('that is too large is not read', () => {
    expect(problems('x'.repeat(300_000))).toMatchObject([{message: 'The file is too large.'}]);
  });
  test('that multiplies itself by aliases is refused', () => {
    const bomb = ['a: &a [x, x]', 'b: &b [*a, *a]', 'c: &c [*b, *b]', 'title: *c'];
    expect(problems(file('---', ...bomb, '---', ...STEP)).length).toBeGreaterThan(0);
  });
  test('sets no property of any object', () => {
    const text = file(...HEAD.slice(0, 5), 'switches: {__proto__: polluted}', '---', '', ...STEP);
    readScenario(text, 'x.md');
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  });
});
