// The view that compares: machines under one scrubber, and of the chosen one what it does here, whether it is right, and why it was
// left.

import {ProgressEvent, sharedStyles, type ComparedLane, type LanePicture} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {LeaveComparisonEvent} from './leave-comparison.js';
import type {LineupState} from './lineup-run.js';

@customElement('hs-compare-view')
export class CompareView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr);
        gap: 1px;
        background: var(--line);
        min-height: 0;
        overflow: auto;
      }
      header,
      section {
        background: var(--panel);
        padding: 10px 16px;
      }
      header {
        display: flex;
        gap: 8px 16px;
        align-items: center;
        flex-wrap: wrap;
      }
      h2 {
        margin: 0;
        font-size: 1.2em;
      }
      header p {
        margin: 0;
        flex: 1 1 200px;
        color: var(--mute);
      }
      .details {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1.2fr);
        gap: 12px 28px;
        align-content: start;
        overflow: auto;
      }
      .details > div > :first-child {
        margin-top: 0;
      }
      .trouble {
        color: var(--bad);
      }
      .wrong {
        border-inline-start: 5px solid var(--bad);
        padding-inline-start: 12px;
      }
      pre {
        margin: 0 0 10px;
        padding: 6px 10px;
        background: var(--console);
        color: var(--console-ink);
        border-radius: 6px;
        font: var(--code) / 1.4 var(--mono);
        max-height: 7.5em;
        overflow: auto;
        white-space: pre-wrap;
        min-height: 2.2em;
      }
      p {
        margin: 0 0 8px;
      }
      @media (max-width: 1100px) {
        .details {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  @property({attribute: false}) state: LineupState | undefined = undefined;
  /** Title of the guest. */
  @property() guest = '';

  override render(): TemplateResult {
    const {state} = this;
    if (state === undefined) return html`<header><p role="status">Starting…</p></header>`;
    const chosen = state.lanes.find(({id}) => id === state.chosen);
    return html`<header>
        <h2>${this.guest} on ${state.lanes.length} machines</h2>
        <p role="status" class=${state.trouble === undefined ? '' : 'trouble'}>
          ${state.trouble ?? (state.standing === undefined ? nothing : `${state.standing}…`)}
        </p>
        <button @click=${() => this.dispatchEvent(new LeaveComparisonEvent())}>
          ${state.standing === undefined ? 'Back to the lab' : 'Cancel'}
        </button>
      </header>
      <section aria-label="Machines beside each other">
        <hs-lineup
          .lanes=${state.lanes}
          .instruction=${state.instruction}
          .instructions=${state.instructions}
          .chosen=${state.chosen}
        ></hs-lineup>
      </section>
      <section class="details" aria-label=${chosen?.title ?? 'Machine'}>
        ${chosen?.kind === 'compared' ? this.details(chosen) : chosen === undefined ? nothing : waiting(chosen)}
      </section>`;
  }

  private details(lane: ComparedLane): TemplateResult {
    const {summary, moment} = lane;
    const {wrongStep, wrongAt} = summary;
    const isReal = summary.header.engine === 'kvm';
    return html`<div>
        <h3>${lane.title} · what it has printed</h3>
        <pre tabindex="0" aria-label="Printed so far">
${moment === undefined || moment.serial === '' ? 'nothing yet' : moment.serial}</pre>
        ${
          moment === undefined
            ? nothing
            : html`<h3>Here</h3>
                <p><b>${moment.title}.</b> ${moment.sentence}</p>
                ${
                  isReal
                    ? nothing
                    : html`<p>
                        <button @click=${() => this.dispatchEvent(new LeaveComparisonEvent(lane.id, moment.state))}>
                          Open this machine in the lab, here
                        </button>
                      </p>`
                }`
        }
      </div>
      <div>
        <h3>${wrongStep === undefined ? 'The whole run' : 'What goes wrong'}</h3>
        <div class=${wrongStep === undefined ? '' : 'wrong'}>
          <p>${summary.sentence}</p>
          ${wrongStep?.sentences.map(sentence => html`<p>${sentence}</p>`)}
          ${
            wrongAt === undefined
              ? nothing
              : html`<p>
                  <button @click=${() => this.dispatchEvent(new ProgressEvent(wrongAt))}>
                    Go to where it goes wrong
                  </button>
                </p>`
          }
        </div>
        <h3>Why the guest was left</h3>
        <hs-lane-exit-table .exits=${summary.exits}></hs-lane-exit-table>
      </div>`;
  }
}

function waiting(lane: LanePicture): TemplateResult {
  if (lane.kind === 'absent') return html`<p>${lane.title} is not among them. ${lane.why}</p>`;
  return html`<p class="empty">${lane.title} is not compared yet.</p>`;
}
