// A scenario out of its file: Markdown with front matter. Everything that is wrong is told with its line and what to do; nothing
// of the file is executed, and its text stays text. docs/writing-scenarios.md says how to write one.

import type {RunChoice} from '@hyperscope/trace';
import {fieldsOf} from './fields.js';
import type {Fields} from './fields.js';
import {LIMITS} from './limits.js';
import type {Problem} from './problem.js';
import {badScenario} from './problem.js';
import {readBreakIt, readExpectation, readPlace, readQuestion} from './read-parts.js';
import {readArrows, readMeasurement} from './read-comparisons.js';
import {readSeeded} from './read-seeded.js';
import {outlineOf} from './sections.js';
import type {BlockKind, FencedBlock, Section} from './sections.js';
import type {SeededQuestion} from './seeded-question.js';
import type {BreakIt, Question, Scenario, ScenarioStep} from './scenario.js';

export type ReadScenario =
  | {readonly ok: true; readonly scenario: Scenario}
  | {readonly ok: false; readonly problems: readonly Problem[]};

const QUESTIONS = 'Questions';
const LAST_STRAW = 40;

/** `name`: of the file, without its folder. */
export function readScenario(text: string, name: string): ReadScenario {
  if (new TextEncoder().encode(text).length > LIMITS.fileBytes)
    return {
      ok: false,
      problems: [{line: 1, message: 'The file is too large.', advice: `Keep it below ${LIMITS.fileBytes / 1024} KiB.`}],
    };
  const {frontMatter, sections, problems: found} = outlineOf(text);
  const problems = [...found];
  const head = fieldsOf(frontMatter.text, frontMatter.line, 'the front matter', problems);
  const first = sections[0]?.title === '' ? sections[0] : undefined;
  const parts = sections.filter(section => section !== first);
  const steps = parts.filter(({title}) => title !== QUESTIONS).map(section => readStep(section, problems));
  const questions = parts.filter(({title}) => title === QUESTIONS).flatMap(section => readQuestions(section, problems));
  const seeded = parts.filter(({title}) => title === QUESTIONS).flatMap(section => readSeededs(section, problems));
  if (first !== undefined) refuse(first, ['program', 'note'], problems);
  checkCounts(steps, [...questions, ...seeded], problems);
  const front = head === undefined ? undefined : readHead(head, first);
  if (front === undefined || problems.length > 0) return {ok: false, problems: byLine(problems)};
  return {ok: true, scenario: {id: idOf(name), ...front, introduction: first?.text ?? '', steps, questions, seeded}};
}

/** The same for who can do nothing without it. @throws UserError 'bad-scenario' */
export function requireScenario(text: string, name: string): Scenario {
  const read = readScenario(text, name);
  if (read.ok) return read.scenario;
  throw badScenario(name, read.problems);
}

const byLine = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => a.line - b.line).slice(0, LAST_STRAW);

const idOf = (name: string): string =>
  name
    .replace(/\.md$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60) || 'scenario';

type Head = Omit<Scenario, 'id' | 'introduction' | 'questions' | 'seeded' | 'steps'>;

function readHead(fields: Fields, first: Section | undefined): Head {
  const machine = fields.required('machine');
  const program = first?.blocks.find(block => block.kind === 'program')?.text;
  const choice: RunChoice = {
    technique: machine,
    guest: fields.required('guest'),
    edited: program,
    switches: fields.map('switches')?.dictionary(),
  };
  const head: Head = {
    title: fields.required('title'),
    demonstration: fields.text('demonstration'),
    teaches: fields.required('teaches', 1000),
    choice,
    machines: fields.texts('machines', LIMITS.machines) ?? [machine],
    sources: fields.texts('sources', LIMITS.sources) ?? [],
  };
  fields.done(['title', 'demonstration', 'teaches', 'guest', 'machine', 'machines', 'switches', 'sources']);
  return head;
}

/** Blocks that have no place where they stand. */
function refuse(section: Section, allowed: readonly BlockKind[], problems: Problem[]): void {
  for (const {kind, line} of section.blocks)
    if (!allowed.includes(kind))
      problems.push({
        line: line - 1,
        message: `A block “${kind}” cannot stand ${section.title === '' ? 'before the first step' : `under “${section.title}”`}.`,
        advice: `Here there may be: ${allowed.join(', ')}.`,
      });
}

function single(section: Section, kind: BlockKind, problems: Problem[]): FencedBlock | undefined {
  const [first, second] = section.blocks.filter(block => block.kind === kind);
  if (second !== undefined)
    problems.push({
      line: second.line - 1,
      message: `“${section.title}” has more than one block “${kind}”.`,
      advice: 'Make it one, or two steps of it.',
    });
  return first;
}

function readStep(section: Section, problems: Problem[]): ScenarioStep {
  refuse(section, ['step', 'predict', 'break', 'measure', 'arrows', 'note'], problems);
  const block = single(section, 'step', problems);
  const fields = block === undefined ? undefined : fieldsOf(block.text, block.line, 'the step', problems);
  if (block === undefined)
    problems.push({
      line: section.line,
      message: `“${section.title}” does not say where it is.`,
      advice: 'Write a block ```step with a place: in it, such as place: {from: start}.',
    });
  const expect = fields?.map('expect');
  const breaks = section.blocks.filter(({kind}) => kind === 'break');
  if (breaks.length > LIMITS.breakIts)
    problems.push({
      line: section.line,
      message: 'That is too much to break at once.',
      advice: `Keep to ${LIMITS.breakIts}.`,
    });
  const step: ScenarioStep = {
    title: section.title,
    place: readPlace(fields?.map('place')),
    text: section.text,
    panel: fields?.text('panel'),
    technique: fields?.text('technique'),
    expect: expect === undefined ? undefined : readExpectation(expect),
    prediction: readPrediction(section, expect !== undefined, problems),
    breakIt: breaks.flatMap(each => readBreak(each, problems)),
    measurement: readSingle(section, 'measure', problems, readMeasurement),
    arrowGuess: readSingle(section, 'arrows', problems, readArrows),
    note: single(section, 'note', problems)?.text,
  };
  fields?.done(['place', 'panel', 'technique', 'expect']);
  return step;
}

/** What the one block of a kind says; undefined where there is none, or where it cannot be read. */
function readSingle<T>(
  section: Section,
  kind: BlockKind,
  problems: Problem[],
  read: (fields: Fields) => T,
): T | undefined {
  const block = single(section, kind, problems);
  const fields = block === undefined ? undefined : fieldsOf(block.text, block.line, `the block ${kind}`, problems);
  return fields === undefined ? undefined : read(fields);
}

function readBreak({text, line}: FencedBlock, problems: Problem[]): readonly BreakIt[] {
  const fields = fieldsOf(text, line, 'what is broken', problems);
  return fields === undefined ? [] : [readBreakIt(fields)];
}

function readPrediction(section: Section, isShown: boolean, problems: Problem[]): Question | undefined {
  const block = single(section, 'predict', problems);
  const fields = block === undefined ? undefined : fieldsOf(block.text, block.line, 'the prediction', problems);
  if (fields === undefined) return undefined;
  const question = readQuestion(fields, 'a prediction');
  if (!isShown && question.check === undefined)
    fields.problem(
      fields.line,
      'Nothing shows that the answer is right.',
      'Give the step an expect:, or the prediction a check:.',
    );
  return question;
}

function readQuestions(section: Section, problems: Problem[]): readonly Question[] {
  refuse(section, ['question', 'seeded', 'note'], problems);
  return section.blocks
    .filter(({kind}) => kind === 'question')
    .flatMap(({text, line}) => {
      const fields = fieldsOf(text, line, 'the question', problems);
      return fields === undefined ? [] : [readQuestion(fields, 'a question')];
    });
}

function readSeededs(section: Section, problems: Problem[]): readonly SeededQuestion[] {
  const names = new Set<string>();
  return section.blocks
    .filter(({kind}) => kind === 'seeded')
    .flatMap(({text, line}) => {
      const fields = fieldsOf(text, line, 'the seeded question', problems);
      if (fields === undefined) return [];
      const question = readSeeded(fields);
      if (names.has(question.name))
        fields.problem(fields.lineOf('name'), `Two seeded questions are called ${question.name}.`, 'Rename one.');
      names.add(question.name);
      return [question];
    });
}

function checkCounts(steps: readonly ScenarioStep[], questions: readonly unknown[], problems: Problem[]): void {
  if (steps.length === 0)
    problems.push({
      line: 1,
      message: 'There is no step.',
      advice: 'Write a heading ## for each step, with a block ```step below it.',
    });
  if (steps.length > LIMITS.steps)
    problems.push({
      line: 1,
      message: 'There are too many steps.',
      advice: `Keep to ${LIMITS.steps}, or make two files.`,
    });
  if (questions.length > LIMITS.questions)
    problems.push({line: 1, message: 'There are too many questions.', advice: `Keep to ${LIMITS.questions}.`});
}
