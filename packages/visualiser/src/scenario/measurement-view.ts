// Stretches of the run beside each other: instructions and cycles as a table, with a bar for the cycles.

import type {Measurement} from '@hyperscope/walkthroughs';
import {css, html, nothing, type TemplateResult} from 'lit';
import {inline, markdown} from './markdown-view.js';
import type {MeasuredRow} from './step-comparisons.js';

export const measurementStyles = css`
  .measure {
    border-top: 1px solid var(--line);
    padding-top: 8px;
    display: grid;
    gap: 6px;
  }
  .measure h3 {
    margin: 0;
  }
  .measure table {
    border-collapse: collapse;
    width: 100%;
  }
  .measure :is(td, th) {
    padding: 3px 8px 3px 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
    vertical-align: top;
  }
  .measure td.number,
  .measure th.number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  .measure td i {
    display: block;
    height: 5px;
    margin-top: 3px;
    border-radius: 2px;
    background: var(--accent);
  }
  .measure td button {
    text-align: start;
  }
`;

/** `seek` moves the playhead to the state before a stretch. */
export function measurementView(
  {title, stretches, explanation}: Measurement,
  rows: readonly MeasuredRow[],
  seek: (index: number) => void,
): TemplateResult {
  const most = Math.max(1, ...rows.map(row => (row.ok ? row.cycles : 0)));
  return html`<section class="measure" aria-label=${title}>
    <h3>${inline(title)}</h3>
    ${
      rows.length === 0
        ? html`<p role="status">Counting ${stretches.length} stretches of the run…</p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">From … to</th>
                <th scope="col" class="number">Instructions</th>
                <th scope="col" class="number">Cycles</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(row => measuredRow(row, most, seek))}
            </tbody>
          </table>`
    }
    ${explanation === undefined ? nothing : markdown(explanation)}
  </section>`;
}

function measuredRow(row: MeasuredRow, most: number, seek: (index: number) => void): TemplateResult {
  if (!row.ok)
    return html`<tr>
      <td>${inline(row.name)}</td>
      <td colspan="2">${row.why}</td>
    </tr>`;
  return html`<tr>
    <td>
      <button title="Go to where it begins" @click=${() => seek(row.from)}>${inline(row.name)}</button>
      <i style="width: ${(100 * row.cycles) / most}%" aria-hidden="true"></i>
    </td>
    <td class="number">${row.instructions.toLocaleString('en')}</td>
    <td class="number">${row.cycles.toLocaleString('en')}</td>
  </tr>`;
}
