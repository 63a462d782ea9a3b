// A stealth card: what one kernel got from one instruction in each ring, who was told, and what is done about it.
// POPF's card has a grid of CPL and IOPL as well.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {sharedStyles} from './shared-styles.js';

export interface StealthCardPicture {
  readonly mnemonic: string;
  /** What the kernel does, and what a kernel outside ring 0 believes. */
  readonly sentences: readonly string[];
  readonly runs: readonly {
    /** `under trap-and-emulate, in ring 1` */
    readonly where: string;
    /** What it printed. */
    readonly value: string;
    readonly verdict: 'right' | 'wrong';
    /** `nobody`, `the monitor, by an exception` */
    readonly told: string;
  }[];
  /** How each later way deals with it: `VT-x`, and a phrase. */
  readonly answers: readonly (readonly [who: string, what: string])[];
  /** POPF: rows of CPL, columns of IOPL. */
  readonly grid: readonly {readonly name: string; readonly cells: readonly GridCell[]}[];
}

export interface GridCell {
  readonly fate: 'obeyed' | 'kept in silence' | '#GP';
  /** What CLI gives in the same state. */
  readonly cli: string;
}

const MARKS = {
  right: {path: 'M2 8.5L6 12.5L14 3.5', colour: 'var(--good)'},
  wrong: {path: 'M3 3L13 13M13 3L3 13', colour: 'var(--bad)'},
} as const;

@customElement('hs-stealth-card')
export class StealthCardView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      table {
        width: 100%;
        border-collapse: collapse;
        margin-bottom: 8px;
      }
      td,
      th {
        padding: 3px 8px 3px 0;
        text-align: start;
        vertical-align: top;
        border-bottom: 1px solid var(--line);
      }
      .value {
        font: var(--code) var(--mono);
      }
      .verdict {
        white-space: nowrap;
        font-weight: 650;
      }
      svg {
        width: 14px;
        height: 14px;
        vertical-align: -2px;
        margin-inline-end: 4px;
      }
      .silent {
        background: var(--hit);
        color: var(--hit-ink);
      }
      p,
      dl {
        margin: 0 0 8px;
      }
      dt {
        font-weight: 650;
      }
      dd {
        margin: 0 0 4px;
      }
    `,
  ];

  @property({attribute: false}) card: StealthCardPicture | undefined = undefined;

  override render(): TemplateResult {
    const {card} = this;
    if (card === undefined) return html`<p class="empty">Running the kernel in every ring …</p>`;
    return html`${card.sentences.map(sentence => html`<p>${sentence}</p>`)}
      <table>
        <caption class="visually-hidden">
          ${card.mnemonic} in every ring
        </caption>
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">prints</th>
            <th scope="col">which is</th>
            <th scope="col">who is told</th>
          </tr>
        </thead>
        <tbody>
          ${card.runs.map(runRow)}
        </tbody>
      </table>
      ${card.grid.length === 0 ? nothing : gridTable(card)}
      <dl>
        ${card.answers.map(
          ([who, what]) =>
            html`<dt>${who}</dt>
              <dd>${what}</dd>`,
        )}
      </dl>`;
  }
}

function runRow({where, value, verdict, told}: StealthCardPicture['runs'][number]): TemplateResult {
  const {path, colour} = MARKS[verdict];
  return html`<tr>
    <th scope="row">${where}</th>
    <td class="value">${value}</td>
    <td class="verdict">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d=${path} fill="none" stroke=${colour} stroke-width="2.4"></path></svg
      >${verdict}
    </td>
    <td>${told}</td>
  </tr>`;
}

function gridTable({grid}: StealthCardPicture): TemplateResult {
  return html`<table>
    <caption>
      What becomes of IF when POPF is to clear it, and (in brackets) when CLI is
    </caption>
    <thead>
      <tr>
        <td></td>
        ${[0, 1, 2, 3].map(iopl => html`<th scope="col">IOPL ${iopl}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${grid.map(
        ({name, cells}) =>
          html`<tr>
            <th scope="row">${name}</th>
            ${cells.map(({fate, cli}) => html`<td class=${fate === 'kept in silence' ? 'silent' : ''}>${fate} (${cli})</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}
