// The micro-operations of the instruction that is about to run: those that are done, the one that is looked at with what it
// reads and writes, and those to come.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {MicroStep, NamedValue} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';

@customElement('hs-micro-operations')
export class MicroOperations extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      section {
        border: 1px solid var(--line);
        border-inline-start: 4px solid var(--guest-kernel);
        border-radius: 6px;
        padding: 6px 12px;
        background: var(--panel);
      }
      h2 {
        font-size: 1em;
        margin: 0 0 4px;
      }
      ol {
        margin: 0;
        padding-inline-start: 1.6em;
        font: var(--code) / 1.5 var(--mono);
      }
      li {
        color: var(--mute);
        padding: 1px 6px;
        border-radius: 4px;
      }
      li.done {
        color: var(--ink);
      }
      li.now {
        color: var(--hit-ink);
        background: var(--hit);
      }
      .values {
        display: flex;
        flex-wrap: wrap;
        gap: 0 14px;
      }
      p {
        margin: 4px 0 0;
      }
    `,
  ];

  @property({attribute: false}) steps: readonly MicroStep[] = [];
  /** Text of the instruction. */
  @property() instruction = '';
  /** The micro-operation that was done last, counted from 0. */
  @property({type: Number}) at = 0;

  override render(): TemplateResult {
    return html`<section aria-label="Micro-operations" aria-live="polite">
      <h2>
        ${this.instruction === '' ? 'The next instruction' : html`<span class="mono">${this.instruction}</span>`}:
        micro-operation ${this.at + 1} of ${this.steps.length}
      </h2>
      <ol>
        ${this.steps.map(
          (step, place) =>
            html`<li
              class=${place < this.at ? 'done' : place === this.at ? 'now' : ''}
              aria-current=${place === this.at ? 'step' : nothing}
            >
              ${step.text}
              ${place > this.at ? nothing : html`<div class="values">${values('reads', step.reads)}${values('writes', step.writes)}</div>`}
            </li>`,
        )}
      </ol>
      <p class="mute">
        Worked out from the recorded registers and memory. The registers beside it change when the instruction is
        complete.
      </p>
    </section>`;
  }
}

function values(what: string, all: readonly NamedValue[]): TemplateResult | typeof nothing {
  if (all.length === 0) return nothing;
  return html`<span
    >${what} ${all.map(({name, value}, at) => html`${at === 0 ? '' : ', '}${name} = <b>${value}</b>`)}</span
  >`;
}
