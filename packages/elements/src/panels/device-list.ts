// The devices at the playhead, each by its registers in words; those that the last step changed are open.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Device = InspectionContents['devices'][number];

@customElement('hs-devices')
export class DeviceList extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      details {
        border-inline-start: 5px solid var(--device);
        padding-inline-start: 10px;
        margin-bottom: 6px;
      }
      summary {
        cursor: pointer;
        font-weight: 650;
        min-height: 28px;
        padding: 3px 0;
      }
      summary .words {
        font-weight: 400;
      }
      td.value {
        min-width: 7ch;
        overflow-wrap: break-word;
      }
      .name {
        white-space: nowrap;
      }
      .was {
        display: block;
        font-size: 0.86em;
      }
    `,
  ];

  @property({attribute: false}) devices: readonly Device[] | undefined = undefined;
  /** What the reader has opened; what changed is open as well. */
  @state() private opened: ReadonlySet<string> = new Set(['pic', 'uart']);

  override render(): TemplateResult {
    const {devices} = this;
    if (devices === undefined) return html`<p class="empty" role="status">Asking for the devices…</p>`;
    if (devices.length === 0) return html`<p class="empty">No device is in this record.</p>`;
    const changes = devices.filter(device => device.changed);
    return html`<p class="mute">
        ${changes.length === 0 ? 'The last step changed no device.' : html`The last step changed: <b>${changes.map(device => device.title).join(', ')}</b>.`}
      </p>
      ${devices.map(device => this.device(device))}`;
  }

  private device(device: Device): TemplateResult {
    const isOpen = device.changed || this.opened.has(device.name);
    return html`<details ?open=${isOpen} @toggle=${(event: Event) => this.toggle(event, device)}>
      <summary>
        ${device.title} ${device.changed ? html`<span class="tag changed">changed</span>` : nothing}
        <span class="words">${device.place}</span>
      </summary>
      <table>
        <caption class="visually-hidden">
          ${device.title}
        </caption>
        <tbody>
          ${device.rows.map(
            row =>
              html`<tr class=${row.changed ? 'changed' : ''}>
                <th scope="row" class="name">${row.name}</th>
                <td class="mono value">
                  ${row.value}${row.was === undefined ? nothing : html`<span class="was">was ${row.was}</span>`}
                </td>
                <td class="words">${row.meaning}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
  }

  private toggle(event: Event, device: Device): void {
    if (!(event.target instanceof HTMLDetailsElement) || device.changed) return;
    const opened = new Set(this.opened);
    if (event.target.open) opened.add(device.name);
    else opened.delete(device.name);
    this.opened = opened;
  }
}
