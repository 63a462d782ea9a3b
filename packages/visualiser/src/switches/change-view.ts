// What a switch changed, in a few lines and a table.

import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {RunChange} from './run-change.js';

const MOST_ROWS = 8;

@customElement('hs-run-change')
export class RunChangeView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .pair {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 8px;
      }
      pre {
        margin: 2px 0 0;
        padding: 6px 8px;
        background: var(--console);
        color: var(--console-ink);
        border-radius: 6px;
        font: var(--code) / 1.4 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        max-height: 9em;
        overflow: auto;
      }
      p {
        margin: 0 0 8px;
      }
      th,
      td {
        padding: 3px 6px;
        border-bottom: 1px solid var(--line);
        vertical-align: top;
      }
      td:not(:first-child),
      th:not(:first-child) {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .more {
        color: var(--hypervisor-ink);
        font-weight: 650;
      }
      .fewer {
        color: var(--good);
        font-weight: 650;
      }
    `,
  ];

  @property({attribute: false}) change: RunChange | undefined = undefined;

  override render(): TemplateResult {
    const {change} = this;
    if (change === undefined) return html``;
    const {endingBefore, endingAfter, divergence, exitsBefore, exitsAfter} = change;
    return html`<section aria-label="What changed">
      <h3>What changed</h3>
      <p>
        ${divergence ?? 'The world outside saw the same: the same output, the same accesses to devices, in the same order.'}
      </p>
      ${
        endingBefore === endingAfter
          ? nothing
          : html`<p><b>Ended before:</b> ${endingBefore}<br /><b>Ends now:</b> ${endingAfter}</p>`
      }
      ${this.output(change)}
      ${
        exitsBefore + exitsAfter === 0
          ? nothing
          : html`<p>
              ${exitsBefore === exitsAfter ? html`${exitsAfter} exits, as before.` : html`${exitsAfter} exits, before ${exitsBefore}.`}
            </p>`
      }
      ${this.exits(change)}
    </section>`;
  }

  private output({printedBefore, printedAfter}: RunChange): TemplateResult | typeof nothing {
    if (printedBefore === printedAfter) return nothing;
    const shown = (text: string): string => (text === '' ? '(nothing)' : text.slice(-600));
    return html`<div class="pair">
        <div>
          <b>Printed before</b>
          <pre tabindex="0">${shown(printedBefore)}</pre>
        </div>
        <div>
          <b>Prints now</b>
          <pre tabindex="0">${shown(printedAfter)}</pre>
        </div>
      </div>
      <p></p>`;
  }

  private exits({exits}: RunChange): TemplateResult | typeof nothing {
    if (exits.length === 0) return nothing;
    return html`<table>
      <thead>
        <tr>
          <th scope="col">Exit</th>
          <th scope="col">before</th>
          <th scope="col">now</th>
        </tr>
      </thead>
      <tbody>
        ${exits.slice(0, MOST_ROWS).map(
          ({reason, before, after}) =>
            html`<tr>
              <td>${reason}</td>
              <td>${before}</td>
              <td class=${after > before ? 'more' : 'fewer'}>${after}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
  }
}
