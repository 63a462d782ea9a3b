// The virtual CPU beside the real one: what the guest believes, what the processor holds, and why the two differ.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {hex} from '@hyperscope/base';
import type {InspectionContents} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['vcpu'];

@customElement('hs-virtual-cpu')
export class VirtualCpuView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      td.guest {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
      }
      td.processor {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      td.guest,
      td.processor {
        padding-inline: 6px;
      }
      thead th {
        white-space: normal;
      }
      tr.same td {
        background: none;
        color: var(--mute);
      }
      tr.why td {
        border-top: 0;
      }
      .differs {
        font-weight: 700;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Asking for the virtual CPU…</p>`;
    return html`<p>${content.sentence}</p>
      <div class="scroll" tabindex="0" role="region" aria-label="The virtual CPU and the real one">
        <table>
          <caption class="visually-hidden">
            Registers as the guest believes them to be, and as they are
          </caption>
          <thead>
            <tr>
              <th scope="col"></th>
              <th scope="col">The guest believes</th>
              <th scope="col">${content.holder}</th>
            </tr>
          </thead>
          <tbody>
            ${content.rows.map(row)}
          </tbody>
        </table>
      </div>`;
  }
}

function row(each: Content['rows'][number]): TemplateResult {
  return html`<tr class=${each.differs ? '' : 'same'}>
      <th scope="row" class="mono">
        ${each.register}${each.changed ? html` <span class="tag changed">changed</span>` : nothing}
      </th>
      <td class="mono guest">${hex(each.guest)}</td>
      <td class="mono processor ${each.differs ? 'differs' : ''}">
        ${hex(each.processor)}${each.differs ? html`<span class="visually-hidden"> (differs)</span>` : nothing}
      </td>
    </tr>
    ${
      each.differs
        ? html`<tr class="why">
            <td></td>
            <td colspan="2" class="words">
              ${each.difference.map(bit => html`<span class="tag">${bit}</span>`)} ${each.why}
            </td>
          </tr>`
        : nothing
    }`;
}
