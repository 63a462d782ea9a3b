// The last page walk as the two-dimensional figure of the manuals: each guest table must itself be found through EPT or NPT,
// so that a 4-level walk under a 4-level EPT reads up to 24 entries. Cells are numbered in the order of the reads.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {hex} from '@hyperscope/base';
import {TABLE_NAMES, walkRows} from '@hyperscope/trace';
import type {Moment, NumberedReference, WalkRow, WalkedTables} from '@hyperscope/trace';
import {address, addressStyles, addressValue} from './address.js';
import type {AddressSpace} from './follow.js';
import {sharedStyles} from './shared-styles.js';

type Walk = NonNullable<Moment['walk']>;
type Reference = NumberedReference;

const TABLES = TABLE_NAMES;

@customElement('hs-page-walk')
export class PageWalk extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    css`
      .scroll {
        overflow-x: auto;
      }
      table {
        border-collapse: separate;
        border-spacing: 2px;
        margin-top: 8px;
        width: auto;
      }
      td {
        padding: 2px 3px;
        border-radius: 4px;
        font: calc(var(--code) * 0.86)/1.4 var(--mono);
        white-space: nowrap;
      }
      td.ept,
      td.host {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      td.guest {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
        font-weight: 600;
      }
      th {
        padding: 0 3px;
        text-align: start;
        white-space: nowrap;
        font-size: 0.8em;
      }
      sup {
        font: 700 0.85em var(--sans);
        margin-inline-end: 2px;
      }
      .absent {
        white-space: normal;
      }
      .words {
        font: 0.95em var(--sans);
        white-space: normal;
      }
      .outcome {
        font-weight: 650;
      }
      .outcome.bad {
        color: var(--bad);
      }
    `,
  ];

  @property({attribute: false}) walk: Moment['walk'] = undefined;
  /** Whose tables these are where nothing is nested: the guest's own, the hypervisor's shadow of them, or the host's. */
  @property() tables: WalkedTables = 'guest';

  override render(): TemplateResult {
    const walk = this.walk;
    if (walk === undefined) return html`<p class="empty">No page walk so far: paging is off, or the TLB answered.</p>`;
    const rows = walkRows(walk);
    const nested = walk.references.some(r => r.table === 'npt') ? 'NPT' : 'EPT';
    const levels = [...new Set(walk.references.filter(r => r.table !== 'guest').map(r => r.level))].toSorted(
      (a, b) => b - a,
    );
    return html`<p>
        ${walk.access} of ${address(this.tables === 'host' ? 'HVA' : 'GVA', walk.linear)} read
        <b>${walk.references.length}</b>
        ${walk.references.length === 1 ? 'table entry' : 'table entries'}:
        <span class="outcome ${walk.outcome === 'mapped' ? '' : 'bad'}"
          >${nested === 'NPT' && walk.outcome === 'ept-violation' ? 'nested-page-fault' : walk.outcome}</span
        >
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="Page walk">
        <table>
          <caption class="visually-hidden">
            Entries in the order in which they were read
          </caption>
          <thead>
            <tr>
              <th scope="col">${levels.length === 0 ? 'table' : 'to find'}</th>
              ${levels.length === 0 ? html`<th scope="col">entry</th>` : nothing}
              ${levels.map(level => html`<th scope="col">${nested} ${TABLES[level]}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(row => this.row(row, levels, nested))}
          </tbody>
        </table>
      </div>
      <p class="mute">
        ${walk.outcome === 'mapped' ? budget(rows, levels.length, nested) : ''} Values are entries in hexadecimal,
        numbered in the order of the
        reads.${levels.length === 0 ? (this.tables === 'shadow' ? ' They are the hypervisor’s: the guest’s own tables, which they are made from, no processor walks.' : '') : rows.some(row => row.guest !== undefined) ? ` Each row finds one guest table through ${nested} (warm), then the guest’s own entry is read (cold).` : ` The guest has paging off: only ${nested} translates (warm).`}
        Point at one for its address and bits, press it to see it in memory.
      </p>`;
  }

  /** How a table was found, and what the guest has in it; where nothing is nested, only that. */
  private row(row: WalkRow, levels: readonly number[], nested: 'EPT' | 'NPT'): TemplateResult {
    if (levels.length === 0)
      return html`<tr>
        <th scope="row">${row.name}</th>
        ${row.guest === undefined ? nothing : this.guestCell(row.guest, 0)}
      </tr>`;
    return html`<tr>
        <th scope="row">
          ${row.name}${
            row.gpa === undefined
              ? nothing
              : html`<br />${addressValue('GPA', BigInt(row.gpa), html`<small>GPA</small> ${hex(row.gpa)}`)}`
          }
        </th>
        ${levels.map(level =>
          this.cell(
            row.nested.find(item => item.reference.level === level),
            nested === 'NPT' ? 'npt' : 'ept',
          ),
        )}
      </tr>
      ${
        row.guest === undefined
          ? nothing
          : html`<tr>
              <th scope="row"><span class="visually-hidden">entry of ${row.name}</span></th>
              ${this.guestCell(row.guest, levels.length)}
            </tr>`
      }`;
  }

  /** The guest's own entry, below the EPT entries that found it. */
  private guestCell({reference, order}: Reference, columns: number): TemplateResult {
    return html`<td class=${this.tables === 'guest' ? 'guest' : 'host'} colspan=${Math.max(1, columns)}>
      <sup>${order}</sup>${addressValue(guestSpace(columns), BigInt(reference.address), reference.entry.toString(16))}
      <span class="words">${entryWords(reference.entry, 'guest')}</span>
    </td>`;
  }

  private cell(item: Reference | undefined, table: Table): TemplateResult {
    if (item === undefined) return html`<td></td>`;
    const {reference, order} = item;
    const where = `${TABLES[reference.level] ?? ''} entry at ${hex(reference.address)}: ${entryWords(reference.entry, table)}`;
    return html`<td class=${table === 'guest' ? 'guest' : 'ept'} title=${where}>
      <sup>${order}</sup>${addressValue('HPA', BigInt(reference.address), reference.entry.toString(16))}${
        (reference.entry & 1n) === 0n ? html`<b class="absent"> not present</b>` : nothing
      }
    </td>`;
  }
}

/** How the count of reads comes about. SDM vol. 3C, "EPT Translation Mechanism": each guest table is found through EPT. */
function budget(rows: readonly WalkRow[], eptLevels: number, nested: 'EPT' | 'NPT'): string {
  const tables = rows.filter(row => row.guest !== undefined).length;
  if (eptLevels === 0 || tables === 0) return '';
  const reads = rows.reduce((sum, row) => sum + row.nested.length + (row.guest === undefined ? 0 : 1), 0);
  const full = tables * (eptLevels + 1) + eptLevels;
  if (reads !== full) return '';
  const sum = `${tables} guest ${tables === 1 ? 'table' : 'tables'} × (${eptLevels} ${nested} entries + 1) + ${eptLevels} for the page = ${full} reads.`;
  return tables === 3 && eptLevels === 4
    ? `${sum} With 4 KiB pages a fourth guest table makes it the well-known 24.`
    : sum;
}

/** Without EPT or nested tables the tables that the processor walks lie in physical memory. */
const guestSpace = (nestedLevels: number): AddressSpace => (nestedLevels === 0 ? 'HPA' : 'GPA');

type Table = Walk['references'][number]['table'];

/** The bits of an entry in words. SDM vol. 3A, "Format of Paging Structures"; vol. 3C, "EPT Translation Mechanism"; nested page tables are
 * ordinary ones. */
function entryWords(entry: bigint, table: Table): string {
  const names =
    table === 'ept'
      ? ['read', 'write', 'execute']
      : ['present', 'writable', 'user', 'write-through', 'cache off', 'accessed', 'dirty', 'large'];
  const set = names.filter((_, at) => ((entry >> BigInt(at)) & 1n) === 1n);
  return set.length === 0 ? 'nothing set' : set.join(', ');
}
