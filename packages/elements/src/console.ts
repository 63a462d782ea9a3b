// What the guest sent to its serial port.

import {LitElement, css, html, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {sharedStyles} from './shared-styles.js';

@customElement('hs-console')
export class SerialConsole extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      pre {
        margin: 0;
        background: var(--console);
        color: var(--console-ink);
        border-radius: 6px;
        padding: 8px 10px;
        min-height: 4.2em;
        /* Several of them have to share the room. */
        max-height: var(--console-height, 12em);
        overflow: auto;
        font: var(--code)/1.45 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .caret {
        display: inline-block;
        width: 0.6em;
        height: 1.05em;
        background: currentColor;
        opacity: 0.7;
        vertical-align: -0.15em;
      }
      .nothing {
        opacity: 0.75;
      }
    `,
  ];

  @property() text = '';
  @property() name = 'Serial console · COM1';

  override render(): TemplateResult {
    const shown =
      this.text === ''
        ? html`<span class="nothing">nothing sent yet</span>`
        : html`${this.text}<span class="caret"></span>`;
    return html`<h3>${this.name}</h3>
      <pre tabindex="0" role="log" aria-label=${this.name}>${shown}</pre>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const box = this.renderRoot.querySelector('pre');
    if (changed.has('text') && box !== null) box.scrollTop = box.scrollHeight;
  }
}
