// What a port changed: which parts of the kernel, which sensitive instructions gave way to which hypercalls, and every line. It opens from
// the code panel of a ported guest; the dialog is scrolled by the keyboard, and copied as a diff.

import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, state} from 'lit/decorators.js';
import {dialogStyles} from '../shell/help.js';
import type {PortText} from './port-client.js';
import {countedWords, portAsText, portRows, signOf} from './port-text.js';
import type {PortRow} from './port-text.js';

@customElement('hs-port')
export class PortDialog extends LitElement {
  static override readonly styles = [
    sharedStyles,
    dialogStyles,
    css`
      dialog {
        width: min(1100px, 96vw);
        max-width: 96vw;
        max-height: 92vh;
        overflow: auto;
      }
      .tools {
        display: flex;
        gap: 8px;
        align-items: center;
        flex-wrap: wrap;
        margin-block: 10px;
      }
      .close {
        margin-inline-start: auto;
      }
      .scroll {
        overflow: auto;
      }
      .text {
        max-height: 60vh;
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }
      .parts td,
      .parts th {
        padding: 3px 10px 3px 0;
        border-top: 1px solid var(--line);
        vertical-align: baseline;
        text-align: start;
      }
      .parts .number {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .parts .names {
        font: var(--code) var(--mono);
        overflow-wrap: anywhere;
      }
      .text table {
        border-collapse: collapse;
        min-width: 100%;
      }
      .text td {
        padding: 0 8px;
        font: var(--code)/1.45 var(--mono);
        white-space: pre;
      }
      .text .at {
        color: var(--mute);
        text-align: end;
        user-select: none;
      }
      .removed td {
        background: var(--sunken);
        color: var(--mute);
      }
      .added td {
        background: var(--hit);
        color: var(--hit-ink);
      }
      .gap td {
        color: var(--mute);
        font-family: var(--sans);
      }
    `,
  ];

  @state() private port: PortText | undefined = undefined;
  @state() private shown: 'everything' | 'changes' = 'changes';
  @state() private copied = '';

  /** Opens it over whatever it was appended to. */
  async show(port: PortText): Promise<void> {
    this.port = port;
    await this.updateComplete;
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  override render(): TemplateResult | typeof nothing {
    const {port} = this;
    if (port === undefined) return nothing;
    const changes = (kind: 'removed' | 'added'): number => port.lines.filter(line => line.kind === kind).length;
    return html`<dialog aria-labelledby="title" @close=${() => this.remove()}>
      <h2 id="title">What the port changed</h2>
      <p>
        ${port.original} and ${port.port}, line by line: ${changes('removed')} lines are gone, ${changes('added')} are
        new. Sensitive instructions are those of the original’s lines that are gone, found by classification; hypercalls
        are those of the new lines.
      </p>
      ${this.parts(port)}
      <div class="tools">
        <button
          aria-pressed=${this.shown === 'everything'}
          @click=${() => {
            this.shown = this.shown === 'everything' ? 'changes' : 'everything';
          }}
        >
          Show every line
        </button>
        <button @click=${() => void this.copy(port)}>Copy as a diff</button>
        <span role="status">${this.copied}</span>
        <button class="close" autofocus @click=${() => this.renderRoot.querySelector('dialog')?.close()}>Close</button>
      </div>
      <div class="scroll text" tabindex="0" role="region" aria-label="The two texts, line by line">
        <table>
          <caption class="visually-hidden">
            Lines with their numbers in ${port.original} and in ${port.port}; − gone, + new
          </caption>
          <tbody>
            ${portRows(port.lines, this.shown).map(lineRow)}
          </tbody>
        </table>
      </div>
    </dialog>`;
  }

  private parts({parts}: PortText): TemplateResult {
    return html`<div class="scroll" tabindex="0" role="region" aria-label="What changed, by parts of the kernel">
      <table class="parts">
        <thead>
          <tr>
            <th scope="col">part</th>
            <th scope="col" class="number">kept</th>
            <th scope="col" class="number">gone</th>
            <th scope="col" class="number">new</th>
            <th scope="col">sensitive instructions gone</th>
            <th scope="col">hypercalls instead</th>
          </tr>
        </thead>
        <tbody>
          ${parts.map(
            part =>
              html`<tr>
                <th scope="row">
                  ${part.number === 0 ? '' : `${part.number}: `}${part.title}${part.newTitle === undefined ? nothing : html` → ${part.newTitle}`}
                </th>
                <td class="number">${part.kept}</td>
                <td class="number">${part.removed}</td>
                <td class="number">${part.added}</td>
                <td class="names">${countedWords(part.replaced)}</td>
                <td class="names">${countedWords(part.hypercalls)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private async copy(port: PortText): Promise<void> {
    try {
      await navigator.clipboard.writeText(portAsText(port));
      this.copied = 'Copied.';
    } catch {
      this.copied = 'This browser does not let a page write to the clipboard. Select the lines and copy them.';
    }
  }
}

const GAP = (lines: number): string => `${lines} ${lines === 1 ? 'line' : 'lines'} as before`;

function lineRow(row: PortRow): TemplateResult {
  if (row.kind === 'gap')
    return html`<tr class="gap">
      <td colspan="4">${GAP(row.lines)}</td>
    </tr>`;
  const {line, before, after} = row;
  const word = line.kind === 'common' ? '' : line.kind === 'added' ? 'new: ' : 'gone: ';
  return html`<tr class=${line.kind}>
    <td class="at">${before}</td>
    <td class="at">${after}</td>
    <td><span aria-hidden="true">${signOf(line)}</span><span class="visually-hidden">${word}</span></td>
    <td>${line.text}</td>
  </tr>`;
}
