// The keys and the colours, in a dialog: what `?` opens.

import {ACTOR_LOOKS, actorGlyph, sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {COMPARISON_ROWS} from '../compare/comparison-keys.js';
import {KEY_ROWS} from '../keys.js';
import {loadReading, reading, readingStyles} from './help-reading.js';
import {PRESENT_ROWS} from './presentation.js';

export const dialogStyles = css`
  dialog {
    border: 1px solid var(--strong-line);
    border-radius: 12px;
    background: var(--panel);
    color: var(--ink);
    padding: 18px 24px;
    max-width: min(640px, 92vw);
    box-shadow: var(--shadow);
    font: var(--size)/1.45 var(--sans);
  }
  dialog::backdrop {
    background: rgb(10 12 16 / 55%);
  }
  dialog h2 {
    margin: 0 0 10px;
    font-size: 1.25em;
  }
  dialog form {
    display: flex;
    gap: 10px;
    align-items: end;
    flex-wrap: wrap;
  }
  dialog input {
    font: inherit;
    color: inherit;
    background: var(--sunken);
    border: 1px solid var(--strong-line);
    border-radius: 6px;
    padding: 5px 8px;
  }
`;

const keyRow = ({keys, name}: {readonly keys: readonly string[]; readonly name: string}): TemplateResult =>
  html`<div>
    <dt>${keys.map(key => html`<kbd>${key}</kbd>`)}</dt>
    <dd>${name}</dd>
  </div>`;

@customElement('hs-help')
export class Help extends LitElement {
  static override readonly styles = [
    sharedStyles,
    dialogStyles,
    readingStyles,
    css`
      kbd {
        font: 600 12px var(--mono);
        border: 1px solid var(--strong-line);
        border-bottom-width: 2px;
        border-radius: 5px;
        padding: 1px 6px;
        margin-inline-end: 4px;
        white-space: nowrap;
      }
      dialog {
        max-width: min(1040px, 94vw);
        max-height: 92vh;
        box-sizing: border-box;
      }
      /* It has the focus so that the list begins at its top; nothing can be done with it. */
      h2:focus-visible {
        outline: none;
      }
      /* All keys at a glance: in as many columns as there is room for. */
      dl {
        margin: 0;
        columns: 300px;
        column-gap: 28px;
      }
      dl div {
        display: grid;
        grid-template-columns: minmax(62px, max-content) 1fr;
        gap: 8px;
        padding: 2px 0;
        break-inside: avoid;
      }
      dd {
        margin: 0;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 4px 18px;
      }
      li {
        display: flex;
        gap: 8px;
        align-items: center;
      }
      li svg {
        width: 16px;
        height: 16px;
      }
      h3.present {
        margin-top: 10px;
      }
      .close {
        margin-top: 14px;
      }
    `,
  ];

  /** Whose keys are listed. */
  @property() view: 'comparison' | 'lab' = 'lab';

  show(): void {
    loadReading();
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title" tabindex="-1" autofocus>
        ${this.view === 'lab' ? 'Keys and colours' : 'Keys while machines are compared, and colours'}
      </h2>
      <div>
        <dl>${(this.view === 'lab' ? KEY_ROWS : COMPARISON_ROWS).map(keyRow)}</dl>
        ${
          this.view === 'lab'
            ? html`<h3 class="present">While presenting</h3>
                <dl>${PRESENT_ROWS.map(keyRow)}</dl>`
            : html`<p class="mute">Other keys of the lab do nothing until you are back there.</p>`
        }
        <div>
          <h3>Who runs</h3>
          <ul>
            ${ACTOR_LOOKS.map(
              look =>
                html`<li>
                  <svg viewBox="0 0 16 16" aria-hidden="true">${actorGlyph(look.actor)}</svg>
                  <span><b>${look.name}</b> <span class="mute">${look.place}</span></span>
                </li>`,
            )}
          </ul>
          <p class="mute">
            Cold colours are the guest, warm ones the host. On the timeline: wheel or <kbd>+</kbd> <kbd>−</kbd> zoom,
            <kbd>0</kbd> shows all, shift and wheel pan; shift and drag, or <kbd>[</kbd> <kbd>]</kbd>, select a stretch.
          </p>
          ${reading()}
        </div>
      </div>
      <form method="dialog"><button class="close">Close</button></form>
    </dialog>`;
  }
}
