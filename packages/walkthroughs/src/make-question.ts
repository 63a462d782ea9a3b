// A seeded question becomes one that can be asked: values are drawn, the machine is run with them, and the answer is what it did.
// It goes on in slices, so that whoever waits can see how far it is, and stop it.

import {UserError, assertUnreachable} from '@hyperscope/base';
import type {SeededNumbers} from '@hyperscope/base';
import type {RunChoice} from '@hyperscope/trace';
import {drawAll, filled, filledExpectation, filledPattern, filledTrial, numbersFor, shuffled} from './draw-values.js';
import type {Drawn} from './draw-values.js';
import {failures} from './expectations.js';
import {FURTHEST, countOf, findPlace} from './find-place.js';
import type {Place, Question} from './scenario.js';
import type {OpenRun, ScenarioRun, SourceOf} from './scenario-run.js';
import type {Ask, Reading, SeededQuestion} from './seeded-question.js';
import {trialChoice} from './trial.js';

/** Steps recorded between two looks at who waits. */
const SLICE = 20_000;
/** The wrong answers beside a value, and the most runs that are made to find them. */
const WRONG = 3;
const MOST_RUNS = 8;
const END: Place = {from: 'end', occurrence: 1};

/** How far a question has come. */
export interface Making {
  /** Choices that are known, of those that are wanted. */
  readonly found: number;
  readonly wanted: number;
  readonly runs: number;
  /** Recorded in the run that is under way. */
  readonly steps: number;
}

export interface MadeQuestion extends Pick<Question, 'answer' | 'because' | 'choices' | 'text'> {
  /** The run that shows the answer, and where in it. */
  readonly shown: {readonly choice: RunChoice; readonly place: Place};
  readonly runs: number;
}

export interface QuestionMachine {
  readonly open: OpenRun;
  readonly sourceOf: SourceOf;
}

/** Makes the question of a set. @throws UserError 'bad-question' where the runs do not give one answer that is right. */
export function makeQuestion(
  question: SeededQuestion,
  base: RunChoice,
  set: number,
  machine: QuestionMachine,
): Generator<Making, MadeQuestion> {
  return new QuestionMaker(question, base, numbersFor(question.name, set), machine).make();
}

/** Every technique that a question may run on. */
export function techniquesOf({technique, draws}: SeededQuestion, base: RunChoice): readonly string[] {
  if (technique === undefined) return [base.technique];
  const lists = draws.flatMap(draw => (draw.kind === 'list' ? [draw] : []));
  const all = lists.reduce<readonly string[]>(
    (made, {name, values}) =>
      made.flatMap(text => (text.includes(`{${name}}`) ? values.map(value => filled(text, {[name]: value})) : [text])),
    [technique],
  );
  return [...new Set(all)];
}

type InSlices<T> = Generator<Making, T>;

class QuestionMaker {
  readonly #question: SeededQuestion;
  readonly #base: RunChoice;
  readonly #numbers: SeededNumbers;
  readonly #machine: QuestionMachine;
  #runs = 0;

  constructor(question: SeededQuestion, base: RunChoice, numbers: SeededNumbers, machine: QuestionMachine) {
    this.#question = question;
    this.#base = base;
    this.#numbers = numbers;
    this.#machine = machine;
  }

  *make(): InSlices<MadeQuestion> {
    const {ask} = this.#question;
    switch (ask.kind) {
      case 'value':
        return yield* this.#value(ask.read);
      case 'outcome':
        return yield* this.#outcome(ask);
      case 'which':
        return yield* this.#which(ask);
      default:
        return assertUnreachable(ask);
    }
  }

  *#value(read: Reading): InSlices<MadeQuestion> {
    const drawn = this.#draw();
    const right = yield* this.#read(drawn, read, 0);
    const others = new Set<string>();
    while (others.size < WRONG && this.#runs < MOST_RUNS) {
      const other = yield* this.#read(this.#draw(), read, 1 + others.size);
      if (other !== right) others.add(other);
    }
    if (others.size === 0) throw this.#bad(`every run gives ${right}, so there is nothing to choose from`);
    const choices = [...others, right].toSorted(byNumber);
    const made = this.#made(drawn, choices, right, read.kind === 'register' ? read.place : END);
    return read.kind === 'printed' ? {...made, choices: choices.map(code)} : made;
  }

  *#outcome({outcomes}: Extract<Ask, {kind: 'outcome'}>): InSlices<MadeQuestion> {
    const drawn = this.#draw();
    const run = yield* this.#run(drawn, 0, outcomes.length);
    const says = outcomes.map(each => filled(each.says, drawn));
    const holding = outcomes.flatMap(({expect}, index) =>
      failures(run, filledExpectation(expect, drawn), run.record.length).length === 0 ? [says[index] ?? ''] : [],
    );
    const [right, second] = holding;
    if (right === undefined) throw this.#bad('none of its outcomes is true of the run');
    if (second !== undefined) throw this.#bad(`“${right}” and “${second}” are both true of the run`);
    return this.#made(drawn, says, right, END);
  }

  *#which({draw: name, choices: wanted, expect}: Extract<Ask, {kind: 'which'}>): InSlices<MadeQuestion> {
    const draws = this.#question.draws.filter(each => each.name !== name);
    const pool = this.#question.draws.find(each => each.name === name);
    const rest = drawAll(draws, this.#numbers);
    const values = pool?.kind === 'list' ? shuffled(pool.values, this.#numbers) : [];
    const choices: string[] = [];
    let right: Drawn | undefined;
    for (const value of values) {
      const drawn = {...rest, [name]: value};
      const run = yield* this.#run(drawn, choices.length, wanted);
      const isRight = failures(run, filledExpectation(expect, drawn), run.record.length).length === 0;
      // One right, and places for the wrong ones.
      if (isRight ? right !== undefined : choices.length - (right === undefined ? 0 : 1) === wanted - 1) continue;
      if (isRight) right = drawn;
      choices.push(value);
      if (choices.length === wanted && right !== undefined) break;
    }
    if (right === undefined) throw this.#bad('what it asks for is true of none of its values');
    if (choices.length < 2) throw this.#bad('what it asks for is true of all of its values');
    return {...this.#made(right, choices, right[name] ?? '', END), choices: choices.map(code)};
  }

  #draw(): Drawn {
    return drawAll(this.#question.draws, this.#numbers);
  }

  *#read(drawn: Drawn, read: Reading, found: number): InSlices<string> {
    const run = yield* this.#run(drawn, found, 1 + WRONG);
    switch (read.kind) {
      case 'printed':
        return JSON.stringify(run.printed(run.record.length));
      case 'count':
        return String(countOf(run, filledPattern(read.event, drawn)));
      case 'register':
        return this.#register(run, read);
      default:
        return assertUnreachable(read);
    }
  }

  #register(run: ScenarioRun, {register, place, form}: Extract<Reading, {kind: 'register'}>): string {
    const found = findPlace(run, place, run.start);
    if (!found.ok) throw this.#bad(found.why);
    const moment = run.moment(found.index);
    const cell = moment.header.cells.findIndex(each => each.toLowerCase() === register.toLowerCase());
    if (cell < 0) throw this.#bad(`there is no register ${register}`);
    const value = moment.registers[cell] ?? 0n;
    return form === 'hex' ? `0x${value.toString(16)}` : value.toString();
  }

  /** A run with the values, recorded to its end. */
  *#run(drawn: Drawn, found: number, wanted: number): InSlices<ScenarioRun> {
    const choice = this.#choice(drawn);
    const run = this.#machine.open(choice);
    while (!run.record.finished && run.record.length < FURTHEST) {
      run.extend(SLICE);
      yield {found, wanted, runs: this.#runs, steps: run.record.length};
    }
    this.#runs++;
    return run;
  }

  #choice(drawn: Drawn): RunChoice {
    return trialChoice(this.#base, filledTrial(this.#question, drawn), this.#machine.sourceOf);
  }

  #made(drawn: Drawn, choices: readonly string[], answer: string, place: Place): MadeQuestion {
    return {
      text: filled(this.#question.text, drawn),
      choices,
      answer: choices.indexOf(answer),
      because: filled(this.#question.because, {...drawn, answer}),
      shown: {choice: this.#choice(drawn), place},
      runs: this.#runs,
    };
  }

  #bad(why: string): UserError {
    return new UserError('bad-question', `The seeded question “${this.#question.name}” cannot be asked: ${why}.`);
  }
}

/** Markdown for what stands in programs or was printed by them. */
const code = (text: string): string => `\`${text}\``;

/** Numbers by size, and texts behind them as they are. */
function byNumber(a: string, b: string): number {
  const [x, y] = [a, b].map(text => (/^(0x[0-9a-f]+|[0-9]+)$/.test(text) ? BigInt(text) : undefined));
  if (x === undefined || y === undefined) return a < b ? -1 : 1;
  return x < y ? -1 : x > y ? 1 : 0;
}
