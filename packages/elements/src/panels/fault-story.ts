// The fault that connects the tables, told event by event; each sentence leads to its step.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {SeekEvent} from '../exit-table.js';
import {sharedStyles} from '../shared-styles.js';

@customElement('hs-fault-story')
export class FaultStory extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      section {
        border-inline-start: 4px solid var(--hypervisor);
        padding-inline-start: 10px;
        margin-bottom: 12px;
      }
      h3 {
        margin: 0 0 4px;
      }
      ol {
        margin: 0;
        padding-inline-start: 1.4em;
      }
      li {
        margin-bottom: 4px;
      }
      button {
        min-height: 24px;
        padding: 0 7px;
        font-size: 0.86em;
        white-space: nowrap;
      }
    `,
  ];

  @property({attribute: false}) content: InspectionContents['fault'] | undefined = undefined;
  /** The state at the playhead: a sentence about the step before it needs no way there. */
  @property({type: Number}) index = 0;

  override render(): TemplateResult | typeof nothing {
    const {content} = this;
    if (content === undefined) return nothing;
    return html`<section aria-label="The last refused access">
      <h3>The last refused access</h3>
      <ol>
        ${content.sentences.map(
          ({text, step}) =>
            html`<li>
              ${text}
              ${
                step + 1 === this.index
                  ? nothing
                  : html`<button
                      aria-label="Go to step ${step + 1}"
                      @click=${() => this.dispatchEvent(new SeekEvent(step + 1))}
                    >
                      step ${step + 1}
                    </button>`
              }
            </li>`,
        )}
      </ol>
    </section>`;
  }
}
