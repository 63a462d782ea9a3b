// "Share": the moment as a link, the lab as an element for a page of one's own, and any panel as a picture.

import {sharedStyles, type Theme} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {pngOf} from '../export/png-picture.js';
import {svgPicture} from '../export/svg-picture.js';
import {saveFile} from '../save-file.js';
import {writeLink, type SharedMoment} from '../share-link.js';
import {embeddingHtml} from './embedding-html.js';
import {dialogStyles} from './help.js';

/** A part of the page that can be saved: its name, and where it is. */
export interface SharedPanel {
  readonly name: string;
  readonly element: Element;
}

export interface Shared {
  /** Address of the page, without a fragment. */
  readonly page: string;
  /** What the link says; undefined where no link can lead here. */
  readonly moment: SharedMoment | undefined;
  /** What the reader sees the lab in, for a link that is to show it so. */
  readonly theme: Theme;
  /** What the link leaves out, in a sentence; undefined when it has everything. */
  readonly without: string | undefined;
  readonly technique: string;
  readonly guest: string;
  readonly step: number;
  readonly panels: readonly SharedPanel[];
}

const THEME_NAMES: Readonly<Record<Exclude<Theme, 'auto'>, string>> = {
  light: 'light',
  dark: 'dark',
  contrast: 'high contrast',
};

@customElement('hs-share')
export class ShareDialog extends LitElement {
  static override readonly styles = [
    sharedStyles,
    dialogStyles,
    css`
      dialog {
        width: min(640px, 92vw);
      }
      section {
        margin-block-end: 16px;
      }
      .row {
        display: flex;
        gap: 8px;
        align-items: center;
        flex-wrap: wrap;
      }
      .row :is(input:not([type='checkbox']), textarea) {
        flex: 1 1 260px;
        min-width: 0;
        font: var(--code) / 1.5 var(--mono);
      }
      textarea {
        color: inherit;
        background: var(--sunken);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        padding: 5px 8px;
        resize: vertical;
      }
      p {
        margin: 4px 0 6px;
        color: var(--mute);
      }
      .close {
        display: flex;
        justify-content: end;
      }
    `,
  ];

  @property({attribute: false}) shared: Shared | undefined = undefined;
  @state() private said = '';
  /** What the link asks for beside what is shown. */
  @state() private withTheme: Theme | undefined = undefined;
  @state() private mode: SharedMoment['mode'] = undefined;

  private get link(): string {
    const {moment, page = ''} = this.shared ?? {};
    return moment === undefined ? page : page + writeLink({...moment, theme: this.withTheme, mode: this.mode});
  }

  /** Opens the dialog, with the link in the clipboard where the browser lets us. */
  async show(shared: Shared): Promise<void> {
    this.shared = shared;
    this.said = '';
    this.withTheme = shared.moment?.theme;
    this.mode = undefined;
    await this.updateComplete;
    this.renderRoot.querySelector('dialog')?.showModal();
    await this.copy(this.link, 'The link is in the clipboard.');
  }

  private async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.said = done;
    } catch {
      // No permission, or no secure address: the text is there to be selected.
      this.said = 'This page may not use the clipboard: select the text and copy it.';
    }
  }

  override render(): TemplateResult {
    const {shared} = this;
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Share this moment</h2>
      ${shared === undefined ? nothing : this.content(shared)}
      <p role="status">${this.said}</p>
      <form method="dialog" class="close"><button value="close">Close</button></form>
    </dialog>`;
  }

  private content(shared: Shared): TemplateResult {
    const code = embeddingHtml(shared.page, {guest: shared.guest, technique: shared.technique, ...shared.moment});
    return html`<section>
        <h3>As a link</h3>
        <div class="row">
          <input aria-label="Link" readonly .value=${this.link} @focus=${selectAll} />
          <button @click=${() => this.copy(this.link, 'The link is in the clipboard.')}>Copy link</button>
        </div>
        ${shared.moment === undefined ? nothing : this.choices(shared)}
        ${shared.without === undefined ? nothing : html`<p>${shared.without}</p>`}
      </section>
      <section>
        <h3>In your own page or slides</h3>
        <div class="row">
          <textarea aria-label="HTML" readonly rows="5" .value=${code} @focus=${selectAll}></textarea>
          <button @click=${() => this.copy(code, 'The HTML is in the clipboard.')}>Copy HTML</button>
        </div>
      </section>
      <section>
        <h3>As a picture</h3>
        <div class="row">
          <label
            >Panel
            <select id="panel" aria-label="Panel to save">
              ${shared.panels.map(({name}, index) => html`<option value=${index}>${name}</option>`)}
            </select></label
          >
          <button @click=${() => this.save('svg')}>Save SVG</button>
          <button @click=${() => this.save('png')}>Save PNG</button>
        </div>
        <p>SVG is drawn with lines and text: it stays sharp at any size and can be edited.</p>
      </section>
      <section>
        <h3>As a walk</h3>
        <div class="row">
          <button @click=${() => this.keepWalk()}>Print or animate…</button>
        </div>
        <p>The steps from here on, or the scenario that is open: a page to print, or an animated picture.</p>
      </section>`;
  }

  private keepWalk(): void {
    this.renderRoot.querySelector('dialog')?.close();
    this.dispatchEvent(new CustomEvent('hs-keep-walk', {bubbles: true, composed: true}));
  }

  /** What the link may ask for of whoever opens it. */
  private choices({theme}: Shared): TemplateResult {
    const shown = this.withTheme ?? theme;
    return html`<div class="row">
      ${
        shown === 'auto'
          ? nothing
          : html`<label
              ><input
                type="checkbox"
                .checked=${this.withTheme !== undefined}
                @change=${() => (this.withTheme = this.withTheme === undefined ? shown : undefined)}
              />
              in this theme (${THEME_NAMES[shown]})</label
            >`
      }
      <label
        ><input
          type="checkbox"
          .checked=${this.mode !== undefined}
          @change=${() => (this.mode = this.mode === undefined ? 'present' : undefined)}
        />
        in present mode</label
      >
    </div>`;
  }

  private async save(format: 'png' | 'svg'): Promise<void> {
    const {shared} = this;
    const select = this.renderRoot.querySelector<HTMLSelectElement>('#panel');
    const panel = shared?.panels[Number(select?.value ?? 0)];
    if (shared === undefined || panel === undefined) return;
    const name = `hyperscope-${shared.guest}-${shared.technique}-${shared.step}-${panel.name.toLowerCase().replaceAll(/\W+/g, '-')}`;
    try {
      const picture = svgPicture(
        panel.element,
        `${panel.name}: ${shared.guest} on ${shared.technique}, step ${shared.step}`,
      );
      const file = format === 'svg' ? new Blob([picture.svg], {type: 'image/svg+xml'}) : await pngOf(picture);
      saveFile(`${name}.${format}`, file);
      this.said = `Saved as ${name}.${format}.`;
    } catch (error) {
      this.said = error instanceof Error ? error.message : String(error);
    }
  }
}

function selectAll(event: FocusEvent): void {
  const {target} = event;
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) target.select();
}
