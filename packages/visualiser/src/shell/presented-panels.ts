// The panels of the lab as a presentation finds them: which there are, which fills the screen, and the black screen over all.

import {RingStage} from '@hyperscope/elements';
import {html, nothing, type TemplateResult} from 'lit';
import type {Filling, Presentation} from './presentation.js';

/** Each panel, by what finds it in the lab. */
const SELECTORS: Readonly<Record<Filling, string>> = {
  stage: 'hs-ring-stage',
  why: 'hs-why',
  code: '.left .code',
  console: 'hs-console',
  inspector: 'hs-inspector',
  timeline: 'hs-timeline',
  scenario: '.scenario',
};

/** Whether the lab has such a panel now. */
export function hasPanel(root: ParentNode, panel: Filling): boolean {
  return root.querySelector(SELECTORS[panel]) !== null;
}

/** Tells the lab's style sheet what fills the screen and how large; nothing of it outside a presentation. */
export function showPresentation(lab: HTMLElement, presentation: Presentation | undefined): void {
  const panel = presentation?.panel;
  const before = lab.getAttribute('filling');
  if (panel === undefined) lab.removeAttribute('filling');
  else lab.setAttribute('filling', panel);
  lab.style.setProperty('--panel-zoom', String(presentation?.zoom ?? 1));
  // What was not shown could not be scrolled.
  if (panel === 'code' && before !== 'code')
    lab.shadowRoot
      ?.querySelector('hs-code-view')
      ?.shadowRoot?.querySelector('.current, .left')
      ?.scrollIntoView({block: 'center'});
  if (panel === 'stage' && presentation !== undefined && presentation.zoom > 1) void followToken(lab);
}

/** A stage that is larger than the screen shows the part where the processor is. */
async function followToken(lab: HTMLElement): Promise<void> {
  const stage = lab.shadowRoot?.querySelector('hs-ring-stage');
  if (!(stage instanceof RingStage)) return;
  await stage.updateComplete;
  stage.shadowRoot?.querySelector('.token')?.scrollIntoView({block: 'center', inline: 'center'});
}

/** What lies over the lab, and what a screen reader is told. */
export function presentationParts(presentation: Presentation): TemplateResult {
  return html`<p class="visually-hidden" role="status">${presentation.told}</p>
    ${presentation.screen === 'off' ? html`<div class="blackout"></div>` : nothing}`;
}
