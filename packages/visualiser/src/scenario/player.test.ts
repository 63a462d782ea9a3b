// A scenario as it is played: predictions come before places, what is broken is repaired, and late answers are dropped.

import {SHIPPED, requireScenario} from '@hyperscope/walkthroughs';
import type {RunChoice} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {ScenarioPlayer} from './player.js';
import type {PlayedLab} from './player.js';

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
  async change(): Promise<undefined> {
    return undefined;
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
