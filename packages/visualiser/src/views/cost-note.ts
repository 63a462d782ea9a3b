// Where the cycles come from, in one line that opens: they are a model's, each figure with its source or called assumed.

import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {CostFigures} from '../lab-client.js';

@customElement('hs-cost-note')
export class CostNote extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
      }
      button {
        border: 0;
        background: none;
        color: var(--mute);
        text-decoration: underline dotted;
        text-underline-offset: 3px;
        padding: 2px 4px;
        text-align: start;
        max-width: 100%;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      @media (max-width: 1399px) {
        .word {
          display: none;
        }
      }
      /* Beside the axis that counts the cycles. */
      @media (max-width: 1199px) {
        .words {
          position: absolute;
          clip-path: inset(50%);
        }
        button {
          min-height: 24px;
          font-size: 0.8em;
        }
      }
      [popover] {
        inset: auto 14px 12px auto;
        margin: 0;
        width: min(660px, 94vw);
        max-height: 70vh;
        overflow: auto;
        background: var(--panel);
        color: var(--ink);
        border: 1px solid var(--strong-line);
        border-radius: 10px;
        box-shadow: var(--shadow);
        padding: 14px 18px;
        font: var(--size)/1.4 var(--sans);
      }
      h2 {
        font-size: 1.1em;
        margin: 0 0 6px;
      }
      p {
        margin: 0 0 8px;
      }
      td,
      th {
        padding: 3px 10px 3px 0;
        border-bottom: 1px solid var(--line);
        vertical-align: top;
      }
      .more {
        color: inherit;
        border: 1px solid var(--strong-line);
        border-radius: var(--radius);
        text-decoration: none;
        padding: 4px 10px;
      }
      .number {
        text-align: end;
        font: var(--code) var(--mono);
      }
      .source {
        color: var(--mute);
        font-size: 0.9em;
      }
      .assumed {
        font-weight: 650;
      }
    `,
  ];

  @property({attribute: false}) costs: CostFigures | undefined = undefined;

  override render(): TemplateResult | typeof nothing {
    const {costs} = this;
    if (costs === undefined) return nothing;
    return html`<button popovertarget="figures" title="Cycles are computed from published figures, not measured here">
        <span class="words">cycles<span class="word"> modelled</span> on </span>${costs.title}
      </button>
      <div id="figures" popover role="dialog" aria-labelledby="title" tabindex="0">
        <h2 id="title">Cycles modelled on ${costs.title}</h2>
        <p>
          Nothing here is timed on this machine. Each step costs what the table says, so that two runs of a guest cost
          the same; main source: ${costs.source}. “Assumed” means that nobody published a figure and we chose one,
          “calibrated” that it was fitted to a published table.
        </p>
        <p><button class="more" @click=${this.ask}>Which hypervisor is faster, and when?</button></p>
        <table>
          <thead>
            <tr>
              <th scope="col">what</th>
              <th scope="col" class="number">cycles</th>
              <th scope="col">figure</th>
              <th scope="col">source</th>
            </tr>
          </thead>
          <tbody>
            ${costs.figures.map(
              figure =>
                html`<tr>
                  <td>${figure.name}</td>
                  <td class="number">${figure.cycles}</td>
                  <td class=${figure.kind}>${figure.kind}</td>
                  <td class="source">${figure.source}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;
  }

  /** Closes itself: what it asks for opens over everything. */
  private readonly ask = (): void => {
    this.renderRoot.querySelector<HTMLElement>('[popover]')?.hidePopover();
    this.dispatchEvent(new Event('hs-paradox', {bubbles: true, composed: true}));
  };
}
