// The guest's text screen, as a monitor on its VGA adapter would show it: characters in sixteen colours. It is text, so a
// screen reader reads what a person sees.

import type {ScreenView} from '@hyperscope/trace';
import {LitElement, css, html, unsafeCSS, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {characterOf} from './code-page-437.js';
import {sharedStyles} from './shared-styles.js';

/** The adapter's own sixteen colours, the same in every theme: the guest chose them. */
const COLOURS = [
  '#000000',
  '#0000aa',
  '#00aa00',
  '#00aaaa',
  '#aa0000',
  '#aa00aa',
  '#aa5500',
  '#aaaaaa',
  '#555555',
  '#5555ff',
  '#55ff55',
  '#55ffff',
  '#ff5555',
  '#ff55ff',
  '#ffff55',
  '#ffffff',
] as const;

const colourStyles = COLOURS.map(
  (colour, n) => `.ink-${n} { color: ${colour}; } .paper-${n} { background: ${colour}; }`,
);

interface Run {
  readonly text: string;
  readonly attribute: number;
  readonly isCursor: boolean;
}

/** A row as stretches of one colour; the place of the cursor stands alone. */
function runsOf({cells, columns, cursor}: ScreenView, row: number): readonly Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < columns; column++) {
    const at = row * columns + column;
    const text = characterOf(cells[2 * at] ?? 0);
    const attribute = cells[2 * at + 1] ?? 7;
    const isCursor = at === cursor;
    const last = runs.at(-1);
    if (last !== undefined && !isCursor && !last.isCursor && last.attribute === attribute)
      runs[runs.length - 1] = {...last, text: last.text + text};
    else runs.push({text, attribute, isCursor});
  }
  return runs;
}

@customElement('hs-text-screen')
export class TextScreenView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      pre {
        margin: 0;
        padding: 8px;
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        background: #000;
        color: #aaa;
        overflow: auto;
        /* Eighty columns fill the panel: a screen is looked at whole. Far too narrow a panel scrolls. */
        font: clamp(6.5px, calc((100cqw - 18px) / 48.5), 18px) / 1.2 var(--mono);
      }
      pre:focus-visible {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }
      .cursor {
        box-shadow: inset 0 -0.16em currentColor;
      }
      p {
        color: var(--mute);
        margin: 8px 0 0;
      }
      ${unsafeCSS(colourStyles.join('\n'))}
    `,
  ];

  @property({attribute: false}) screen: ScreenView | undefined = undefined;

  override render(): TemplateResult {
    const {screen} = this;
    if (screen === undefined)
      return html`<p>
        Nothing stands on the text screen: the guest has not written to video memory at B8000, or this machine has no
        video adapter.
      </p>`;
    const {columns, rows} = screen;
    const lines = Array.from({length: rows}, (_, row) => runsOf(screen, row));
    return html`<pre tabindex="0" role="img" aria-label=${this.spoken(screen)}>
${lines.map(runs => html`${runs.map(run => this.stretch(run))}${'\n'}`)}</pre>
      <p>${columns} × ${rows} characters, two bytes each, from guest-physical B8000.</p>`;
  }

  /** Blinking and bright paper are one bit; here it is neither, so that eight papers remain. */
  private stretch({text, attribute, isCursor}: Run): TemplateResult {
    const colours = `ink-${attribute & 15} paper-${(attribute >> 4) & 7}`;
    return html`<span class=${isCursor ? `${colours} cursor` : colours}>${text}</span>`;
  }

  /** What a screen reader says: the lines that have something on them. */
  private spoken(screen: ScreenView): string {
    const lines = Array.from({length: screen.rows}, (_, row) =>
      runsOf(screen, row)
        .map(run => run.text)
        .join('')
        .trim(),
    );
    const filled = lines.filter(line => line !== '');
    return filled.length === 0 ? 'Text screen of the guest: blank' : `Text screen of the guest: ${filled.join('. ')}`;
  }
}
