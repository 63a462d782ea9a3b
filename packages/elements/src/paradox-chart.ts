// Hypervisors beside native, workload by workload: a bar for each machine, as long as its cycles are many times the native ones,
// and a line where binary translation ends. A bar that ends before the line is faster than software. The table says the same.

import {max, scaleLog} from 'd3';
import {LitElement, css, html, nothing, svg, type SVGTemplateResult, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {sharedStyles} from './shared-styles.js';

export interface ParadoxBar {
  /** `VT-x, shadow` */
  readonly machine: string;
  /** Cycles divided by the native ones; undefined before it has run. */
  readonly ratio: number | undefined;
  readonly exitsPerThousand: number | undefined;
  /** Whether it has the fewest cycles, or as good as. */
  readonly isBest: boolean;
  /** Whether the others are held against it: the line. */
  readonly isLine: boolean;
}

export interface ParadoxRow {
  readonly title: string;
  readonly what: string;
  readonly bars: readonly ParadoxBar[];
  /** Where they change places, as a sentence; '' where nobody has looked. */
  readonly breakEven: string;
}

const WIDTH = 720;
const LEFT = 150;
const RIGHT = 90;
const BAR = 16;
const GAP = 6;
const TOP = 4;
const TICKS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500];

@customElement('hs-paradox-chart')
export class ParadoxChart extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      h3 {
        font-size: 1em;
        margin: 12px 0 0;
      }
      p {
        margin: 0 0 4px;
        color: var(--mute);
      }
      svg {
        display: block;
        width: 100%;
        max-width: 900px;
        height: auto;
        font: 12px var(--sans);
      }
      text {
        fill: var(--ink);
      }
      .tick {
        fill: var(--mute);
        font-size: 11px;
      }
      .bar {
        fill: var(--strong-line);
      }
      .best {
        fill: var(--good);
      }
      .grid {
        stroke: var(--line);
      }
      .line {
        stroke: var(--ink);
        stroke-dasharray: 4 3;
        stroke-width: 1.5;
      }
      table {
        border-collapse: collapse;
        margin-top: 8px;
      }
      td,
      th {
        padding: 2px 12px 2px 0;
        text-align: start;
        border-bottom: 1px solid var(--line);
      }
      .number {
        text-align: end;
        font: var(--code) var(--mono);
      }
      summary {
        cursor: pointer;
        margin-top: 10px;
      }
    `,
  ];

  @property({attribute: false}) rows: readonly ParadoxRow[] = [];

  override render(): TemplateResult {
    if (this.rows.length === 0) return html`<p class="empty">Nothing has been run yet.</p>`;
    const most = max(this.rows.flatMap(({bars}) => bars.map(({ratio}) => ratio ?? 1))) ?? 1;
    const scale = scaleLog()
      .domain([1, Math.max(2, most)])
      .range([LEFT, WIDTH - RIGHT]);
    const ticks = TICKS.filter(tick => tick <= Math.max(2, most));
    return html`${this.rows.map(row => rowPicture(row, scale, ticks))}${table(this.rows)}`;
  }
}

type Scale = (value: number) => number;

function rowPicture(row: ParadoxRow, scale: Scale, ticks: readonly number[]): TemplateResult {
  const bottom = TOP + row.bars.length * (BAR + GAP);
  const line = row.bars.find(({isLine}) => isLine)?.ratio;
  return html`<h3>${row.title}</h3>
    <p>${row.what}</p>
    <svg viewBox="0 0 ${WIDTH} ${bottom + 16}" aria-hidden="true">
      ${ticks.map(
        tick =>
          svg`<line class="grid" x1=${scale(tick)} x2=${scale(tick)} y1=${TOP} y2=${bottom}></line><text class="tick" x=${scale(tick)} y=${bottom + 12} text-anchor="middle">${tick === 1 ? 'native' : `${tick}×`}</text>`,
      )}
      ${row.bars.map((bar, index) => barPicture(bar, TOP + index * (BAR + GAP), scale))}
      ${
        line === undefined || row.bars.length < 2
          ? nothing
          : svg`<line class="line" x1=${scale(atLeast1(line))} x2=${scale(atLeast1(line))} y1=${TOP - 3} y2=${bottom}></line>`
      }
    </svg>
    ${row.breakEven === '' ? nothing : html`<p class="break-even">${row.breakEven}</p>`}`;
}

/** A log scale has no place for what measuring makes a hair less than native. */
const atLeast1 = (ratio: number): number => Math.max(1, ratio);

function barPicture({machine, ratio, isBest}: ParadoxBar, y: number, scale: Scale): SVGTemplateResult {
  const end = ratio === undefined ? LEFT : scale(atLeast1(ratio));
  const text = ratio === undefined ? 'not run yet' : `${ratio.toFixed(2)}×`;
  return svg`<text x=${LEFT - 8} y=${y + 12} text-anchor="end">${machine}</text>
    <rect class=${isBest ? 'bar best' : 'bar'} x=${LEFT - 2} y=${y} width=${end - LEFT + 2} height=${BAR}></rect>
    <text x=${end + 6} y=${y + 12} font-weight=${isBest ? 700 : 400}>${text}${isBest ? ' ✓' : ''}</text>`;
}

function table(rows: readonly ParadoxRow[]): TemplateResult {
  return html`<details>
    <summary>The same as a table</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">workload</th>
          <th scope="col">machine</th>
          <th scope="col" class="number">cycles beside native</th>
          <th scope="col" class="number">exits in 1,000 instructions</th>
          <th scope="col">fewest cycles</th>
        </tr>
      </thead>
      <tbody>
        ${rows.flatMap(({title, bars}) =>
          bars.map(
            ({machine, ratio, exitsPerThousand, isBest}) =>
              html`<tr>
                <th scope="row">${title}</th>
                <td>${machine}</td>
                <td class="number">${ratio?.toFixed(2) ?? 'not run yet'}</td>
                <td class="number">${exitsPerThousand?.toFixed(1) ?? ''}</td>
                <td>${isBest ? 'yes' : ''}</td>
              </tr>`,
          ),
        )}
      </tbody>
    </table>
  </details>`;
}
