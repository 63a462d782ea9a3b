// The view that compares: machines under one scrubber, and of the chosen one what it does here, whether it is right, and why it was
// left.

import {ProgressEvent, sharedStyles, type ComparedLane, type LanePicture} from '@hyperscope/elements';
import {isUndecided} from '@hyperscope/elements/lineup';
import type {LaneMoment, LaneSummary, WrongStep} from '@hyperscope/trace';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {LeaveComparisonEvent} from './leave-comparison.js';
import type {LineupState} from './lineup-run.js';

/** Differences that are listed; the first tell the most. */
const MOST_DIFFERENCES = 6;

/** A button of the view asks for what a key does, too. */
export class LineupWishEvent extends CustomEvent<{readonly command: 'play' | 'stop'}> {
  constructor(command: 'play' | 'stop') {
    super('hs-lineup-wish', {detail: {command}});
  }
}

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
        flex: 1 1 0;
        color: var(--mute);
      }
      .details {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr);
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
      .note {
        border-inline-start: 5px solid var(--device);
        padding-inline-start: 12px;
      }
      progress {
        inline-size: 140px;
        accent-color: var(--ink);
      }
      table {
        margin-block-end: 8px;
      }
      caption {
        text-align: start;
        color: var(--mute);
      }
      td,
      table th {
        padding: 2px 16px 2px 0;
        text-align: start;
        font-weight: inherit;
        border-block-end: 1px solid var(--line);
      }
      @media (max-width: 900px) {
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
    return html`${this.heading(state)}
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

  private heading(state: LineupState): TemplateResult {
    const {lanes, standing, trouble, playing} = state;
    const done = lanes.filter(({kind}) => kind === 'compared' || kind === 'absent').length;
    const compared = lanes.filter(({kind}) => kind === 'compared').length;
    return html`<header>
      <h2>${this.guest} on ${compared} of ${lanes.length} machines</h2>
      ${standing === undefined ? nothing : html`<progress max=${lanes.length} value=${done} aria-label="Machines compared"></progress>`}
      <p role="status" class=${trouble === undefined ? '' : 'trouble'}>
        ${trouble ?? (standing === undefined ? nothing : `${standing}…`)}
      </p>
      ${standing === undefined ? nothing : html`<button @click=${() => this.wish('stop')}>Stop</button>`}
      <button
        ?disabled=${state.instructions === 0}
        aria-pressed=${playing !== undefined}
        title="Space; < slower, > faster"
        @click=${() => this.wish('play')}
      >
        ${playing === undefined ? 'Play' : `Pause · ${playing}`}
      </button>
      <button @click=${() => this.dispatchEvent(new LeaveComparisonEvent())}>Back to the lab</button>
    </header>`;
  }

  private wish(command: LineupWishEvent['detail']['command']): void {
    this.dispatchEvent(new LineupWishEvent(command));
  }

  private details(lane: ComparedLane): TemplateResult {
    const {summary, moment} = lane;
    return html`<div>
        <h3>${lane.title} · what it has printed</h3>
        <pre tabindex="0" aria-label="Printed so far">
${moment === undefined || moment.serial === '' ? 'nothing yet' : moment.serial}</pre>
        ${moment === undefined ? nothing : this.here(lane, moment)}
      </div>
      <div>
        ${this.verdict(lane)}
        <h3>Why the guest was left</h3>
        <hs-lane-exit-table .exits=${summary.exits}></hs-lane-exit-table>
      </div>`;
  }

  private here({id, summary}: ComparedLane, moment: LaneMoment): TemplateResult {
    return html`<h3>Here</h3>
      <p><b>${moment.title}.</b> ${moment.sentence}</p>
      ${
        summary.header.engine === 'kvm'
          ? nothing
          : html`<p>
              <button @click=${() => this.dispatchEvent(new LeaveComparisonEvent(id, moment.state))}>
                Open this machine in the lab, here
              </button>
            </p>`
      }`;
  }

  /** Whether it is right; where not, from which instruction on, and why. */
  private verdict(lane: ComparedLane): TemplateResult {
    const {summary, note} = lane;
    const {wrongStep, wrongAt} = summary;
    return html`<h3>${wrongStep === undefined ? 'The whole run' : 'What goes wrong'}</h3>
      ${note === undefined ? nothing : html`<p class="note">${note}${madeOn(summary.header)}</p>`}
      <div class=${wrongStep === undefined ? '' : 'wrong'}>
        ${isUndecided(lane) ? nothing : html`<p>${summary.sentence}</p>`}
        ${wrongStep?.sentences.map(sentence => html`<p>${sentence}</p>`)}
        ${wrongStep === undefined ? nothing : differences(wrongStep, lane.title)}
        ${
          wrongAt === undefined
            ? nothing
            : html`<p>
                <button @click=${() => this.dispatchEvent(new ProgressEvent(wrongAt))}>
                  Go to where it goes wrong
                </button>
              </p>`
        }
      </div>`;
  }
}

/** The host of a run on real KVM. */
function madeOn({host}: LaneSummary['header']): string {
  if (host === undefined) return '';
  return ` It was made on ${host.recordedOn} by ${host.flavour}, Linux ${host.kernel}.`;
}

/** What the guest finds behind the instruction, on both machines. */
function differences({differences: rows, instruction}: WrongStep, machine: string): TemplateResult {
  return html`<table>
    <caption>
      Behind “${instruction}”
    </caption>
    <thead>
      <tr>
        <th scope="col">what</th>
        <th scope="col">reference</th>
        <th scope="col">${machine}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.slice(0, MOST_DIFFERENCES).map(
        ({what, reference, lane}) =>
          html`<tr>
            <th scope="row">${what}</th>
            <td class="mono">${reference}</td>
            <td class="mono">${lane}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function waiting(lane: LanePicture): TemplateResult {
  if (lane.kind === 'absent') return html`<p>${lane.title} is not among them. ${lane.why}</p>`;
  return html`<p class="empty">${lane.title} is not compared yet.</p>`;
}
