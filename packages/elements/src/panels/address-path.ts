// The way of an address through its spaces, station by station: what each is called, and what led there.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles} from '../address.js';
import {sharedStyles} from '../shared-styles.js';
import {SPACE_NAMES} from './space-names.js';

type Path = Pick<InspectionContents['walk'], 'path' | 'end'>;

@customElement('hs-address-path')
export class AddressPath extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    css`
      ol {
        list-style: none;
        margin: 0 0 10px;
        padding: 6px 8px;
        display: flex;
        flex-wrap: wrap;
        gap: 4px 6px;
        align-items: center;
        background: var(--sunken);
        border-radius: var(--radius);
      }
      li {
        display: flex;
        gap: 6px;
        align-items: center;
      }
      .by {
        font-size: 0.86em;
        color: var(--mute);
      }
      .end {
        font-weight: 650;
      }
    `,
  ];

  @property({attribute: false}) content: Path | undefined = undefined;

  override render(): TemplateResult | typeof nothing {
    const {content} = this;
    if (content === undefined || content.path.length < 2 - Number(content.end !== undefined)) return nothing;
    return html`<ol aria-label="The way of the address through its spaces">
      ${content.path.map(
        station =>
          html`<li>
            ${station.by === '' ? nothing : html`<span class="by">by ${station.by}</span> <span aria-hidden="true">→</span>`}
            ${address(SPACE_NAMES[station.space], station.address)}
          </li>`,
      )}
      ${content.end === undefined ? nothing : html`<li class="end">and no further: ${content.end}</li>`}
    </ol>`;
  }
}
