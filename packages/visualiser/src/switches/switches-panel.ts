// The drawer with the switches: the list, and below the search what the last flip changed. The stage stays visible beside it.

import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {LabState} from '../lab-state.js';
import './change-view.js';
import {SwitchList} from './switch-list.js';
import type {RunChange} from './run-change.js';

@customElement('hs-switches')
export class SwitchesPanel extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      dialog {
        position: fixed;
        inset: 92px 8px 8px auto;
        z-index: 6;
        margin: 0;
        width: min(500px, calc(100vw - 16px));
        height: auto;
        max-height: none;
        padding: 0;
        border: 1px solid var(--strong-line);
        border-radius: 12px;
        background: var(--panel);
        color: var(--ink);
        box-shadow: var(--shadow);
        font: var(--size) / 1.45 var(--sans);
      }
      dialog[open] {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
      }
      header {
        display: flex;
        align-items: baseline;
        gap: 10px;
        padding: 10px 14px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        margin: 0;
        font-size: 1.15em;
        flex: 1;
      }
      .body {
        overflow: auto;
        padding: 12px 14px;
        display: grid;
        gap: 12px;
        align-content: start;
      }
      hs-run-change {
        border: 1px solid var(--strong-line);
        border-radius: 8px;
        padding: 10px 12px;
      }
    `,
  ];

  @property({attribute: false}) lab: LabState | undefined = undefined;
  @property({attribute: false}) change: RunChange | undefined = undefined;
  @property() trouble = '';

  /** Opens the drawer, or closes it. */
  toggle(): void {
    const dialog = this.renderRoot.querySelector('dialog');
    if (dialog === null) return;
    if (dialog.open) return dialog.close();
    dialog.show();
    const list = this.renderRoot.querySelector('hs-switch-list');
    if (list instanceof SwitchList) list.focusSearch();
  }

  override render(): TemplateResult {
    const {lab} = this;
    const machine = lab?.catalogue.techniques.find(({id}) => id === lab.technique)?.title ?? '';
    return html`<dialog aria-labelledby="title" @keydown=${this.key}>
      <header>
        <h2 id="title">Switches of ${machine}</h2>
        <button @click=${() => this.toggle()}>Close</button>
      </header>
      <div class="body">
        ${this.trouble === '' ? nothing : html`<p role="alert">${this.trouble}</p>`}
        ${this.change === undefined ? nothing : html`<hs-run-change .change=${this.change}></hs-run-change>`}
        <hs-switch-list .offers=${lab?.offers ?? []} .switches=${lab?.switches ?? {}}></hs-switch-list>
      </div>
    </dialog>`;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    this.toggle();
  };
}
