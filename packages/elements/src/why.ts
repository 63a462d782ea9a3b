// Why it happened: one sentence, the checks that the processor made with the decisive one marked, where it is written,
// and what would have happened otherwise.

import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Actor, Explanation} from '@hyperscope/trace';
import {actorLook} from './actors.js';
import {byContent} from './same-content.js';
import {sharedStyles} from './shared-styles.js';

/** A sentence that says in words what the marked check shows. */
const BECAUSE = 'The check that decided: ';
/** As many lines as are shown without being asked for. */
const SHORT = 4;

type CheckRow = Explanation['checks'][number];

@customElement('hs-why')
export class Why extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      /* Scrolls by itself. The shadows stand still and the covers move with the text: a shadow shows where text is hidden. */
      article {
        min-height: 0;
        overflow-y: auto;
        scrollbar-width: thin;
        scrollbar-color: var(--who) transparent;
        border-inline-start: 5px solid var(--who);
        background:
          linear-gradient(var(--who-tint) 30%, transparent) top / 100% 34px no-repeat local,
          linear-gradient(transparent, var(--who-tint) 70%) bottom / 100% 34px no-repeat local,
          linear-gradient(var(--shade), transparent) top / 100% 12px no-repeat scroll,
          linear-gradient(transparent, var(--shade)) bottom / 100% 12px no-repeat scroll,
          var(--who-tint);
        --shade: color-mix(in srgb, var(--who) 55%, transparent);
        border-radius: 0 var(--radius) var(--radius) 0;
        padding: 8px 16px;
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
        margin: 6px 0 4px;
        padding: 0;
        display: grid;
        gap: 2px;
      }
      li {
        display: grid;
        grid-template-columns: 1.4em 1fr;
        gap: 6px;
        align-items: baseline;
        padding: 2px 6px;
        border-radius: 5px;
      }
      /*
       * What decided is the point: where the panel is too low for it, it stays at the edge, over the rest. Without a box of its own the
       * list does not hold it back.
       */
      :host(:not([brief])) ol {
        display: contents;
      }
      :host(:not([brief])) li {
        margin-block: 2px;
      }
      li.decided {
        position: sticky;
        inset-block: -7px;
        z-index: 1;
        background: var(--panel);
        box-shadow:
          inset 0 0 0 1.5px var(--who),
          0 -3px 3px var(--who-tint),
          0 3px 3px var(--who-tint);
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
      .cause {
        display: block;
        font-weight: 400;
        font-size: 0.92em;
      }
      .source {
        color: var(--mute);
        font-weight: 400;
        font-size: 0.86em;
      }
      .meaning {
        font: calc(var(--code) * 1.08) / 1.45 var(--mono);
        background: var(--panel);
        border-radius: 5px;
        padding: 3px 10px;
        margin: 6px 0;
        width: fit-content;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      .changes {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 16px;
        margin: 6px 0;
        font: var(--code) / 1.45 var(--mono);
      }
      .changes div {
        display: flex;
        gap: 0.5em;
        flex-wrap: wrap;
      }
      .changes dt {
        font-weight: 650;
      }
      .changes dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .changes .before {
        color: var(--mute);
      }
      :host([brief]) :is(article, p, h2) {
        line-height: 1.28;
      }
      /* What decided stands first: it is never scrolled for. Of a long list it is all that a hall needs. */
      :host([brief]) li.decided {
        order: -1;
      }
      :host([brief]) ol:has(.decided):has(:nth-child(6)) li:not(.decided) {
        display: none;
      }
      :host([brief]) :is(.decisive, .more, .source, .cause, .foot) {
        font-size: 1em;
      }
      @media (max-width: 1799px) {
        :host([brief]) :is(.meaning, .whole, .foot),
        :host([brief]) ol:has(.decided) li:not(.decided) {
          display: none;
        }
        :host([brief]) :is(article, h2, p) {
          line-height: 1.24;
        }
        :host([brief]) article {
          display: flex;
          flex-direction: column;
          padding-block: 4px;
        }
        :host([brief]) article > * {
          flex: none;
        }
        :host([brief]) article > h2 {
          order: -2;
          margin: 0;
        }
        :host([brief]) article > ol:has(.decided) {
          order: -1;
          margin: 2px 0;
        }
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

  @property(byContent) explanation: Explanation | undefined = undefined;
  /** For the last row of a lecture hall: what decided first, and on a small screen only that. */
  @property({type: Boolean, reflect: true}) brief = false;
  /** On a screen for a hall the check that decided is scrolled into sight by itself. */
  @property({type: Boolean, reflect: true}) hall = false;
  /** Who acted, for the colour of the edge. */
  @property({attribute: false}) who: Actor = 'guest-kernel';

  override updated(changed: PropertyValues<this>): void {
    if (!this.hall || !(changed.has('explanation') || changed.has('brief'))) return;
    this.renderRoot.querySelector('article')?.scrollTo({top: 0});
    this.renderRoot.querySelector('.decided')?.scrollIntoView({block: 'nearest'});
  }

  override render(): TemplateResult {
    const why = this.explanation;
    if (why === undefined) return html`<p class="empty">Nothing to explain yet: step forward.</p>`;
    // Where a check decided, the instruction did not do what it means: what happened instead comes first.
    const stopped = why.checks.some(check => check.decided);
    const token = actorLook(this.who).token;
    return html`<article
      tabindex="0"
      aria-label="Why: ${why.title}"
      .style=${`--who: var(${token}); --who-tint: var(${token}-tint); --who-ink: var(${token}-ink)`}
    >
      <h2>${why.title}</h2>
      ${why.sentences.slice(0, 1).map(sentence => html`<p>${sentence}</p>`)}
      ${stopped ? nothing : meaning(why, stopped)}
      ${
        why.checks.length === 0
          ? nothing
          : html`<ol aria-label="Checks, in the processor's order">
              ${why.checks.map(check => checkRow(check, why.sources))}
            </ol>`
      }
      ${why.sentences
        .slice(1)
        .filter(sentence => !stopped || !sentence.startsWith(BECAUSE))
        .map(sentence => html`<p class="more">${sentence}</p>`)}
      ${stopped ? meaning(why, stopped) : nothing} ${changes(why)}
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

/** What the instruction means, a line for each thing that it does; a long one waits to be opened. */
function meaning(why: Explanation, stopped: boolean): TemplateResult | typeof nothing {
  const lines = why.meaning ?? [];
  const [sentence = ''] = why.sentences;
  if (lines.every(line => sentence.includes(line))) return nothing;
  const text = html`<div class="meaning">${lines.map(line => html`<div>${line}</div>`)}</div>`;
  if (lines.length <= SHORT && !stopped) return text;
  return html`<details class="whole">
    <summary>What the instruction means</summary>
    ${text}
  </details>`;
}

/** All that the step changed, from and to; the sentences tell the first few. */
function changes(why: Explanation): TemplateResult | typeof nothing {
  const rows = why.changes ?? [];
  if (rows.length <= SHORT) return nothing;
  return html`<details class="whole">
    <summary>All ${rows.length} changes</summary>
    <dl class="changes">
      ${rows.map(
        row =>
          html`<div>
            <dt>${row.name}</dt>
            <dd><span class="before">${row.before}</span> → ${row.after}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

/** One check. Its source is written here only when the foot of the panel does not list it. */
function checkRow(check: CheckRow, sources: readonly string[]): TemplateResult {
  const sign = check.holds ? 'M2 8.5L6 12.5L14 3.5' : 'M3 3L13 13M13 3L3 13';
  return html`<li title=${check.source} class=${check.decided ? 'decided' : ''}>
    <svg viewBox="0 0 16 16" role="img" aria-label=${check.holds ? 'holds' : 'does not hold'}>
      <path d=${sign} fill="none" stroke=${check.holds ? 'var(--good)' : 'var(--bad)'} stroke-width="2.4"></path>
    </svg>
    <span
      >${check.text}${check.decided ? html`<span class="decisive">decided</span>` : nothing}
      ${check.cause === undefined ? nothing : html`<span class="cause">Usually: ${check.cause}</span>`}
      ${check.source === '' || sources.includes(check.source) ? nothing : html`<span class="source"> — ${check.source}</span>`}</span
    >
  </li>`;
}
