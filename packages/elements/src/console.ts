// What the guest sent to its serial port. The end is in sight by the direction in which the box is filled, so that nothing is
// measured while the guest prints; of a long text only the end is drawn until all of it is asked for.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {sharedStyles} from './shared-styles.js';

/** As many characters are drawn without being asked for, some sixty lines; and up to so many more, for what is drawn is cut seldom. */
const SHOWN = 5000;
const CUT = 1000;

@customElement('hs-console')
export class SerialConsole extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
      }
      pre {
        flex: 0 1 auto;
        margin: 0;
        background: var(--console);
        color: var(--console-ink);
        border-radius: 6px;
        padding: var(--console-padding, 8px 10px);
        min-height: var(--console-least, 4.2em);
        /* Several of them have to share the room. */
        max-height: var(--console-height, 12em);
        overflow: auto;
        /* Filled from below: who looks at the end stays there. */
        display: flex;
        flex-direction: column-reverse;
        font: var(--code)/1.45 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      h3 {
        display: var(--console-name, block);
      }
      pre > span {
        margin-block-end: auto;
      }
      .more {
        margin: 0 0 4px;
        font-size: 0.857em;
        color: var(--mute);
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
      /* As long as nothing was sent: one line. */
      :host([empty]) {
        display: flex;
        flex-direction: row;
        align-items: center;
        gap: 10px;
      }
      :host([empty]) h3 {
        margin: 0;
        flex: none;
      }
      :host([empty]) pre {
        flex: 1;
        min-width: 0;
        min-height: 0;
        padding-block: 2px;
        white-space: nowrap;
      }
    `,
  ];

  @property() text = '';
  /** Whether nothing was sent yet; follows from `text`. */
  @property({type: Boolean, reflect: true}) empty = true;
  @property() name = 'Serial console · COM1';
  @state() private shown: 'end' | 'all' = 'end';

  override willUpdate(): void {
    this.empty = this.text === '';
  }

  override render(): TemplateResult {
    const {text} = this;
    const start = this.shown === 'all' ? 0 : Math.max(0, Math.floor((text.length - SHOWN) / CUT) * CUT);
    const shown = this.empty
      ? html`<span class="nothing">nothing sent yet</span>`
      : html`<span>${text.slice(start)}<span class="caret"></span></span>`;
    return html`<h3>${this.name}</h3>
      ${start > 0 ? more(text.length - start, text.length, this.showAll) : nothing}
      <pre tabindex="0" role="log" aria-label=${this.name}>${shown}</pre>`;
  }

  private readonly showAll = (): void => {
    this.shown = 'all';
  };
}

function more(drawn: number, all: number, showAll: () => void): TemplateResult {
  return html`<p class="more">
    The last ${drawn.toLocaleString('en')} of ${all.toLocaleString('en')} characters.
    <button @click=${showAll}>Show all</button>
  </p>`;
}
