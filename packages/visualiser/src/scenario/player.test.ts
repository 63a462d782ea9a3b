// A scenario as it is played: predictions come before places, what is broken is repaired, and late answers are dropped.

import {SHIPPED, requireScenario} from '@hyperscope/walkthroughs';
import type {Crossing} from '@hyperscope/walkthroughs';
import type {RunChoice} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {ScenarioPlayer} from './player.js';
import type {PlayedLab} from './player.js';
import type {MakingSlice} from './question-client.js';
import type {QuestionMaking} from './seeded-set.js';
import type {MeasuredRow} from './step-comparisons.js';

const POPF = SHIPPED.find(({name}) => name === 'd6-popf.md');
const scenario = requireScenario(POPF?.text ?? '', 'd6-popf.md');

/** A lab that only writes down what it is asked; each place is 10 states behind where one stands. */
class NotingLab implements PlayedLab {
  readonly asked: string[] = [];
  open_: RunChoice = {technique: 'vtx-ept', guest: 'hello-kvm'};
  refuses: string | undefined;

  choice(): RunChoice {
    return this.open_;
  }
  async open(choice: RunChoice): Promise<string | undefined> {
    this.asked.push(
      `open ${choice.technique}${choice.switches === undefined ? '' : ` ${JSON.stringify(choice.switches)}`}`,
    );
    if (this.refuses !== undefined) return this.refuses;
    this.open_ = choice;
    return undefined;
  }
  async find(_place: unknown, here: number): Promise<{readonly index: number}> {
    return {index: here + 10};
  }
  seek(index: number): void {
    this.asked.push(`seek ${index}`);
  }
  start(): number {
    return 100;
  }
  source(): string {
    return '';
  }
  async measure(): Promise<readonly MeasuredRow[]> {
    this.asked.push('measure');
    return [{name: 'a', ok: true, from: 1, to: 2, instructions: 1, cycles: 3}];
  }
  async crossings(): Promise<readonly Crossing[]> {
    this.asked.push('crossings');
    return [{from: 'vmm', to: 'hypervisor', count: 2, first: 7, how: 'ioctl(KVM_RUN)'}];
  }
  async change(): Promise<undefined> {
    return undefined;
  }
  async questions(): Promise<QuestionMaking> {
    const slices: MakingSlice[] = [];
    return {
      begin: async ({question: {name}, set}) => {
        this.asked.push(`make ${name} of set ${set}`);
        slices.push({kind: 'making', making: {found: 0, wanted: 2, runs: 0, steps: 100}});
        slices.push({
          kind: 'made',
          made: {
            text: `${name} ${set}`,
            choices: ['no', 'yes'],
            answer: 1,
            because: 'so',
            shown: {choice: {technique: 'bare', guest: 'popf'}, place: {from: 'end', occurrence: 1}},
            runs: 1,
          },
        });
      },
      next: async () => slices.shift() ?? {kind: 'trouble', why: 'nothing was begun'},
    };
  }
  panel(): void {}
}

function played(): {readonly lab: NotingLab; readonly player: ScenarioPlayer} {
  const lab = new NotingLab();
  return {lab, player: new ScenarioPlayer(scenario, lab, () => undefined)};
}

test('the introduction opens the scenario’s own run, where the guest begins', async () => {
  const {lab, player} = played();
  await player.start();
  expect(lab.asked).toEqual(['open trap-and-emulate', 'seek 100']);
});

test('a prediction is asked before its place is shown, and the next key reveals it', async () => {
  const {lab, player} = played();
  await player.start();
  await player.next();
  await player.next();
  expect(player.step?.prediction).toBeDefined();
  expect(player.isRevealed).toBe(false);
  expect(lab.asked.at(-1)).toBe('seek 110');
  await player.next();
  expect([player.part, player.isRevealed]).toEqual([2, true]);
  expect(lab.asked.at(-1)).toBe('seek 120');
});

test('an answer is kept, reveals the place, and counts once', async () => {
  const {player} = played();
  await player.start(2);
  await player.answer(player.key('prediction'), 1);
  await player.answer(player.key('prediction'), 0);
  expect(player.isRevealed).toBe(true);
  expect(player.score()).toMatchObject({right: 1, answered: 1});
});

test('what is broken is run with its switches, and repaired by the next key', async () => {
  const {lab, player} = played();
  await player.start(4);
  await player.reveal();
  const strict = player.step?.breakIt.find(({switches}) => switches?.['strict'] === 'on');
  if (strict === undefined) throw new Error('the step has such a thing to break');
  await player.break(strict);
  expect(lab.asked).toContain('open trap-and-emulate {"strict":"on"}');
  expect(player.broken?.isRunning).toBe(false);
  await player.next();
  expect([player.broken, player.part]).toEqual([undefined, 4]);
  expect(lab.open_.switches).toBeUndefined();
});

test('a run that cannot be opened leaves a sentence, and the scenario where it is', async () => {
  const {lab, player} = played();
  lab.refuses = 'There is no switch of this name.';
  await player.start(1);
  expect(player.trouble).toBe('There is no switch of this name.');
  expect(player.part).toBe(1);
});

const QUESTIONS = scenario.steps.length + 1;
const names = scenario.seeded.map(({name}) => name);

test('at the questions those of the set are made, one after the other; an answer counts in its set only', async () => {
  const {lab, player} = played();
  await player.start(QUESTIONS);
  await player.seeded.make();
  expect(lab.asked.filter(each => each.startsWith('make'))).toEqual(names.map(name => `make ${name} of set 1`));
  const [question] = scenario.seeded;
  if (question === undefined) throw new Error('the scenario has a seeded question');
  expect(player.seeded.of(question)).toMatchObject({kind: 'made', made: {text: `${question.name} 1`}});
  await player.answer(player.seededKey(question), 1);
  expect(player.score()).toMatchObject({right: 1, answered: 1});
  await player.chooseSet(2);
  expect(player.score()).toMatchObject({right: 0, answered: 0});
  await player.chooseSet(1);
  expect(player.score()).toMatchObject({right: 1, answered: 1});
});

test('what is being made can be stopped, and taken up again', async () => {
  const {player} = played();
  await player.start(QUESTIONS);
  player.seeded.choose(3);
  const making = player.seeded.make();
  player.seeded.stop();
  await making;
  expect(scenario.seeded.map(question => player.seeded.of(question).kind)).toEqual(names.map(() => 'stopped'));
  await player.seeded.make();
  expect(scenario.seeded.map(question => player.seeded.of(question).kind)).toEqual(names.map(() => 'made'));
});

test('the run that shows an answer is opened at its place', async () => {
  const {lab, player} = played();
  await player.start(QUESTIONS);
  await player.seeded.make();
  const [question] = scenario.seeded;
  const state = question === undefined ? undefined : player.seeded.of(question);
  if (state?.kind !== 'made') throw new Error('it was made');
  await player.showRun(state.made);
  expect(lab.asked.slice(-2)).toEqual(['open bare', 'seek 110']);
});

const COMPARING = `---
title: T
teaches: x
guest: popf
machine: bare
---

## One

\`\`\`step
place: {from: start}
\`\`\`

\`\`\`measure
title: Costs
stretches: [{name: a, first: {instruction: mov}, last: {instruction: ret}}]
\`\`\`

\`\`\`arrows
question: Which?
arrows:
  - {from: vmm, to: hypervisor, exists: yes, because: an ioctl}
  - {from: vmm, to: guest-user, exists: no, because: nobody}
\`\`\`

## Two

\`\`\`step
place: {from: start}
\`\`\`
`;

test('a step’s figures are counted in its run; arrows are told by the next key, and only then it goes on', async () => {
  const lab = new NotingLab();
  const player = new ScenarioPlayer(requireScenario(COMPARING, 'x.md'), lab, () => undefined);
  await player.start(1);
  expect(lab.asked.slice(-2)).toEqual(['measure', 'crossings']);
  const {step, compared} = player;
  if (step?.arrowGuess === undefined) throw new Error('it has arrows');
  expect(compared.rowsOf(step)).toMatchObject([{cycles: 3}]);
  expect(step.arrowGuess.arrows.map(arrow => compared.crossingOf(arrow)?.how)).toEqual(['ioctl(KVM_RUN)', undefined]);
  expect(compared.areShown).toBe(false);
  await player.next();
  expect([player.part, compared.areShown]).toEqual([1, true]);
  await player.next();
  expect([player.part, compared.rowsOf(step)]).toEqual([2, []]);
});
