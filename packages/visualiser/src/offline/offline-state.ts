// The line of the help that says what is there without a network, with a button that keeps the documentation too.

import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, state} from 'lit/decorators.js';
import {askWorker, offlineWords, watchOffline, type OfflineKnown} from './offline-news.js';

@customElement('hs-offline-state')
export class OfflineStateLine extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      p {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 12px;
        align-items: center;
        margin: 0;
      }
    `,
  ];

  @state() private known: OfflineKnown = 'waiting';
  private stop: (() => void) | undefined = undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.stop = watchOffline(known => {
      this.known = known;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.();
  }

  override render(): TemplateResult {
    const {sentence, offer} = offlineWords(this.known);
    return html`<p role="status">
      <span>${sentence}</span>
      ${offer === undefined ? nothing : html`<button @click=${() => void askWorker('keep documentation')}>${offer}</button>`}
    </p>`;
  }
}
