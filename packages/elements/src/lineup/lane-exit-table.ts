// Why a machine's guest was left, counted and timed as `perf kvm stat` does it, with the guest's instruction, and in words.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {LaneReason} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {ProgressEvent} from './lineup-events.js';
import {shortCount} from './lane-picture.js';

@customElement('hs-lane-exit-table')
export class LaneExitTable extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      table {
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding: 3px 12px 3px 0;
        vertical-align: top;
      }
      thead th,
      tr.words td {
        border-bottom: 1px solid var(--line);
      }
      tr.words td {
        padding: 0 0 8px;
        color: var(--mute);
      }
      tr.words button {
        min-height: 24px;
        padding: 0 8px;
        font-size: 0.9em;
      }
      .number {
        text-align: end;
      }
      .scroll {
        overflow: auto;
      }
    `,
  ];

  @property({attribute: false}) exits: readonly LaneReason[] = [];

  override render(): TemplateResult {
    const {exits} = this;
    if (exits.length === 0)
      return html`<p class="empty">Nothing left the guest: there is no hypervisor to leave it for.</p>`;
    const samples = exits.reduce((sum, {count}) => sum + count, 0);
    const cycles = exits.reduce((sum, row) => sum + (row.cycles ?? 0), 0);
    return html`<div class="scroll">
      <table>
        <caption class="visually-hidden">
          Exits by reason
        </caption>
        <thead>
          <tr>
            <th scope="col">reason</th>
            <th scope="col" class="number">samples</th>
            <th scope="col" class="number">samples %</th>
            <th scope="col" class="number">time %</th>
            <th scope="col" class="number">min cycles</th>
            <th scope="col" class="number">max</th>
            <th scope="col" class="number">avg</th>
            <th scope="col">first instruction</th>
          </tr>
        </thead>
        <tbody>
          ${exits.map(row => this.row(row, samples, cycles))}
        </tbody>
      </table>
    </div>`;
  }

  private row(row: LaneReason, samples: number, cycles: number): TemplateResult {
    return html`<tr>
        <th scope="row">${row.reason}</th>
        <td class="number">${row.count.toLocaleString('en')}</td>
        <td class="number">${percent(row.count, samples)}</td>
        <td class="number">${row.cycles === undefined ? '–' : percent(row.cycles, cycles)}</td>
        <td class="number">${shortCount(row.shortest)}</td>
        <td class="number">${shortCount(row.longest)}</td>
        <td class="number">${shortCount(row.cycles === undefined ? undefined : row.cycles / row.count)}</td>
        <td class="mono">${row.instruction}</td>
      </tr>
      <tr class="words">
        <td colspan="8">${row.words.join(' ')} ${this.way(row)}</td>
      </tr>`;
  }

  /** Where it happened for the first time. */
  private way({firstAt, reason}: LaneReason): TemplateResult | typeof nothing {
    if (firstAt === undefined) return nothing;
    return html`<button
      aria-label=${`Go to the first: ${reason}`}
      @click=${() => this.dispatchEvent(new ProgressEvent(firstAt))}
    >
      Go to the first
    </button>`;
  }
}

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);
