// The current VMCS, or VMCB, by area, with what the last step changed.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {Moment} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';

type VmcsRow = Moment['vmcs'][number];

@customElement('hs-vmcs')
export class VmcsView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .tools {
        display: flex;
        gap: 10px;
        align-items: center;
        margin-bottom: 8px;
      }
      input[type='search'] {
        font: inherit;
        color: inherit;
        background: var(--sunken);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        padding: 3px 8px;
        flex: 1;
        min-width: 0;
      }
      p {
        margin: 0 0 8px;
      }
      dl {
        margin: 0 0 14px;
      }
      .row {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 10px;
        padding: 1px 4px;
        font: var(--code)/1.5 var(--mono);
        border-radius: 3px;
      }
      dt {
        overflow: hidden;
        text-overflow: ellipsis;
        cursor: help;
      }
      dd {
        margin: 0;
        text-align: end;
        overflow-wrap: anywhere;
      }
      .was {
        grid-column: 1 / -1;
        font-size: 0.88em;
        font-weight: 400;
      }
      .changed {
        background: var(--hit);
        color: var(--hit-ink);
        font-weight: 600;
      }
      label {
        display: flex;
        gap: 5px;
        align-items: center;
        white-space: nowrap;
      }
    `,
  ];

  @property({attribute: false}) rows: Moment['vmcs'] = [];
  @state() private wanted = '';
  @state() private only: 'all' | 'changed' = 'all';

  override render(): TemplateResult {
    if (this.rows.length === 0) {
      return html`<p class="empty">
        No current VMCS here. Under VT-x the hypervisor makes one with VMCLEAR and VMPTRLD before the first VM entry,
        under SVM it fills in a VMCB before VMRUN; on bare metal there is none.
      </p>`;
    }
    const isVmcb = this.rows.some(row => row.name === 'EXITCODE');
    const wanted = this.wanted.toLowerCase();
    const shown = this.rows.filter(
      row => (this.only === 'all' || row.changed) && row.name.toLowerCase().includes(wanted),
    );
    const areas = [...new Set(shown.map(row => row.area))];
    const changes = this.rows.filter(row => row.changed).length;
    return html`<p class="mute">
        ${isVmcb ? 'The guest area is what #VMEXIT saves and VMRUN loads; the host’s state is in the page that VM_HSAVE_PA names.' : 'The guest area is what an exit saves and an entry loads, the host area what an exit loads.'}
        ${changes === 0 ? 'The last step changed no field.' : html`<b>The last step changed ${changes} ${changes === 1 ? 'field' : 'fields'}.</b>`}
      </p>
      <div class="tools">
        <input
          type="search"
          placeholder="Find a field"
          aria-label=${`Find a ${isVmcb ? 'VMCB' : 'VMCS'} field`}
          .value=${this.wanted}
          @input=${(event: InputEvent) => {
            if (event.target instanceof HTMLInputElement) this.wanted = event.target.value;
          }}
        />
        <label
          ><input
            type="checkbox"
            .checked=${this.only === 'changed'}
            @change=${() => {
              this.only = this.only === 'all' ? 'changed' : 'all';
            }}
          />changed</label
        >
      </div>
      ${areas.length === 0 ? html`<p class="empty">No field ${this.only === 'changed' ? 'changed in this step' : 'has that name'}.</p>` : nothing}
      ${areas.map(
        area =>
          html`<h3>${area}</h3>
            <dl>${shown.filter(row => row.area === area).map(fieldRow)}</dl>`,
      )}`;
  }
}

function fieldRow(row: VmcsRow): TemplateResult {
  return html`<div class="row ${row.changed ? 'changed' : ''}">
    <dt title=${row.meaning}>${row.name}</dt>
    <dd>${row.value}${row.changed ? html`<span class="visually-hidden"> (changed)</span>` : nothing}</dd>
    ${row.was === undefined ? nothing : html`<dd class="was">was ${row.was}</dd>`}
  </div>`;
}
