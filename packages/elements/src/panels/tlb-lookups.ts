// What the TLB answered: the translations that the last step asked for, and how many of a stretch of steps were hits. A longer stretch is
// counted when somebody asks, because its steps are run again for it.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles} from '../address.js';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['lookups'];

const DEEDS = {execute: 'fetch', read: 'read', write: 'write'} as const;
const ACCESSES = ['execute', 'read', 'write'] as const;

/** Asks for a count over so many steps before the playhead. */
export class CountLookupsEvent extends CustomEvent<{readonly steps: number}> {
  constructor(steps: number) {
    super('hs-count-lookups', {detail: {steps}, bubbles: true, composed: true});
  }
}

@customElement('hs-tlb-lookups')
export class TlbLookups extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    panelStyles,
    css`
      details {
        border-block-end: 1px solid var(--line);
        margin-bottom: 10px;
        padding-bottom: 6px;
      }
      summary {
        cursor: pointer;
      }
      table {
        margin-top: 6px;
      }
      .walk {
        font-weight: 650;
      }
      button.small {
        margin-block: 4px;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;
  /** Why nothing can be told. */
  @property() why = '';
  /** The stretch that a press counts. */
  @property({type: Number}) most = 0;

  override render(): TemplateResult {
    const {content} = this;
    if (this.why !== '') return html`<p class="empty">${this.why}</p>`;
    return html`<details>
      <summary>${content?.sentence ?? 'Running the step again…'}</summary>
      ${content === undefined ? nothing : content.steps === 1 ? lastStep(content) : tallies(content)}
      <button class="small" @click=${() => this.dispatchEvent(new CountLookupsEvent(this.most))}>
        Count hits over the last ${this.most.toLocaleString('en')} steps
      </button>
    </details>`;
  }
}

function lastStep({rows}: Content): TemplateResult | typeof nothing {
  if (rows.length === 0) return nothing;
  return html`<table>
    <caption class="visually-hidden">
      Translations that the last step asked for
    </caption>
    <thead>
      <tr>
        <th scope="col">access</th>
        <th scope="col">linear address</th>
        <th scope="col">answered by</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        row =>
          html`<tr>
            <th scope="row">${DEEDS[row.access]}</th>
            <td>${address('GVA', row.linear)}</td>
            <td class=${row.answer}>${row.answer === 'hit' ? 'the TLB: a hit' : 'a page walk: a miss'}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function tallies({hits, walks, from, steps}: Content): TemplateResult {
  return html`<table>
      <caption class="visually-hidden">
        Translations by kind of access, steps ${from + 1} to ${from + steps}
      </caption>
      <thead>
        <tr>
          <th scope="col">access</th>
          <th scope="col" class="number">hits</th>
          <th scope="col" class="number">walks</th>
        </tr>
      </thead>
      <tbody>
        ${ACCESSES.map(
          access =>
            html`<tr>
              <th scope="row">${DEEDS[access]}</th>
              <td class="number">${hits[access]}</td>
              <td class="number walk">${walks[access]}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="words">
      Counted by running steps ${from + 1} to ${from + steps} again. A page counts once in a step for each kind of
      access; tables of the processor’s own (IDT, GDT, TSS) count as reads.
    </p>`;
}
