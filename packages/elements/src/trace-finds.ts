// Find in the trace: one line to type in, and the places where it was found, each a jump. `/` opens it, n and N go from one
// find to the next.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Hit} from '@hyperscope/trace';
import {actorGlyph} from './actors.js';
import {SeekEvent} from './exit-table.js';
import {sharedStyles} from './shared-styles.js';

/** What is to be found, as typed. */
export class FindEvent extends CustomEvent<{readonly text: string}> {
  constructor(text: string) {
    super('hs-find', {detail: {text}, bubbles: true, composed: true});
  }
}

/** To the next or the previous find from the playhead. */
export class NextFindEvent extends CustomEvent<{readonly direction: 'forward' | 'back'}> {
  constructor(direction: 'forward' | 'back') {
    super('hs-next-find', {detail: {direction}, bubbles: true, composed: true});
  }
}

/** Finds that are listed; n and N reach the others. */
const LISTED = 200;

@customElement('hs-finds')
export class TraceFinds extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      section {
        border: 1px solid var(--strong-line);
        border-radius: 8px;
        padding: 8px 10px;
        display: grid;
        gap: 6px;
        background: var(--panel);
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
      }
      input {
        font: inherit;
        font-family: var(--mono);
        color: inherit;
        background: var(--sunken);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        padding: 4px 8px;
        flex: 1 1 16em;
        min-width: 0;
      }
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
        max-height: 8.4em;
        overflow: auto;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(19em, 1fr));
        gap: 0 12px;
      }
      li button {
        display: flex;
        gap: 8px;
        align-items: center;
        width: 100%;
        min-height: 24px;
        border: 0;
        background: none;
        padding: 1px 4px;
        text-align: start;
        font: var(--code) / 1.4 var(--mono);
        white-space: nowrap;
        overflow: hidden;
      }
      li button[aria-current] {
        background: var(--hit);
        color: var(--hit-ink);
      }
      li svg {
        width: 12px;
        height: 12px;
        flex: none;
      }
      .step {
        color: var(--mute);
        min-width: 6ch;
        text-align: end;
      }
      [aria-current] .step {
        color: inherit;
      }
      form button {
        min-height: 28px;
        padding: 1px 10px;
      }
      p {
        margin: 0;
      }
    `,
  ];

  @property() text = '';
  @property({attribute: false}) hits: readonly Hit[] = [];
  /** Where the search is, in words: `14 found`, `looked at 2 400 000 of 10 000 000 steps`. */
  @property() standing = '';
  @property({type: Number}) index = 0;

  /** Puts the cursor into the line. */
  ask(): void {
    this.renderRoot.querySelector('input')?.select();
  }

  override render(): TemplateResult {
    return html`<section aria-label="Find in the trace">
      <form @submit=${this.submit}>
        <input
          type="search"
          aria-label="Find: text of an event or an instruction, an address, or register = value"
          placeholder="exit 30    ·  out dx, al  ·  0x8006  ·  rax = 0x10"
          .value=${this.text}
          @keydown=${this.key}
        />
        <button>Find</button>
        <button type="button" aria-label="Previous find (N)" @click=${() => this.go('back')}>Previous</button>
        <button type="button" aria-label="Next find (n)" @click=${() => this.go('forward')}>Next</button>
        <button type="button" aria-label="Close the search" @click=${this.close}>Close</button>
        <p role="status" class="mute">${this.standing}</p>
      </form>
      ${
        this.hits.length === 0
          ? nothing
          : html`<ol tabindex="0" aria-label="Finds">
              ${this.hits.slice(0, LISTED).map(hit => this.row(hit))}
            </ol>`
      }
    </section>`;
  }

  private row(hit: Hit): TemplateResult {
    return html`<li>
      <button
        aria-current=${hit.index === this.index ? 'step' : nothing}
        @click=${() => this.dispatchEvent(new SeekEvent(hit.index))}
      >
        <span class="step">${hit.index.toLocaleString('en').replaceAll(',', '\u2009')}</span>
        <svg viewBox="0 0 16 16" aria-hidden="true">${actorGlyph(hit.who)}</svg>${hit.text}
      </button>
    </li>`;
  }

  private go(direction: 'forward' | 'back'): void {
    this.dispatchEvent(new NextFindEvent(direction));
  }

  private readonly submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = this.renderRoot.querySelector('input')?.value.trim() ?? '';
    if (text !== '') this.dispatchEvent(new FindEvent(text));
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    this.close();
  };

  private readonly close = (): void => {
    this.dispatchEvent(new CustomEvent('hs-close-finds', {bubbles: true, composed: true}));
  };
}
