// The switches and the scenarios as a reader with assistive technology meets them, and what they send.

import {SHIPPED, requireScenario} from '@hyperscope/walkthroughs';
import type {SwitchOffer} from '@hyperscope/trace';
import {applyTheme, installTheme, THEMES} from '@hyperscope/elements';
import axe from 'axe-core';
import type {LitElement} from 'lit';
import {expect, test} from 'vitest';
import {ScenarioChooser} from '../scenario/scenario-chooser.js';
import {ScenarioPanel} from '../scenario/scenario-panel.js';
import {ScenarioPlayer} from '../scenario/player.js';
import type {MakingSlice} from '../scenario/question-client.js';
import {SwitchList, SwitchesEvent} from '../switches/switch-list.js';

const OFFERS: readonly SwitchOffer[] = [
  {
    id: 'hlt-exiting',
    title: 'HLT exiting',
    group: 'execution controls',
    sentence: 'Without it a guest that waits keeps the processor.',
    values: [
      {id: 'on', title: 'on'},
      {id: 'off', title: 'off'},
    ],
    initial: 'on',
  },
  {
    id: 'user-bit',
    title: 'The shadow keeps the U/S bit',
    group: 'break it',
    sentence: 'Without it every page is open.',
    values: [
      {id: 'on', title: 'on'},
      {id: 'off', title: 'off'},
    ],
    initial: 'on',
  },
];
const scenario = requireScenario(SHIPPED.find(({name}) => name === 'd6-popf.md')?.text ?? '', 'd6-popf.md');

async function mount<E extends LitElement>(element: E, theme: (typeof THEMES)[number]): Promise<E> {
  installTheme(document);
  applyTheme(document, theme);
  document.documentElement.lang = 'en';
  document.title = 'test';
  document.body.style.cssText = 'background: var(--panel); width: 420px; height: 900px';
  document.body.replaceChildren(element);
  await element.updateComplete;
  return element;
}
async function troubles(): Promise<readonly string[]> {
  const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']});
  return violations.map(({id, nodes}) => `${id}: ${nodes.map(({target}) => String(target)).join(', ')}`);
}
const switchList = (): SwitchList => Object.assign(new SwitchList(), {offers: OFFERS, switches: {'user-bit': 'off'}});

const MADE: MakingSlice = {
  kind: 'made',
  made: {
    text: 'What is `RAX`?',
    choices: ['1', '2'],
    answer: 0,
    because: 'It was run.',
    shown: {choice: scenario.choice, place: {from: 'end', occurrence: 1}},
    runs: 2,
  },
};

function panel(part: number): ScenarioPanel {
  const lab = {
    choice: () => scenario.choice,
    open: async () => undefined,
    find: async () => ({index: 1}),
    seek: () => undefined,
    start: () => 0,
    source: () => '',
    measure: async () => [],
    crossings: async () => [],
    change: async () => undefined,
    questions: async () => ({begin: async () => undefined, next: async () => MADE}),
    panel: () => undefined,
  };
  const player = new ScenarioPlayer(scenario, lab, () => undefined);
  player.part = part;
  return Object.assign(new ScenarioPanel(), {player});
}

test.each(THEMES)('in the theme %s the switches and the scenario are accessible', async theme => {
  await mount(switchList(), theme);
  expect(await troubles()).toEqual([]);
  for (const part of [0, 2, scenario.steps.length + 1]) {
    await mount(panel(part), theme);
    expect(await troubles()).toEqual([]);
  }
});

test.each(THEMES)(
  'in the theme %s questions of a set are accessible: waiting, being made, stopped, asked',
  async theme => {
    const shown = await mount(panel(scenario.steps.length + 1), theme);
    const {player} = shown;
    if (player === undefined) throw new Error('the panel has a player');
    const look = async (): Promise<readonly string[]> => {
      shown.version++;
      await shown.updateComplete;
      return troubles();
    };
    const making = player.seeded.make();
    expect(await look()).toEqual([]);
    await making;
    expect(await look()).toEqual([]);
    expect(shown.shadowRoot?.querySelectorAll('.set .choices')).toHaveLength(scenario.seeded.length);
    player.seeded.choose(9);
    expect(await look()).toEqual([]);
    player.seeded.stop();
    expect(await look()).toEqual([]);
  },
);

test('the list of scenarios is accessible, and says what each teaches', async () => {
  const chooser = await mount(Object.assign(new ScenarioChooser(), {scenarios: [scenario]}), 'light');
  chooser.show();
  await chooser.updateComplete;
  expect(await troubles()).toEqual([]);
  expect(chooser.shadowRoot?.textContent).toContain(scenario.teaches);
});

test('a switch sends all that is changed, and the initial value takes it away', async () => {
  const list = await mount(switchList(), 'light');
  const sent: unknown[] = [];
  list.addEventListener('hs-switches', event => event instanceof SwitchesEvent && sent.push(event.detail));
  const set = (id: string, value: string): void => {
    const select = list.shadowRoot?.querySelector(`select[data-switch="${id}"]`);
    if (!(select instanceof HTMLSelectElement)) throw new Error(id);
    select.value = value;
    select.dispatchEvent(new Event('change'));
  };
  set('hlt-exiting', 'off');
  set('user-bit', 'on');
  expect(sent).toEqual([{'user-bit': 'off', 'hlt-exiting': 'off'}, {}]);
  expect(list.shadowRoot?.querySelectorAll('.changed')).toHaveLength(1);
});
