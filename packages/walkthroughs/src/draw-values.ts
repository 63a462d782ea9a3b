// Values drawn for the names of a question, and texts with the values in the names' places.

import {SeededNumbers, assertExists} from '@hyperscope/base';
import type {EventPattern, Expectation} from './scenario.js';
import type {Draw, SeededQuestion} from './seeded-question.js';

/** What each name stands for. */
export type Drawn = Readonly<Record<string, string>>;

/** The numbers of a question in a set: neither the order of the questions nor other questions change them. */
export function numbersFor(question: string, set: number): SeededNumbers {
  // FNV-1a (Fowler, Noll, Vo), 32 bits.
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(question)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return new SeededNumbers(set, hash);
}

/** A value for each name. */
export const drawAll = (draws: readonly Draw[], numbers: SeededNumbers): Drawn =>
  Object.fromEntries(draws.map(draw => [draw.name, drawOne(draw, numbers)]));

function drawOne(draw: Draw, numbers: SeededNumbers): string {
  if (draw.kind === 'list')
    return assertExists(draw.values[numbers.below(draw.values.length)], 'a list that was read has a value');
  const {from, to, step} = draw;
  return String(from + step * numbers.below(Math.floor((to - from) / step) + 1));
}

/** In an order that the numbers decide: Durstenfeld's form of the Fisher-Yates shuffle. */
export function shuffled<T>(list: readonly T[], numbers: SeededNumbers): readonly T[] {
  const left = [...list];
  return list.flatMap(() => left.splice(numbers.below(left.length), 1));
}

/** A text with `{name}` replaced; braces around anything else stay. */
export function filled(text: string, drawn: Drawn): string {
  return text.replaceAll(/\{([a-z][a-z0-9-]*)\}/g, (braces, name: string) => drawn[name] ?? braces);
}

const filledIf = (text: string | undefined, drawn: Drawn): string | undefined =>
  text === undefined ? undefined : filled(text, drawn);

const filledMap = (
  map: Readonly<Record<string, string>> | undefined,
  drawn: Drawn,
): Readonly<Record<string, string>> | undefined =>
  map === undefined
    ? undefined
    : Object.fromEntries(Object.entries(map).map(([name, value]) => [name, filled(value, drawn)]));

/** What a question runs, with its values. */
export function filledTrial(
  {technique, switches, replace}: SeededQuestion,
  drawn: Drawn,
): Pick<SeededQuestion, 'replace' | 'switches' | 'technique'> {
  return {
    technique: filledIf(technique, drawn),
    switches: filledMap(switches, drawn),
    replace: replace?.map(({text, by}) => ({text, by: filled(by, drawn)})),
  };
}

export const filledPattern = (pattern: EventPattern, drawn: Drawn): EventPattern => ({
  ...pattern,
  label: filledIf(pattern.label, drawn),
  sentence: filledIf(pattern.sentence, drawn),
  instruction: filledIf(pattern.instruction, drawn),
  at: filledIf(pattern.at, drawn),
});

export const filledExpectation = (expect: Expectation, drawn: Drawn): Expectation => ({
  prints: filledIf(expect.prints, drawn),
  printsNot: filledIf(expect.printsNot, drawn),
  outcome: filledIf(expect.outcome, drawn),
  registers: filledMap(expect.registers, drawn),
  occurs: expect.occurs?.map(each => filledPattern(each, drawn)),
  occursNot: expect.occursNot?.map(each => filledPattern(each, drawn)),
  counts: expect.counts?.map(each => ({...each, event: filledPattern(each.event, drawn)})),
});
