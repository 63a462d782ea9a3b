// Why it happened: one sentence, the checks that the processor made with the decisive one marked, where it is written,
// and what would have happened otherwise.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Actor, Explanation} from '@hyperscope/trace';
import {actorLook} from './actors.js';
import {sharedStyles} from './shared-styles.js';

type CheckRow = Explanation['checks'][number];

@customElement('hs-why')
export class Why extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      article {
        border-inline-start: 5px solid var(--who);
        background: var(--who-tint);
        border-radius: 0 var(--radius) var(--radius) 0;
        padding: 10px 16px;
      }
      h2 {
        margin: 0 0 4px;
        font-size: 1.14em;
        line-height: 1.3;
      }
      p {
        margin: 4px 0;
        max-width: 92ch;
      }
      p.more {
        font-size: 0.93em;
      }
      ol {
        list-style: none;
        margin: 8px 0 4px;
        padding: 0;
        display: grid;
        gap: 3px;
      }
      li {
        display: grid;
        grid-template-columns: 1.4em 1fr;
        gap: 6px;
        align-items: baseline;
        padding: 2px 6px;
        border-radius: 5px;
      }
      li.decided {
        background: var(--panel);
        box-shadow: inset 0 0 0 1.5px var(--who);
        font-weight: 600;
      }
      li svg {
        width: 1.05em;
        height: 1.05em;
        align-self: start;
        margin-top: 0.2em;
      }
      .decisive {
        font-size: 0.8em;
        font-weight: 700;
        color: var(--who-ink);
        border: 1px solid currentColor;
        border-radius: 9px;
        padding: 0 7px;
        margin-inline-start: 6px;
        white-space: nowrap;
      }
      .source {
        color: var(--mute);
        font-weight: 400;
        font-size: 0.86em;
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 18px;
        font-size: 0.9em;
        color: var(--mute);
        margin-top: 6px;
      }
      details {
        margin-top: 4px;
      }
      summary {
        cursor: pointer;
        font-weight: 600;
      }
    `,
  ];

  @property({attribute: false}) explanation: Explanation | undefined = undefined;
  /** Who acted, for the colour of the edge. */
  @property({attribute: false}) who: Actor = 'guest-kernel';

  override render(): TemplateResult {
    const why = this.explanation;
    if (why === undefined) return html`<p class="empty">Nothing to explain yet: step forward.</p>`;
    const token = actorLook(this.who).token;
    return html`<article .style=${`--who: var(${token}); --who-tint: var(${token}-tint); --who-ink: var(${token}-ink)`}>
      <h2>${why.title}</h2>
      ${why.sentences.slice(0, 1).map(sentence => html`<p>${sentence}</p>`)}
      ${
        why.checks.length === 0
          ? nothing
          : html`<ol aria-label="Checks, in the processor's order">
              ${why.checks.map(checkRow)}
            </ol>`
      }
      ${why.sentences.slice(1).map(sentence => html`<p class="more">${sentence}</p>`)}
      ${
        why.otherwise === undefined
          ? nothing
          : html`<details>
              <summary>What would have happened otherwise?</summary>
              <p>${why.otherwise}</p>
            </details>`
      }
      ${why.sources.length === 0 ? nothing : html`<div class="foot"><span>Where it is written:</span>${why.sources.map(source => html`<cite>${source}</cite>`)}</div>`}
    </article>`;
  }
}

function checkRow(check: CheckRow): TemplateResult {
  const sign = check.holds ? 'M2 8.5L6 12.5L14 3.5' : 'M3 3L13 13M13 3L3 13';
  return html`<li class=${check.decided ? 'decided' : ''}>
    <svg viewBox="0 0 16 16" role="img" aria-label=${check.holds ? 'holds' : 'does not hold'}>
      <path d=${sign} fill="none" stroke=${check.holds ? 'var(--good)' : 'var(--bad)'} stroke-width="2.4"></path>
    </svg>
    <span
      >${check.text}${check.decided ? html`<span class="decisive">decided</span>` : nothing}
      ${check.source === '' ? nothing : html`<span class="source"> — ${check.source}</span>`}</span
    >
  </li>`;
}
