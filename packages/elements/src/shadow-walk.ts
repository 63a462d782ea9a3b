// Shadow paging: the guest's own tables, which lead to guest-physical memory and no processor walks, beside the shadow, which
// leads to host-physical memory and is walked; what is different between them and why; and how often the hypervisor did what.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Moment} from '@hyperscope/trace';
import {address, addressStyles} from './address.js';
import {sharedStyles} from './shared-styles.js';

type Shadow = NonNullable<Moment['shadow']>;
type Entry = Shadow['guest'][number];

const TABLES = ['', 'PT', 'PD', 'PDPT', 'PML4'] as const;

/** What the shadow MMU counts, in the order of a table. */
const COUNTS: readonly (readonly [key: keyof Shadow['statistics'], name: string, meaning: string])[] = [
  ['hiddenFaults', 'hidden faults', 'the guest’s tables allowed the access, only the shadow lacked it'],
  ['trueFaults', 'true faults', 'the guest’s tables refused, so the guest got its #PF'],
  ['pageTableWrites', 'page-table writes', 'a write to a protected table was carried out in software'],
  ['cr3Loads', 'CR3 loads', 'MOV to CR3 left the guest'],
  ['invalidations', 'INVLPGs', 'INVLPG left the guest'],
  ['unsyncs', 'tables let go', 'a page table may be written unseen until the next flush'],
  ['syncs', 'tables synchronized', 'the guest flushed its TLB'],
  ['deviceFaults', 'device accesses', 'no memory lies there, or a ROM was written'],
  ['zaps', 'shadow pages dropped', 'given back to the pool'],
  ['floods', 'floods', 'written too often to be a page table'],
  ['poolExhaustions', 'pool exhaustions', 'everything was dropped to go on'],
];

/** What the relation between the two is called; a difference is news, `same` is not. */
const RELATIONS: Readonly<Record<Shadow['relation'], string>> = {
  same: 'the same',
  unmapped: 'both unmapped',
  missing: 'missing in the shadow',
  device: 'a device',
  clean: 'read-only because clean',
  'page-table': 'write-protected',
  'kernel-variant': 'the kernel’s variant',
  'read-only': 'read-only',
  stale: 'stale',
};

@customElement('hs-shadow-walk')
export class ShadowWalk extends LitElement {
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
        margin: 8px 0;
        width: auto;
      }
      th {
        padding: 0 6px 0 0;
        text-align: start;
        white-space: nowrap;
        font-size: 0.8em;
      }
      td {
        padding: 2px 4px;
        border-radius: 4px;
        font: calc(var(--code) * 0.86)/1.4 var(--mono);
        white-space: nowrap;
      }
      td.guest,
      .guest {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
      }
      td.shadow,
      .shadow {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      td.words {
        font: 0.86em var(--sans);
        white-space: normal;
        min-width: 7em;
      }
      td.none {
        font: 0.86em var(--sans);
        color: var(--mute);
      }
      th[rowspan] {
        vertical-align: top;
        padding-top: 4px;
      }
      .relation {
        font-weight: 650;
      }
      .counts td {
        font-family: var(--sans);
        font-variant-numeric: tabular-nums;
        text-align: end;
      }
    `,
  ];

  @property({attribute: false}) shadow: Moment['shadow'] = undefined;

  override render(): TemplateResult {
    const {shadow} = this;
    if (shadow === undefined) return html`<p class="empty">No shadow page tables are in use.</p>`;
    const levels = [...new Set([...shadow.guest, ...shadow.shadow].map(({level}) => level))].toSorted((a, b) => b - a);
    return html`<p>
        ${address('GVA', shadow.linear)} in the guest’s tables and in their shadow:
        <span class="relation">${RELATIONS[shadow.relation]}</span>.
      </p>
      ${shadow.why.map(sentence => html`<p>${capital(sentence)}.</p>`)}
      <p class="mute">
        Above the <span class="guest">guest’s</span> entry, below the <span class="shadow">shadow’s</span>.
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="The guest’s tables and their shadow">
        <table>
          <caption class="visually-hidden">
            Entries for one address, level by level
          </caption>
          <thead>
            <tr>
              <th scope="col">table</th>
              <th scope="col">entry at</th>
              <th scope="col">value</th>
              <th scope="col">says</th>
            </tr>
          </thead>
          <tbody>
            ${levels.map(
              level =>
                html`<tr>
                    <th scope="rowgroup" rowspan="2">${TABLES[level] ?? `level ${level}`}</th>
                    ${entryCells(
                      shadow.guest.find(entry => entry.level === level),
                      'guest',
                      isPointer(shadow.guest, level),
                    )}
                  </tr>
                  <tr>
                    ${entryCells(
                      shadow.shadow.find(entry => entry.level === level),
                      'shadow',
                      isPointer(shadow.shadow, level),
                    )}
                  </tr>`,
            )}
            <tr>
              <th scope="rowgroup" rowspan="2">leads to</th>
              <td colspan="3">
                ${shadow.guestPhysical === undefined ? 'nothing in the guest’s tables' : address('GPA', shadow.guestPhysical)}
              </td>
            </tr>
            <tr>
              <td colspan="3">
                ${shadow.hostPhysical === undefined ? 'nothing in the shadow' : address('HPA', shadow.hostPhysical)}
              </td>
            </tr>
          </tbody>
        </table>
      </div>
      ${
        shadow.guest.length === 0
          ? html`<p class="mute">The guest’s paging is off: its addresses are guest-physical.</p>`
          : nothing
      }
      ${this.counts(shadow)}`;
  }

  private counts({statistics, pages}: Shadow): TemplateResult {
    return html`<table class="counts">
        <caption class="visually-hidden">
          What the shadow MMU did so far
        </caption>
        <thead>
          <tr>
            <th scope="col">so far</th>
            <th scope="col">times</th>
          </tr>
        </thead>
        <tbody>
          ${COUNTS.filter(([key], at) => at < 5 || statistics[key] > 0).map(
            ([key, name, meaning]) =>
              html`<tr title=${meaning}>
                <th scope="row">${name}</th>
                <td>${statistics[key]}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      <p class="mute">
        ${pages.used} of ${pages.capacity} shadow pages are in use, ${pages.used * 4} KiB of tables. The guest does not
        know of them.
      </p>`;
  }
}

/** The first of three levels is a page-directory pointer of PAE paging, which has no rights. SDM vol. 3A, "PAE Paging". */
const isPointer = (entries: readonly Entry[], level: number): 'pointer' | 'entry' =>
  level === 3 && !entries.some(entry => entry.level > 3) ? 'pointer' : 'entry';

function entryCells(entry: Entry | undefined, table: 'guest' | 'shadow', kind: 'pointer' | 'entry'): TemplateResult {
  if (entry === undefined)
    return html`<td class="none" colspan="3">
      ${table === 'guest' ? 'the guest has no such table' : 'no shadow table'}
    </td>`;
  const place = address(table === 'guest' ? 'GPA' : 'HPA', entry.address);
  return html`<td class=${table}>${place}</td>
    <td class=${table}>${entry.entry.toString(16)}</td>
    <td class="${table} words">${entryWords(entry.entry, kind)}</td>`;
}

/** The bits of an entry in words. SDM vol. 3A, "Format of Paging Structures". */
function entryWords(entry: bigint, kind: 'pointer' | 'entry'): string {
  if ((entry & 1n) === 0n) return 'not present';
  if (kind === 'pointer') return 'present';
  const names: readonly string[] = ['', 'writable', 'user', '', '', 'accessed', 'dirty'];
  const set = names.filter((name, at) => name !== '' && ((entry >> BigInt(at)) & 1n) === 1n);
  if ((entry & 2n) === 0n) set.unshift('read-only');
  if (entry >> 63n === 1n) set.push('no execution');
  return set.join(', ');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
