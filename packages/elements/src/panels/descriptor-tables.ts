// GDT, LDT, IDT and TSS, entry by entry: what each is, whom it lets in and where it leads, with its bytes, and which registers
// were loaded from it. Where two owners keep tables, the guest's own come first.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {hex, hexBytes} from '@hyperscope/base';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles, addressValue} from '../address.js';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['descriptors'];
type Set = Content['sets'][number];
type Table = Set['tables'][number];
type Entry = Table['entries'][number];

const TITLES: Readonly<Record<Table['name'], string>> = {
  GDT: 'Global descriptor table',
  LDT: 'Local descriptor table',
  IDT: 'Interrupt descriptor table',
  IVT: 'Interrupt vector table',
  TSS: 'Task-state segment',
};

@customElement('hs-descriptor-tables')
export class DescriptorTables extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    panelStyles,
    css`
      section {
        border-inline-start: 5px solid var(--who);
        padding-inline-start: 10px;
        margin-bottom: 16px;
      }
      .guest {
        --who: var(--guest-kernel);
      }
      .processor,
      .host {
        --who: var(--hypervisor);
      }
      h2 {
        margin: 0 0 6px;
        font-size: 1em;
      }
      td.place {
        white-space: nowrap;
        overflow-wrap: normal;
      }
      .raw {
        display: block;
        font: 0.82em/1.4 var(--mono);
        color: var(--mute);
      }
      .changed .raw {
        color: inherit;
      }
      .register {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
        border-color: currentColor;
      }
      .absent {
        color: var(--mute);
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 1px 10px;
        margin: 0;
        font: var(--code)/1.5 var(--mono);
      }
      dd {
        margin: 0;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Asking for the tables…</p>`;
    return html`${content.sets.map(
      set =>
        html`<section class=${set.owner} aria-label=${set.title}>
          <h2>${set.title}</h2>
          ${set.tables.map(table => tableView(set, table))}
        </section>`,
    )}`;
  }
}

/** A guest's tables lie where the guest's linear addresses lead; a host's elsewhere. */
const spaceOf = (set: Set): 'GVA' | undefined => (set.owner === 'guest' ? 'GVA' : undefined);

function tableView(set: Set, table: Table): TemplateResult {
  const space = spaceOf(set);
  return html`<h3><abbr title=${TITLES[table.name]}>${table.name}</abbr></h3>
    <p class="words">
      at ${space === undefined ? html`<span class="mono">${hex(table.base)}</span>` : address(space, table.base)}, limit
      ${hex(table.limit)}
    </p>
    ${table.why === undefined ? nothing : html`<p>${table.why}</p>`}
    ${isBare(table) ? html`<p class="words">It has no entries.</p>` : nothing}
    ${table.entries.length === 0 ? nothing : entryTable(set, table)}
    ${table.fields.length === 0 ? nothing : fieldList(set, table)}
    ${
      table.empty === 0
        ? nothing
        : html`<p class="words">${table.empty} ${table.empty === 1 ? 'entry is' : 'entries are'} empty.</p>`
    }
    ${table.cut === 0 ? nothing : html`<p class="words">${table.cut} more entries lie beyond the first 512.</p>`}`;
}

const isBare = (table: Table): boolean =>
  table.why === undefined && table.entries.length + table.fields.length + table.empty === 0;

function entryTable(set: Set, table: Table): TemplateResult {
  const isGates = table.name === 'IDT' || table.name === 'IVT';
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${set.title}: ${table.name}">
    <table>
      <caption class="visually-hidden">
        ${TITLES[table.name]}
      </caption>
      <thead>
        <tr>
          <th scope="col">${isGates ? 'vector' : 'selector'}</th>
          <th scope="col">what it is</th>
          <th scope="col">${isGates ? 'leads to' : 'base, limit'}</th>
          <th scope="col">DPL</th>
        </tr>
      </thead>
      <tbody>
        ${table.entries.map(entry => entryRow(set, table, entry))}
      </tbody>
    </table>
  </div>`;
}

function entryRow(set: Set, table: Table, entry: Entry): TemplateResult {
  const isGates = table.name === 'IDT' || table.name === 'IVT';
  const number = isGates ? String(entry.index) : hex(entry.index * 8 + (table.name === 'LDT' ? 4 : 0), 2);
  return html`<tr class="${entry.changed ? 'changed' : ''} ${entry.present ? '' : 'absent'}">
    <th scope="row" class="mono">${number}</th>
    <td>
      ${entry.marks.map(mark => html`<span class="tag ${isGates ? '' : 'register'}">${mark}</span>`)}
      ${entry.type}${entry.present ? nothing : ', not present'}
      ${entry.changed ? html`<span class="visually-hidden">, changed by the last step</span>` : nothing}
      <span class="raw">${hexBytes(entry.bytes)}</span>
    </td>
    <td class="mono place">${placeOf(set, entry)}</td>
    <td class="number">${entry.dpl}</td>
  </tr>`;
}

function placeOf(set: Set, entry: Entry): TemplateResult {
  const space = spaceOf(set);
  const link = (value: bigint): TemplateResult =>
    space === undefined ? html`${hex(value)}` : addressValue(space, value, hex(value));
  if (entry.target !== undefined) {
    const ist = entry.ist === undefined || entry.ist === 0 ? nothing : html` <span class="tag">IST ${entry.ist}</span>`;
    return html`${hex(entry.target.selector, 2)}:${link(entry.target.offset)}${ist}`;
  }
  return html`${link(entry.base ?? 0n)}<br />${hex(entry.limit ?? 0n)}`;
}

/** Fields that hold nothing are only named. */
function fieldList(set: Set, table: Table): TemplateResult {
  const zero = table.fields.filter(field => field.value === 0n && !field.changed);
  return html`<dl>
      ${table.fields
        .filter(field => !zero.includes(field))
        .map(
          field =>
            html`<dt class=${field.changed ? 'changed' : ''}>${field.name}</dt>
              <dd class=${field.changed ? 'changed' : ''}>
                ${field.address && set.owner === 'guest' ? addressValue('GVA', field.value, hex(field.value)) : hex(field.value)}
              </dd>`,
        )}
    </dl>
    ${zero.length === 0 ? nothing : html`<p class="words">0: ${zero.map(field => field.name).join(', ')}</p>`}`;
}
