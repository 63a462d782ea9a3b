// Counters up to the playhead: who had the processor, what each kind of exit cost, how often tables were walked.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {actorLook, actorName} from '../actors.js';
import type {StageHost} from '../actors.js';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['statistics'];

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const share = (part: number, all: number): string => (all === 0 ? '–' : `${((100 * part) / all).toFixed(1)} %`);

@customElement('hs-statistics')
export class StatisticsView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      th[scope='row'] {
        font-weight: 400;
        color: var(--ink);
        font-size: 1em;
      }
      .actor {
        border-inline-start: 5px solid var(--who);
        padding-inline-start: 8px;
        white-space: nowrap;
      }
      th.number {
        text-align: end;
      }
      tr.sum td,
      tr.sum th {
        border-top: 2px solid var(--strong-line);
        font-weight: 650;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;
  /** What is under the guest. */
  @property() under: StageHost = 'hardware';

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Counting…</p>`;
    return html`${this.actors(content)} ${exits(content)}
    ${content.groups.map(
      group =>
        html`<h3>${group.title}</h3>
          <table>
            <caption class="visually-hidden">
              ${group.title}
            </caption>
            <tbody>
              ${group.counters.map(
                counter =>
                  html`<tr>
                    <th scope="row">
                      ${counter.name}
                      <div class="words">${counter.meaning}</div>
                    </th>
                    <td class="number">${whole(counter.value)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`,
    )}`;
  }

  private actors({actors, cycles, steps}: Content): TemplateResult {
    return html`<h3>Who had the processor</h3>
      <div class="scroll" tabindex="0" role="region" aria-label="Who had the processor">
        <table>
          <caption class="visually-hidden">
            Steps, instructions and cycles of each so far
          </caption>
          <thead>
            <tr>
              <th scope="col">who</th>
              <th scope="col" class="number">steps</th>
              <th scope="col" class="number">instr.</th>
              <th scope="col" class="number">cycles</th>
              <th scope="col" class="number">share</th>
            </tr>
          </thead>
          <tbody>
            ${actors.map(
              row =>
                html`<tr>
                  <th scope="row" class="actor" .style=${`--who: var(${actorLook(row.who).token})`}>
                    ${actorName(row.who, this.under)}
                  </th>
                  <td class="number">${whole(row.steps)}</td>
                  <td class="number">${row.instructions === 0 ? '–' : whole(row.instructions)}</td>
                  <td class="number">${whole(row.cycles)}</td>
                  <td class="number">${share(row.cycles, cycles)}</td>
                </tr>`,
            )}
            <tr class="sum">
              <th scope="row">all</th>
              <td class="number">${whole(steps)}</td>
              <td class="number">${whole(actors.reduce((sum, row) => sum + row.instructions, 0))}</td>
              <td class="number">${whole(cycles)}</td>
              <td></td>
            </tr>
          </tbody>
        </table>
      </div>`;
  }
}

function exits({exits: rows, cycles}: Content): TemplateResult | typeof nothing {
  if (rows.length === 0) return nothing;
  return html`<h3>Exits, as perf kvm stat counts them</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Exits and their cycles">
      <table>
        <caption class="visually-hidden">
          Exits by reason, with the cycles from leaving the guest to entering it again
        </caption>
        <thead>
          <tr>
            <th scope="col">exit</th>
            <th scope="col" class="number">count</th>
            <th scope="col" class="number">share</th>
            <th scope="col" class="number">min</th>
            <th scope="col" class="number">avg</th>
            <th scope="col" class="number">max</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            row =>
              html`<tr>
                <th scope="row">${row.reason}</th>
                <td class="number">${whole(row.count)}</td>
                <td class="number">${row.answered === 0 ? '–' : share(row.cycles, cycles)}</td>
                ${
                  row.answered === 0
                    ? html`<td class="number" colspan="3">not answered yet</td>`
                    : html`<td class="number">${whole(row.least)}</td>
                        <td class="number">${whole(row.cycles / row.answered)}</td>
                        <td class="number">${whole(row.most)}</td>`
                }
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="words">Cycles from leaving the guest until it runs again; the share is of all cycles so far.</p>`;
}
