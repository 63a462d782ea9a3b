// Two runs of one guest side by side: what left the simulated guest, what left the real one, and why they differ.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {SeekEvent} from './exit-table.js';
import {sharedStyles} from './shared-styles.js';

export type Verdict = 'matched' | 'explained' | 'unexplained';

export interface CompareRow {
  /** What left the simulated guest and at which state; undefined when only the real one left. */
  readonly simulated:
    | {
        readonly index: number;
        /** The last state of the event: when user space has been told. */ readonly until: number;
        readonly text: string;
      }
    | undefined;
  readonly real: {readonly text: string} | undefined;
  readonly verdict: Verdict;
  /** Why they differ, or what makes them the same: a sentence. */
  readonly why: string;
}

const VERDICTS: Readonly<Record<Verdict, {readonly name: string; readonly path: string; readonly colour: string}>> = {
  matched: {name: 'same', path: 'M2 8.5L6 12.5L14 3.5', colour: 'var(--good)'},
  explained: {name: 'explained', path: 'M2 6H14M2 11H14', colour: 'var(--vmm-ink)'},
  unexplained: {name: 'differs', path: 'M8 2V9M8 12V14', colour: 'var(--bad)'},
};

@customElement('hs-compare-table')
export class CompareTable extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      td,
      th {
        padding: 4px 8px 4px 0;
        vertical-align: top;
        border-bottom: 1px solid var(--line);
      }
      tr.now td {
        background: var(--hit);
        color: var(--hit-ink);
      }
      td.side {
        font: var(--code)/1.45 var(--mono);
      }
      .verdict {
        white-space: nowrap;
        font-weight: 650;
      }
      .verdict svg {
        width: 14px;
        height: 14px;
        vertical-align: -2px;
        margin-inline-end: 4px;
      }
      button {
        border: 0;
        background: none;
        padding: 0;
        min-height: 24px;
        font: inherit;
        text-align: start;
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .why {
        font: 0.9em/1.4 var(--sans);
        padding-bottom: 3px;
      }
      .who {
        font: 0.9em var(--sans);
        opacity: 0.85;
      }
      .number {
        width: 2em;
      }
      p {
        margin: 0 0 8px;
      }
    `,
  ];

  @property({attribute: false}) rows: readonly CompareRow[] = [];
  @property() left = 'simulated VT-x';
  @property() right = 'real KVM';
  /** One sentence above the table. */
  @property() summary = '';
  @property({type: Number}) index = 0;

  override render(): TemplateResult {
    if (this.rows.length === 0)
      return html`<p class="empty">Nothing to compare yet: press “Real KVM” to run the same bytes on hardware.</p>`;
    return html`${this.summary === '' ? nothing : html`<p>${this.summary}</p>`}
      <table>
        <caption class="visually-hidden">
          Exits to user space, in order
        </caption>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">${this.left} and ${this.right}</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          ${this.rows.map((row, at) => this.row(row, at))}
        </tbody>
      </table>`;
  }

  private row(row: CompareRow, at: number): TemplateResult {
    const verdict = VERDICTS[row.verdict];
    const {simulated, real} = row;
    const now = simulated !== undefined && simulated.index <= this.index && this.index <= simulated.until;
    const same = simulated !== undefined && real !== undefined && simulated.text === real.text;
    return html`<tr class=${now ? 'now' : ''}>
      <td class="number">${at + 1}</td>
      <td class="side">
        ${
          same
            ? this.link(simulated)
            : html`<div><span class="who">${this.left}</span> ${this.link(simulated)}</div>
                <div><span class="who">${this.right}</span> ${real?.text ?? html`<i>no exit</i>`}</div>`
        }
        ${row.verdict === 'matched' ? nothing : html`<div class="why">${row.why}</div>`}
      </td>
      <td class="verdict">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d=${verdict.path} fill="none" stroke=${verdict.colour} stroke-width="2.4"></path></svg
        >${verdict.name}
      </td>
    </tr>`;
  }

  private link(simulated: CompareRow['simulated']): TemplateResult {
    if (simulated === undefined) return html`<i>no exit</i>`;
    return html`<button @click=${() => this.dispatchEvent(new SeekEvent(simulated.index))} title="Go there">
      ${simulated.text}
    </button>`;
  }
}
