// Seeded questions out of their YAML blocks.

import type {Fields} from './fields.js';
import {LIMITS} from './limits.js';
import {readExpectation, readPattern, readPlace, readTrial} from './read-parts.js';
import type {Ask, Draw, Outcome, Reading, SeededQuestion} from './seeded-question.js';

const LONG = 8000;
const LARGEST = 1_000_000_000;
const ASKS = ['read', 'outcomes', 'which'] as const;

export function readSeeded(fields: Fields): SeededQuestion {
  const draws = readDraws(fields.map('draw'), fields);
  const question: SeededQuestion = {
    name: readName(fields),
    text: fields.required('question', LONG),
    draws,
    ...readTrial(fields),
    ask: readAsk(fields, draws),
    because: fields.required('because', LONG),
  };
  checkNames(question, fields);
  fields.done(['name', 'question', 'draw', 'technique', 'switches', 'replace', ...ASKS, 'because']);
  return question;
}

function readName(fields: Fields): string {
  const name = fields.required('name');
  if (name !== '' && !/^[a-z][a-z0-9-]{0,39}$/.test(name))
    fields.problem(
      fields.lineOf('name'),
      'The name of a seeded question must be of small letters, digits and hyphens.',
      'Write such as name: popf-grid. It stays when the text is changed, so that each set keeps its values.',
    );
  return name;
}

function readDraws(fields: Fields | undefined, question: Fields): readonly Draw[] {
  if (fields === undefined) {
    question.problem(
      question.line,
      'A seeded question draws something.',
      'Write draw: {name: [one, another]} or draw: {name: {from: 1, to: 99}}.',
    );
    return [];
  }
  return fields.names.flatMap(name => {
    if (!/^[a-z][a-z0-9-]{0,29}$/.test(name) || name === 'answer')
      fields.problem(
        fields.lineOf(name),
        `A draw cannot be called “${name.slice(0, 30)}”.`,
        'Use small letters, digits and hyphens; “answer” is the answer.',
      );
    const draw = fields.isList(name) ? readList(fields, name) : readRange(fields, name);
    return draw === undefined ? [] : [draw];
  });
}

function readList(fields: Fields, name: string): Draw | undefined {
  const values = fields.texts(name, LIMITS.draws) ?? [];
  if (values.length >= 2) return {kind: 'list', name, values};
  fields.problem(
    fields.lineOf(name),
    `There is nothing to draw ${name} from.`,
    `Write ${name}: [one, another], or {from: 1, to: 99}.`,
  );
  return undefined;
}

function readRange(fields: Fields, name: string): Draw | undefined {
  const range = fields.map(name);
  if (range === undefined) return undefined;
  const from = range.integer('from', 0, LARGEST) ?? 0;
  const to = range.integer('to', from + 1, LARGEST) ?? from + 1;
  const step = range.integer('step', 1, to - from) ?? 1;
  range.done(['from', 'to', 'step']);
  return {kind: 'range', name, from, to, step};
}

function readAsk(fields: Fields, draws: readonly Draw[]): Ask {
  const [what, more] = ASKS.filter(name => fields.has(name));
  if (what === undefined || more !== undefined)
    fields.problem(
      fields.line,
      what === undefined ? 'It is not said what is asked.' : `It asks two things, ${what} and ${more}.`,
      `Write one of: ${ASKS.join(', ')}.`,
    );
  switch (what) {
    case 'outcomes':
      return {kind: 'outcome', outcomes: readOutcomes(fields)};
    case 'which':
      return readWhich(fields, draws);
    default:
      return {kind: 'value', read: readReading(fields.map('read'), fields)};
  }
}

function readOutcomes(fields: Fields): readonly Outcome[] {
  const outcomes = (fields.maps('outcomes', LIMITS.choices) ?? []).map(each => {
    const expect = each.map('expect');
    if (expect === undefined)
      each.problem(each.line, 'How is this outcome known?', 'Write expect: {prints: …} or another expectation.');
    const outcome = {says: each.required('says'), expect: expect === undefined ? {} : readExpectation(expect)};
    each.done(['says', 'expect']);
    return outcome;
  });
  if (outcomes.length < 2)
    fields.problem(
      fields.lineOf('outcomes'),
      'There must be at least two outcomes.',
      'Write outcomes: with - {says: …, expect: …} for each.',
    );
  return outcomes;
}

function readWhich(fields: Fields, draws: readonly Draw[]): Ask {
  const which = fields.map('which');
  const draw = which?.required('draw') ?? '';
  const choices = which?.integer('choices', 2, LIMITS.choices) ?? 3;
  const expect = which?.map('expect');
  if (which !== undefined && expect === undefined)
    which.problem(which.line, 'What is true of the right one?', 'Write expect: {occurs: …} or another expectation.');
  if (which !== undefined && !draws.some(({name, kind}) => name === draw && kind === 'list'))
    which.problem(which.line, `“${draw.slice(0, 30)}” is no list that is drawn from.`, 'Name one of those under draw.');
  which?.done(['draw', 'choices', 'expect']);
  return {kind: 'which', draw, choices, expect: expect === undefined ? {} : readExpectation(expect)};
}

function readReading(fields: Fields | undefined, question: Fields): Reading {
  const names = ['register', 'count', 'printed'].filter(name => fields?.has(name) === true);
  if (fields === undefined || names.length !== 1) {
    question.problem(
      question.line,
      'It must be said which one thing is read.',
      'Write read: {register: RAX}, read: {count: {kind: vm-exit}} or read: {printed: all}.',
    );
    return {kind: 'printed'};
  }
  const count = fields.map('count');
  const register = fields.text('register');
  const place = fields.map('place');
  const form = fields.oneOf('form', ['decimal', 'hex'] as const) ?? 'decimal';
  fields.oneOf('printed', ['all'] as const);
  fields.done(['register', 'count', 'printed', 'place', 'form']);
  if (count !== undefined) return {kind: 'count', event: readPattern(count)};
  if (register === undefined) return {kind: 'printed'};
  return {
    kind: 'register',
    register,
    form,
    place: place === undefined ? {from: 'end', occurrence: 1} : readPlace(place),
  };
}

/** A name in braces that is drawn nowhere is a slip of the pen. */
function checkNames({text, because, draws}: SeededQuestion, fields: Fields): void {
  const known = new Set(draws.map(({name}) => name));
  for (const [field, value, more] of [
    ['question', text, []],
    ['because', because, ['answer']],
  ] as const)
    for (const [braces, name = ''] of value.matchAll(/\{([a-z][a-z0-9-]*)\}/g))
      if (!known.has(name) && !more.some(each => each === name))
        fields.problem(fields.lineOf(field), `${braces} is drawn nowhere.`, 'Write its values under draw.');
}
