// The questions of a set: how far the machine is with each, the question once it is made, and the choice of another set.

import {SETS} from '@hyperscope/walkthroughs';
import type {MadeQuestion, Making, SeededQuestion} from '@hyperscope/walkthroughs';
import {html, nothing, type TemplateResult} from 'lit';
import type {ScenarioPlayer} from './player.js';
import {questionView} from './question-view.js';

export function seededView(player: ScenarioPlayer): TemplateResult | typeof nothing {
  const {seeded} = player;
  if (seeded.questions.length === 0) return nothing;
  const begin = player.scenario.questions.length;
  return html`<section class="set" aria-label="Questions of set ${seeded.set}">
    <h3>Set ${seeded.set}</h3>
    <p class="about">
      Their values are drawn by the number of the set: the same number asks everybody the same. What is right was found
      by running the machine with them, just now.
    </p>
    <div class="sets">
      <label
        >Set
        <input
          type="number"
          inputmode="numeric"
          min=${SETS.first}
          max=${SETS.last}
          .value=${String(seeded.set)}
          @change=${(event: Event) => chosen(player, event)}
      /></label>
      <button ?disabled=${seeded.set >= SETS.last} @click=${() => void player.chooseSet(seeded.set + 1)}>
        Another set
      </button>
    </div>
    ${seeded.questions.map((question, index) => one(player, question, `Question ${begin + index + 1}, set ${seeded.set}`))}
  </section>`;
}

function chosen(player: ScenarioPlayer, event: Event): void {
  if (!(event.target instanceof HTMLInputElement)) return;
  const set = event.target.valueAsNumber;
  if (Number.isInteger(set) && set >= SETS.first && set <= SETS.last) void player.chooseSet(set);
  else event.target.value = String(player.seeded.set);
}

function one(player: ScenarioPlayer, question: SeededQuestion, title: string): TemplateResult {
  const state = player.seeded.of(question);
  switch (state.kind) {
    case 'made':
      return made(player, question, title, state.made);
    case 'trouble':
      return html`<p class="trouble" role="alert">${title}: ${state.why}</p>`;
    case 'stopped':
    case 'waiting':
      return html`<section class="ask" aria-label=${title}>
        <h3>${title}</h3>
        <p class="about">${state.kind === 'stopped' ? 'Stopped.' : 'Waits for the one before it.'}</p>
        ${state.kind === 'stopped' ? html`<div><button @click=${() => void player.seeded.make()}>Make it</button></div>` : nothing}
      </section>`;
    default:
      return html`<section class="ask" aria-label=${title}>
        <h3>${title}</h3>
        ${progress(state.making)}
        <div><button @click=${() => player.seeded.stop()}>Stop</button></div>
      </section>`;
  }
}

function progress(making: Making | undefined): TemplateResult {
  const {found = 0, wanted = 1, runs = 0, steps = 0} = making ?? {};
  return html`<label class="about"
    >The machine is running: run ${runs + 1}, ${steps.toLocaleString('en')} steps; ${found} of ${wanted} choices known.
    <progress max=${wanted} .value=${found}></progress>
  </label>`;
}

function made(player: ScenarioPlayer, question: SeededQuestion, title: string, asked: MadeQuestion): TemplateResult {
  const key = player.seededKey(question);
  const given = player.answers[key];
  return questionView({
    title,
    question: asked,
    given,
    state: given === undefined ? 'open' : 'answered',
    answer: choice => void player.answer(key, choice),
    more: html`<div><button @click=${() => void player.showRun(asked)}>Show this run</button></div>`,
  });
}
