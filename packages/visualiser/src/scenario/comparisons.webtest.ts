// Figures and arrows of a step as a reader with assistive technology meets them, and what a guess does.

import {actorLook, sharedStyles} from '@hyperscope/elements';
import {requireScenario} from '@hyperscope/walkthroughs';
import {render} from 'lit';
import axe from 'axe-core';
import {expect, test} from 'vitest';
import {arrowsView} from './arrows-view.js';
import {measurementView} from './measurement-view.js';
import {StepComparisons} from './step-comparisons.js';
import type {MeasuredRow} from './step-comparisons.js';

const FILE = `---
title: T
teaches: x
guest: popf
machine: vtx-ept
---

## One

\`\`\`step
place: {from: start}
\`\`\`

\`\`\`measure
title: What a call costs
stretches: [{name: 'SYSCALL', first: {instruction: syscall}, last: {instruction: sysret}}]
\`\`\`

\`\`\`arrows
question: Does it exist?
arrows:
  - {from: vmm, to: hypervisor, exists: yes, because: An ioctl.}
  - {from: vmm, to: guest-user, exists: no, because: VMRESUME is for ring 0.}
\`\`\`
`;
const [step] = requireScenario(FILE, 'x.md').steps;
const ROWS: readonly MeasuredRow[] = [
  {name: 'SYSCALL', ok: true, from: 3, to: 9, instructions: 4, cycles: 1242},
  {name: 'INT', ok: false, why: 'This run has no INT.'},
];

async function shown(answers: Readonly<Record<string, number>>) {
  const guesses: string[] = [];
  const sought: number[] = [];
  const lab = {
    measure: async () => ROWS,
    crossings: async () => [{from: 'vmm', to: 'hypervisor', count: 2, first: 7, how: 'ioctl(KVM_RUN)'} as const],
  };
  const compared = new StepComparisons(lab, () => undefined);
  await compared.load(step);
  if (step?.measurement === undefined || step.arrowGuess === undefined) throw new Error('the step compares');
  const {measurement, arrowGuess: guess} = step;
  document.documentElement.lang = 'en';
  document.title = 'test';
  document.adoptedStyleSheets = [sharedStyles.styleSheet ?? new CSSStyleSheet()];
  const seek = (index: number): void => void sought.push(index);
  const answer = (key: string, choice: number): void => void guesses.push(`${key} ${choice}`);
  const draw = (): void => {
    document.body.replaceChildren(document.createElement('main'));
    const main = document.body.firstElementChild;
    if (!(main instanceof HTMLElement)) return;
    render(
      [
        measurementView(measurement, compared.rowsOf(step), seek),
        arrowsView({guess, part: 1, compared, answers, answer, seek}),
      ],
      main,
    );
  };
  draw();
  return {compared, guess, guesses, sought, draw};
}
const button = (name: string): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find(
    each => (each.getAttribute('aria-label') ?? each.textContent).trim() === name,
  );
  if (found === undefined) throw new Error(`no button ${name}`);
  return found;
};
const arrowName = (said: string): string =>
  `${actorLook('vmm').name} (root ring 3) to ${actorLook('hypervisor').name} (root ring 0): ${said}`;

test('is accessible, judged and not', async () => {
  for (const answers of [{}, {'arrow-1-vmm-hypervisor': 0, 'arrow-1-vmm-guest-user': 0}]) {
    const {compared, guess, draw} = await shown(answers);
    for (const arrow of guess.arrows) {
      compared.choose(arrow);
      draw();
      const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']});
      expect(violations.map(({id}) => id)).toEqual([]);
    }
  }
});

test('an arrow is chosen, judged, and then told with the step of the run that took it', async () => {
  const open = await shown({});
  button(arrowName('not judged yet')).click();
  open.draw();
  button('It exists').click();
  expect(open.guesses).toEqual(['arrow-1-vmm-hypervisor 0']);

  const judged = await shown({'arrow-1-vmm-hypervisor': 0});
  button(arrowName('exists')).click();
  judged.draw();
  expect(document.body.textContent).toMatch(
    /Right\.\s+An ioctl\.\s+Taken 2 times in this run, first by\s+ioctl\(KVM_RUN\)/,
  );
  button('Show it').click();
  expect(judged.sought).toEqual([7]);
  expect(document.body.textContent).toContain('1 of 1 right; 2 in all.');
});

test('a stretch leads to where it begins; one that is not there says why', async () => {
  const {sought} = await shown({});
  button('SYSCALL').click();
  expect(sought).toEqual([3]);
  expect(document.body.textContent).toContain('1,242');
  expect(document.body.textContent).toContain('This run has no INT.');
});
