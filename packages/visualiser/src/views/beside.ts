// One exit, twice: what the simulated processor did and what the real one did, beside each other.

import {sharedStyles, type CompareRow} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';

const VERDICTS = {matched: 'the same', explained: 'differs, and why is known', unexplained: 'differs'} as const;

@customElement('hs-beside')
export class Beside extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      div.pair {
        display: grid;
        grid-template-columns: 1fr max-content 1fr;
        gap: 4px 14px;
        align-items: center;
        border: 2px solid var(--device);
        border-radius: var(--radius);
        padding: 5px 14px;
      }
      h3 {
        margin: 0;
        letter-spacing: 0;
        text-transform: none;
        font-size: 0.86em;
      }
      .side {
        font-family: var(--mono);
        font-size: var(--code);
        overflow-wrap: anywhere;
      }
      .verdict {
        font-weight: 700;
        color: var(--device-ink);
        background: var(--device-tint);
        border-radius: 12px;
        padding: 2px 12px;
        text-align: center;
      }
      .verdict.unexplained {
        color: var(--bad);
        background: none;
        border: 1px solid;
      }
      p {
        grid-column: 1 / -1;
        margin: 0;
        color: var(--mute);
        font-size: 0.92em;
      }
    `,
  ];

  @property({attribute: false}) row: CompareRow | undefined = undefined;
  @property() where = 'real KVM';

  override render(): TemplateResult | typeof nothing {
    const {row} = this;
    if (row === undefined) return nothing;
    return html`<div class="pair" role="group" aria-label="The same exit on real KVM">
      <div>
        <h3>simulated</h3>
        <div class="side">${row.simulated?.text ?? 'no exit'}</div>
      </div>
      <div class="verdict ${row.verdict}">${VERDICTS[row.verdict]}</div>
      <div>
        <h3>${this.where}</h3>
        <div class="side">${row.real?.text ?? 'no exit'}</div>
      </div>
      ${row.why === '' || row.verdict === 'matched' ? nothing : html`<p>${row.why}</p>`}
    </div>`;
  }
}
