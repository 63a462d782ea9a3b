// What the processor remembers of page walks: whose each translation is, where it leads, and whether the tables still say so.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles} from '../address.js';
import {SeekEvent} from '../exit-table.js';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';
import {SPACE_NAMES} from './space-names.js';

type Content = InspectionContents['tlb'];
type Row = Content['rows'][number];

const SIZES: Readonly<Record<number, string>> = {12: '4 KiB', 21: '2 MiB', 22: '4 MiB', 30: '1 GiB'};

@customElement('hs-tlb')
export class TlbView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    panelStyles,
    css`
      tr.away td,
      tr.away th {
        color: var(--mute);
      }
      tr.stale td,
      tr.stale th {
        border-top: 2px solid var(--bad);
      }
      .state {
        font-weight: 650;
      }
      .stale .state {
        color: var(--bad);
      }
      td.why {
        border-top: 0 !important;
        padding-bottom: 6px;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Asking for the TLB…</p>`;
    const {rows, sentence} = content;
    if (rows.length === 0) return html`<p class="empty">${sentence}</p>`;
    return html`<p>${sentence}</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Entries of the TLB">
        <table>
          <caption class="visually-hidden">
            Translations, those in use first
          </caption>
          <thead>
            <tr>
              <th scope="col">linear to physical</th>
              <th scope="col">whose, what</th>
              <th scope="col">tables</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(row => this.row(row))}
          </tbody>
        </table>
      </div>`;
  }

  private row(row: Row): TemplateResult {
    const classes = `${row.state} ${row.current ? '' : 'away'}`;
    const {changedAt} = row;
    return html`<tr class=${classes}>
        <th scope="row">${address(SPACE_NAMES[row.space], row.linear)} → ${address('HPA', row.physical)}</th>
        <td>
          ${row.whose === '' ? nothing : html`<span class="tag">${row.whose}</span>`}${row.pcid === undefined ? nothing : html`<span class="tag">PCID ${row.pcid}</span>`}${row.global ? html`<span class="tag">global</span>` : nothing}
          <span class="words"
            >${SIZES[row.pageBits] ?? `2^${row.pageBits} bytes`}${row.rights.map(right => `, ${right}`)}</span
          >
        </td>
        <td class="state">${row.state === 'fresh' ? 'agree' : row.state}</td>
      </tr>
      ${
        row.state !== 'stale'
          ? nothing
          : html`<tr class="reason">
              <td colspan="3" class="why">
                ${row.why}
                ${
                  changedAt === undefined
                    ? nothing
                    : html`<button class="small" @click=${() => this.dispatchEvent(new SeekEvent(changedAt + 1))}>
                        Go to step ${changedAt + 1}
                      </button>`
                }
              </td>
            </tr>`
      }`;
  }
}
