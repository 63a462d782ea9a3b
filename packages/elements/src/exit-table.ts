// The exits of a run, as `perf kvm stat` would count them, with the guest's instruction and the reason in words.

import {bisector} from 'd3';
import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {ExitRow} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';

/** Asks to move the playhead to a state. */
export class SeekEvent extends CustomEvent<{readonly index: number}> {
  constructor(index: number) {
    super('hs-seek', {detail: {index}, bubbles: true, composed: true});
  }
}

@customElement('hs-exit-table')
export class ExitTable extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      td {
        padding: 3px 6px 3px 0;
        vertical-align: top;
        border-top: 1px solid var(--line);
      }
      th {
        padding: 0 6px 3px 0;
      }
      .count {
        font-variant-numeric: tabular-nums;
        text-align: end;
      }
      .bar {
        width: 26%;
      }
      .bar div {
        height: 12px;
        border-radius: 2px;
        background: var(--hypervisor);
        min-width: 3px;
        margin-top: 4px;
      }
      button {
        border: 0;
        background: none;
        padding: 0;
        min-height: 24px;
        text-align: start;
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .sentence {
        font-size: 0.857em;
        color: var(--mute);
        padding: 0 0 4px;
        border: 0;
      }
      tr.now button {
        font-weight: 700;
      }
      /* Beside other panels: how many of each, as bars; the words are in the table that has the room. */
      :host([brief]) :is(thead, .sentence) {
        display: none;
      }
      :host([brief]) td {
        padding-block: 0;
        border: 0;
        vertical-align: middle;
      }
      :host([brief]) .bar {
        width: 38%;
      }
      :host([brief]) .bar div {
        margin: 0;
      }
    `,
  ];

  @property({attribute: false}) rows: readonly ExitRow[] = [];
  /** The state under the playhead: the exit that led there is marked. */
  @property({type: Number}) index = 0;
  /** Only the counts. */
  @property({type: Boolean, reflect: true}) brief = false;

  /** Of all that the playhead passes only an exit changes the table. */
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    const before = changed.get('index');
    const isMarked = (index: number): boolean => this.rows.some(row => row.steps[place(row, index)] === index - 1);
    return changed.has('rows') || before === undefined || isMarked(before) || isMarked(this.index);
  }

  override render(): TemplateResult {
    const most = Math.max(1, ...this.rows.map(row => row.count));
    if (this.rows.length === 0)
      return html`<h3>Exits so far</h3>
        <p class="empty">No VM exit: nothing has left the guest.</p>`;
    return html`<table>
      <caption class="visually-hidden">
        Exits by reason
      </caption>
      <thead>
        <tr>
          <th scope="col">exit</th>
          <th scope="col" class="bar"><span class="visually-hidden">share</span></th>
          <th scope="col" class="count">count</th>
        </tr>
      </thead>
      <tbody>
        ${this.rows.map(row => this.row(row, most))}
      </tbody>
    </table>`;
  }

  private row(row: ExitRow, most: number): TemplateResult {
    const now = row.steps[place(row, this.index)] === this.index - 1;
    const go = (): void => {
      const at = place(row, this.index);
      const following = row.steps[row.steps[at] === this.index - 1 ? at + 1 : at] ?? row.steps[0];
      if (following !== undefined) this.dispatchEvent(new SeekEvent(following + 1));
    };
    return html`<tr class=${now ? 'now' : ''}>
        <td><button @click=${go} title="Go to the next of these exits">${row.reason}</button></td>
        <td class="bar"><div .style=${`width: ${(100 * row.count) / most}%`}></div></td>
        <td class="count">${row.count.toLocaleString('en')}</td>
      </tr>
      <tr>
        <td class="sentence" colspan="3" title=${row.sentence}>
          ${row.instruction === '' ? nothing : html`<span class="mono">${row.instruction}</span> · `}${row.sentence}
        </td>
      </tr>`;
  }
}

/** Where in a row's steps, of which there may be a million in ascending order, the step before a state is or would be. */
const place = ({steps}: ExitRow, index: number): number => bisector((step: number) => step).left(steps, index - 1);
