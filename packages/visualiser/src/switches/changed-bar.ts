// One line that never goes away while the machine is not as it should be: a hall must not forget that it is broken.

import type {SwitchOffer, Switches} from '@hyperscope/trace';
import {css, html, nothing, type TemplateResult} from 'lit';

export const changedBarStyles = css`
  .changed-bar {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 14px;
    align-items: center;
    padding: 4px 16px;
    background: var(--hit);
    color: var(--hit-ink);
    border-inline-start: 8px solid var(--hypervisor);
  }
  .changed-bar b {
    white-space: nowrap;
  }
  .changed-bar ul {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 16px;
    margin: 0;
    padding: 0;
    list-style: none;
    flex: 1;
  }
  .changed-bar button {
    color: var(--ink);
    min-height: 26px;
    padding: 1px 10px;
  }
`;

/** What each switch stands on that was changed. */
export function changedWords(offers: readonly SwitchOffer[], switches: Switches): readonly string[] {
  return Object.entries(switches).map(([id, value]) => {
    const offer = offers.find(each => each.id === id);
    const title = offer?.values.find(each => each.id === value)?.title ?? value;
    return `${offer?.title ?? id}: ${title}`;
  });
}

export function changedBar(
  offers: readonly SwitchOffer[],
  switches: Switches,
  repair: () => void,
): TemplateResult | typeof nothing {
  const words = changedWords(offers, switches);
  if (words.length === 0) return nothing;
  return html`<div class="changed-bar" role="status" aria-label="This machine was changed">
    <b>Changed machine</b>
    <ul>
      ${words.map(word => html`<li>${word}</li>`)}
    </ul>
    <button @click=${repair}>Back to normal</button>
  </div>`;
}
