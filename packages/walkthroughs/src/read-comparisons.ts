// Blocks of a step that compare: stretches of the run by their costs, and arrows between those who have the processor.

import {ACTOR_ORDER} from '@hyperscope/trace';
import type {Fields} from './fields.js';
import {LIMITS} from './limits.js';
import {readPattern} from './read-parts.js';
import type {Arrow, ArrowGuess, Measurement, Place, Stretch} from './scenario.js';

const LONG = 8000;

export function readMeasurement(fields: Fields): Measurement {
  const stretches = fields.maps('stretches', LIMITS.stretches)?.map(readStretch) ?? [];
  if (stretches.length === 0)
    fields.problem(
      fields.line,
      'Nothing is measured.',
      'Write stretches: and a list of {name: …, first: {…}, last: {…}}.',
    );
  const measurement = {
    title: fields.required('title'),
    stretches,
    ascending: fields.oneOf('ascending', ['cycles', 'instructions']),
    explanation: fields.text('explanation', LONG),
  };
  fields.done(['title', 'stretches', 'ascending', 'explanation']);
  return measurement;
}

function readStretch(fields: Fields): Stretch {
  const stretch = {name: fields.required('name'), first: readEnd(fields, 'first'), last: readEnd(fields, 'last')};
  fields.done(['name', 'first', 'last']);
  return stretch;
}

/** A step of the run, by a pattern; `occurrence` counts from where the guest begins, or from the stretch's first step. */
function readEnd(fields: Fields, name: 'first' | 'last'): Place {
  const map = fields.map(name);
  if (map === undefined) {
    if (!fields.has(name))
      fields.problem(
        fields.line,
        `The stretch has no ${name} step.`,
        `Write ${name}: {instruction: …} or another pattern.`,
      );
    return {from: 'here', occurrence: 1};
  }
  const occurrence = map.integer('occurrence', 1, 1_000_000) ?? 1;
  return {from: 'here', event: readPattern(map), occurrence};
}

export function readArrows(fields: Fields): ArrowGuess {
  const arrows = fields.maps('arrows', LIMITS.arrows)?.map(readArrow) ?? [];
  if (arrows.length < 2)
    fields.problem(
      fields.line,
      'There must be at least two arrows.',
      'Write arrows: and a list of {from: …, to: …, exists: yes, because: …}.',
    );
  const guess = {question: fields.required('question', LONG), arrows};
  fields.done(['question', 'arrows']);
  return guess;
}

function readArrow(fields: Fields): Arrow {
  const arrow = {
    from: fields.oneOf('from', ACTOR_ORDER) ?? 'vmm',
    to: fields.oneOf('to', ACTOR_ORDER) ?? 'vmm',
    exists: fields.oneOf('exists', ['yes', 'no']) ?? 'no',
    because: fields.required('because', LONG),
    switches: fields.map('switches')?.dictionary(),
  };
  for (const name of ['from', 'to', 'exists'])
    if (!fields.has(name)) fields.problem(fields.line, `The arrow has no ${name}.`, `Write ${name}: and what it is.`);
  fields.done(['from', 'to', 'exists', 'because', 'switches']);
  return arrow;
}
