// What happened in the selected stretch of the timeline: cycles by who runs, instructions, exits by reason. Text, because
// numbers are read; the lanes above are the picture.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {SelectionTotals} from '@hyperscope/trace';
import {actorGlyph, actorName, type StageHost} from './actors.js';
import {sharedStyles} from './shared-styles.js';
import {SelectEvent, WindowEvent} from './timeline.js';

/** Reasons that are named one by one; the rest is summed up. */
const NAMED = 5;

@customElement('hs-selection')
export class SelectionView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      section {
        display: flex;
        flex-wrap: wrap;
        gap: 3px 16px;
        align-items: center;
        background: var(--sunken);
        border: 1px solid var(--line);
        border-radius: 6px;
        padding: 4px 10px;
        font-variant-numeric: tabular-nums;
      }
      ul {
        display: contents;
        list-style: none;
      }
      li {
        display: flex;
        gap: 5px;
        align-items: center;
        white-space: nowrap;
      }
      svg {
        width: 12px;
        height: 12px;
      }
      button {
        min-height: 26px;
        padding: 1px 10px;
      }
      .tools {
        display: flex;
        gap: 6px;
        margin-inline-start: auto;
      }
    `,
  ];

  @property({attribute: false}) totals: SelectionTotals | undefined = undefined;
  @property() host: StageHost = 'hardware';

  override render(): TemplateResult | typeof nothing {
    const {totals} = this;
    if (totals === undefined) return nothing;
    const {fromCycle, toCycle, fromState, toState} = totals;
    const all = toCycle - fromCycle;
    const more = totals.exits.slice(NAMED);
    return html`<section role="status" aria-label="Totals of the selection">
      <b>${count(Math.round(all))} cycles</b>
      <span class="mute">steps ${count(fromState)} to ${count(toState)}</span>
      <ul>
        ${totals.actors
          .filter(row => row.cycles > 0 || row.instructions > 0)
          .map(
            row =>
              html`<li>
                <svg viewBox="0 0 16 16" aria-hidden="true">${actorGlyph(row.who)}</svg>
                ${actorName(row.who, this.host)}
                ${percent(row.cycles, all)}${row.instructions === 0 ? nothing : html`, ${plural(row.instructions, 'instruction')}`}
              </li>`,
          )}
        ${totals.exits.length === 0 ? html`<li>no exits</li>` : nothing}
        ${totals.exits
          .slice(0, NAMED)
          .map((row, at) => html`<li>${at === 0 ? 'exits: ' : ''}${row.reason} <b>${count(row.count)}</b></li>`)}
        ${
          more.length === 0
            ? nothing
            : html`<li>
                ${plural(more.length, 'other reason')} <b>${count(more.reduce((sum, row) => sum + row.count, 0))}</b>
              </li>`
        }
        ${totals.exceptions.map(row => html`<li>${row.name} <b>${count(row.count)}</b></li>`)}
      </ul>
      <div class="tools">
        <button @click=${() => this.dispatchEvent(new WindowEvent(fromCycle, Math.max(fromCycle + 1, toCycle), 1200))}>
          Zoom in
        </button>
        <button aria-label="Clear the selection" @click=${() => this.dispatchEvent(new SelectEvent(undefined))}>
          Clear
        </button>
      </div>
    </section>`;
  }
}

const count = (value: number): string => value.toLocaleString('en').replaceAll(',', '\u2009');
const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
const percent = (part: number, all: number): string => `${all <= 0 ? 0 : ((100 * part) / all).toFixed(1)} %`;
