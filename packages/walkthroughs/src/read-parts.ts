// Parts of a scenario out of the fields of YAML blocks: places, patterns, expectations, questions, trials.

import {ACTOR_ORDER, GRANULARITIES} from '@hyperscope/trace';
import type {TraceEvent} from '@hyperscope/trace';
import type {Fields} from './fields.js';
import {LIMITS} from './limits.js';
import type {BreakIt, EventCount, EventPattern, Expectation, Place, Question, Trial} from './scenario.js';

const KINDS = Object.keys({
  delivery: true,
  device: true,
  emulation: true,
  exception: true,
  halt: true,
  injection: true,
  ioctl: true,
  mode: true,
  port: true,
  ring: true,
  serial: true,
  translation: true,
  unsupported: true,
  'control-register': true,
  'exit-handled': true,
  'host-step': true,
  'inside-kvm': true,
  'kvm-exit': true,
  'page-walk': true,
  'shadow-paging': true,
  'translation-adapted': true,
  'translation-chained': true,
  'translation-invalidated': true,
  'triple-fault': true,
  'virtual-cpu': true,
  'vm-entry': true,
  'vm-entry-failure': true,
  'vm-exit': true,
  'vmx-instruction': true,
} satisfies Partial<Record<TraceEvent['kind'], true>>);

const PATTERN = ['kind', 'label', 'sentence', 'instruction', 'at', 'who'] as const;

export function readPattern(fields: Fields): EventPattern {
  const kind = fields.oneOf('kind', KINDS);
  const pattern: EventPattern = {
    kind: isKind(kind) ? kind : undefined,
    label: fields.text('label'),
    sentence: fields.text('sentence'),
    instruction: fields.text('instruction'),
    at: fields.text('at'),
    who: fields.oneOf('who', ACTOR_ORDER),
  };
  fields.done(PATTERN);
  if (fields.names.length === 0)
    fields.problem(fields.line, 'The pattern says nothing.', `Write at least one of: ${PATTERN.join(', ')}.`);
  return pattern;
}

const isKind = (text: string | undefined): text is TraceEvent['kind'] => text !== undefined && KINDS.includes(text);

export function readPlace(fields: Fields | undefined): Place {
  if (fields === undefined) return {from: 'here', occurrence: 1};
  const event = fields.map('event');
  const further = fields.map('further');
  const place: Place = {
    from: fields.oneOf('from', ['beginning', 'end', 'here', 'start']) ?? 'here',
    event: event === undefined ? undefined : readPattern(event),
    occurrence: fields.integer('occurrence', 1, 1_000_000) ?? 1,
    further:
      further === undefined
        ? undefined
        : {
            steps: further.integer('steps', 1, 1_000_000) ?? 1,
            granularity: further.oneOf('granularity', GRANULARITIES) ?? 'instruction',
          },
  };
  further?.done(['steps', 'granularity']);
  fields.done(['from', 'event', 'occurrence', 'further']);
  return place;
}

const EXPECTATION = ['prints', 'printsNot', 'outcome', 'occurs', 'occursNot', 'counts', 'registers'] as const;

export function readExpectation(fields: Fields): Expectation {
  const registers = fields.map('registers');
  const expectation: Expectation = {
    prints: fields.text('prints'),
    printsNot: fields.text('printsNot'),
    outcome: fields.text('outcome'),
    occurs: fields.maps('occurs', 20)?.map(readPattern),
    occursNot: fields.maps('occursNot', 20)?.map(readPattern),
    counts: fields.maps('counts', 20)?.map(readCount),
    registers: registers?.dictionary(),
  };
  fields.done(EXPECTATION);
  if (fields.names.length === 0)
    fields.problem(fields.line, 'The expectation says nothing.', `Write at least one of: ${EXPECTATION.join(', ')}.`);
  return expectation;
}

const MOST_COUNTED = 10_000_000;

function readCount(fields: Fields): EventCount {
  const event = fields.map('event');
  const [exactly, least, most] = ['exactly', 'least', 'most'].map(name => fields.integer(name, 0, MOST_COUNTED));
  if (event === undefined || (exactly ?? least ?? most) === undefined)
    fields.problem(
      fields.line,
      'It must be said what is counted, and how often it occurs.',
      'Write counts: [{event: {kind: vm-exit}, exactly: 3}], or least: and most:.',
    );
  fields.done(['event', 'exactly', 'least', 'most']);
  return {
    event: event === undefined ? {} : readPattern(event),
    least: exactly ?? least ?? 0,
    most: exactly ?? most ?? Infinity,
  };
}

const TRIAL = ['switches', 'technique', 'replace', 'expect'] as const;

/** What is run otherwise than the scenario. */
export function readTrial(fields: Fields): Omit<Trial, 'expect'> {
  return {
    switches: fields.map('switches')?.dictionary(),
    technique: fields.text('technique'),
    replace: fields.maps('replace', 20)?.map(each => {
      const replacement = {text: each.required('text', 4000), by: each.text('by', 4000) ?? ''};
      each.done(['text', 'by']);
      return replacement;
    }),
  };
}

function readCheckedTrial(fields: Fields): Trial {
  const expect = fields.map('expect');
  if (expect === undefined && !fields.has('expect'))
    fields.problem(
      fields.line,
      'What must this run show?',
      'Write expect: {prints: …} or another expectation: it is checked by running.',
    );
  return {...readTrial(fields), expect: expect === undefined ? {} : readExpectation(expect)};
}

const LONG = 8000;

export function readBreakIt(fields: Fields): BreakIt {
  const breakIt = {
    title: fields.required('title'),
    explanation: fields.required('explanation', LONG),
    ...readCheckedTrial(fields),
  };
  fields.done(['title', 'explanation', ...TRIAL]);
  if (breakIt.switches === undefined && breakIt.technique === undefined && breakIt.replace === undefined)
    fields.problem(fields.line, `“${breakIt.title}” changes nothing.`, 'Write switches, technique or replace.');
  return breakIt;
}

export function readQuestion(fields: Fields, isPrediction: 'a prediction' | 'a question'): Question {
  const choices = fields.texts('choices', LIMITS.choices) ?? [];
  if (choices.length < 2)
    fields.problem(fields.line, 'There must be at least two choices.', 'Write choices: [one, another].');
  const check = fields.map('check');
  const answer = fields.integer('answer', 1, Math.max(2, choices.length));
  if (answer === undefined && !fields.has('answer'))
    fields.problem(fields.line, 'Which choice is right?', 'Write answer: and its number, counted from 1.');
  const question: Question = {
    text: fields.required('question', LONG),
    choices,
    answer: (answer ?? 1) - 1,
    because: fields.required('because', LONG),
    check: check === undefined ? undefined : readCheckedTrial(check),
  };
  check?.done(TRIAL);
  if (isPrediction === 'a question' && check === undefined)
    fields.problem(
      fields.line,
      'Nothing shows that the answer is right.',
      'Write check: with an expect: in it, and the switches or the machine that it needs.',
    );
  fields.done(['question', 'choices', 'answer', 'because', 'check']);
  return question;
}
