// Runs the guests of a walk in a worker of their own and keeps the moments: of a scenario, or of a stretch of a run.

import {actorName, type StageHost} from '@hyperscope/elements';
import type {Granularity, Moment, RunChoice} from '@hyperscope/trace';
import {choiceAt} from '@hyperscope/walkthroughs';
import type {Scenario, ScenarioStep} from '@hyperscope/walkthroughs';
import type {Catalogue, CostFigures, LabClient} from '../lab-client.js';
import {SeededSet, type QuestionMaking} from '../scenario/seeded-set.js';
import {pictureAt, printedSince, registersBetween, type AskedQuestion, type Walk, type WalkStop} from './walk.js';

/** What a walk asks of a simulator: the lab's client, answered in a worker or at once. */
type Answered<T> = T extends (...asked: infer A) => infer R ? (...asked: A) => Awaited<R> | Promise<Awaited<R>> : never;
export type WalkClient = {
  readonly [
    name in
      | 'addImage'
      | 'catalogue'
      | 'costs'
      | 'extend'
      | 'findPlace'
      | 'open'
      | 'seek'
      | 'source'
      | 'step'
      | 'timeline'
  ]: Answered<LabClient[name]>;
} & {readonly questions: () => Promise<QuestionMaking>};

export interface WalkSurroundings {
  readonly client: WalkClient;
  /** Called as it goes on. */
  readonly progress: (done: number, of: number, what: string) => void;
  readonly signal: AbortSignal;
  /** Address of the lab where the walk begins. */
  readonly link: string;
}

/** As many moments as a picture or a handout is looked at. */
export const MOST_STOPS = 60;
/** Steps recorded before anything is asked. */
const AHEAD = 5_000;
/** The route of an exit began no earlier than this. */
const ROUTE_CYCLES = 500_000;

/** A stretch of a run: from a state on, by so many units. */
export interface WalkStretch {
  readonly choice: RunChoice;
  readonly from: number;
  readonly stops: number;
  readonly granularity: Granularity;
  /** A file that the reader opened, which another worker does not know. */
  readonly image?: {readonly name: string; readonly bytes: Uint8Array} | undefined;
}

/** @throws Error with a sentence where the run cannot be opened; the signal's reason where it was cancelled. */
export async function recordStretch(stretch: WalkStretch, around: WalkSurroundings): Promise<Walk> {
  const recording = new WalkRecording(around);
  if (stretch.image !== undefined)
    await recording.answered(around.client.addImage(stretch.image.name, stretch.image.bytes));
  return recording.stretch(stretch);
}

/** `set`: the number of the set of questions whose values are drawn. @throws as recordStretch does */
export async function recordScenario(scenario: Scenario, set: number, around: WalkSurroundings): Promise<Walk> {
  return new WalkRecording(around).scenario(scenario, set);
}

/** What a scenario says of a stop. */
type Said = Pick<WalkStop, 'text' | 'title'> & Partial<Pick<ScenarioStep, 'arrowGuess' | 'breakIt' | 'prediction'>>;

/** The prediction, and which of the arrows exist: on paper all of them are one question. */
function asked({prediction, arrowGuess}: Said, host: StageHost): readonly AskedQuestion[] {
  const first = prediction === undefined ? [] : [prediction];
  if (arrowGuess === undefined) return first;
  const {arrows} = arrowGuess;
  const guess: AskedQuestion = {
    text: 'Which of these arrows exist, from one to the other with nobody in between?',
    choices: arrows.map(({from, to}) => `${actorName(from, host)} → ${actorName(to, host)}`),
    answer: undefined,
    because: arrows
      .map(
        ({exists, because}, at) =>
          `- **${String.fromCharCode(65 + at)}** ${exists === 'yes' ? 'exists' : 'does not exist'}. ${because}`,
      )
      .join('\n'),
  };
  return [...first, guess];
}

class WalkRecording {
  readonly #around: WalkSurroundings;
  #catalogue: Catalogue = {guests: [], techniques: []};
  readonly #stops: WalkStop[] = [];
  readonly #costs = new Map<string, CostFigures>();
  #model = '';
  /** The stop before, of the same run. */
  #before: Moment | undefined = undefined;

  constructor(around: WalkSurroundings) {
    this.#around = around;
  }

  /** An answer of the worker, unless the reader gave up: a worker that was ended never answers. */
  async answered<T>(answer: Promise<T> | T): Promise<T> {
    const {signal} = this.#around;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
      signal.addEventListener('abort', stop, {once: true});
      Promise.resolve(answer)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', stop));
    });
  }

  async stretch({choice, from, stops, granularity}: WalkStretch): Promise<Walk> {
    const {client, progress, link} = this.#around;
    await this.#open(choice);
    const wanted = Math.max(1, Math.min(MOST_STOPS, stops));
    let moment = await this.answered(client.seek(from));
    for (let stop = 0; stop < wanted; stop++) {
      progress(stop, wanted, moment.why.title);
      if (stop > 0) {
        const next = await this.answered(client.step('forward', granularity));
        if (next.index === moment.index) break;
        moment = next;
      }
      await this.#stop(choice, moment, {title: moment.why.title, text: ''});
    }
    const guest = this.#guestName(choice);
    return {
      title: `${guest} on ${this.#machineName(choice)}, from step ${from}`,
      teaches: '',
      introduction: '',
      guest,
      stops: this.#stops,
      questions: [],
      sources: [...new Set(this.#stops.flatMap(({moment: {why}}) => why.sources))],
      costs: [...this.#costs.values()],
      link,
    };
  }

  async scenario(scenario: Scenario, set: number): Promise<Walk> {
    const {steps} = scenario;
    const total = steps.length + scenario.seeded.length;
    let opened: RunChoice | undefined;
    let here = 0;
    for (const [number, step] of steps.entries()) {
      this.#around.progress(number, total, step.title);
      const choice = choiceAt(scenario, number);
      if (opened === undefined || opened.technique !== choice.technique) here = (await this.#open(choice)).start;
      opened = choice;
      here = await this.#placed(choice, step, here);
    }
    return {
      title: scenario.title,
      teaches: scenario.teaches,
      introduction: scenario.introduction,
      guest: this.#guestName(scenario.choice),
      stops: this.#stops,
      questions: [...scenario.questions, ...(await this.#drawn(scenario, set))],
      sources: scenario.sources,
      costs: [...this.#costs.values()],
      link: this.#around.link,
    };
  }

  /** The state at which a step of a scenario stands, kept as a stop. */
  async #placed(choice: RunChoice, step: ScenarioStep, here: number): Promise<number> {
    const {client} = this.#around;
    const found = await this.answered(client.findPlace(step.place, here));
    if (!found.ok) throw new Error(`“${step.title}”: ${found.why}`);
    const moment = await this.answered(client.seek(found.index));
    await this.#stop(choice, moment, step);
    return found.index;
  }

  async #open(choice: RunChoice): Promise<Moment> {
    const {client} = this.#around;
    if (this.#catalogue.techniques.length === 0) this.#catalogue = await this.answered(client.catalogue());
    await this.answered(client.open(choice));
    // Where the guest begins is known once it has run: before it a VMM's own code may.
    await this.answered(client.extend(AHEAD));
    const moment = await this.answered(client.seek(0));
    const costs = await this.answered(client.costs());
    if (costs !== undefined) this.#costs.set(costs.title, costs);
    this.#model = costs?.title ?? '';
    this.#before = undefined;
    return moment;
  }

  async #stop(choice: RunChoice, moment: Moment, said: Said): Promise<void> {
    const cycle = moment.last?.cycle ?? 0;
    const {client} = this.#around;
    const window = await this.answered(client.timeline(Math.max(0, cycle - ROUTE_CYCLES), cycle + 1, 1));
    const before = this.#before;
    this.#before = moment;
    this.#stops.push({
      title: said.title,
      text: said.text,
      moment,
      picture: pictureAt(moment, this.#host(choice), window),
      machine: this.#machineName(choice),
      model: this.#model,
      changes: before === undefined ? [] : registersBetween(before, moment),
      printed: printedSince(before, moment),
      asked: asked(said, this.#host(choice)),
      breakIt: (said.breakIt ?? []).map(({title}) => title),
    });
  }

  /** The questions whose values are drawn, made by running the machine with them. */
  async #drawn(scenario: Scenario, set: number): Promise<readonly AskedQuestion[]> {
    const {client, progress} = this.#around;
    const source = await this.answered(client.source());
    const questions = new SeededSet(scenario, set, {
      maker: async () => client.questions(),
      source: () => source?.shipped ?? '',
      changed: () => undefined,
    });
    const total = scenario.steps.length + scenario.seeded.length;
    if (scenario.seeded.length > 0) progress(scenario.steps.length, total, `questions of set ${set}`);
    await this.answered(questions.make());
    return questions.questions.flatMap(question => {
      const state = questions.of(question);
      if (state.kind === 'trouble') throw new Error(state.why);
      return state.kind === 'made' ? [state.made] : [];
    });
  }

  #host({technique}: RunChoice): StageHost {
    return this.#catalogue.techniques.find(({id}) => id === technique)?.host ?? 'none';
  }
  #machineName({technique}: RunChoice): string {
    return this.#catalogue.techniques.find(({id}) => id === technique)?.title ?? technique;
  }
  #guestName({guest}: RunChoice): string {
    return this.#catalogue.guests.find(({id}) => id === guest)?.title ?? guest;
  }
}
