// The doctor of VM entries: whether the control block would be accepted as it stands, and if not, which rule it breaks and what
// people usually did who broke it.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['entry-checks'];

@customElement('hs-entry-doctor')
export class EntryDoctor extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      div.verdict {
        border-inline-start: 5px solid var(--good);
        padding: 4px 10px;
        background: var(--sunken);
        margin-bottom: 12px;
      }
      div.refused {
        border-color: var(--bad);
      }
      p:last-child,
      ul:last-child {
        margin-bottom: 0;
      }
      ul {
        margin: 0 0 6px;
        padding-inline-start: 18px;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Making the checks…</p>`;
    const failed = content.groups.filter(group => group.failed.length > 0);
    return html`<div class="verdict ${content.verdict}" role="status">
      <p><b>${content.sentence}</b></p>
      <p class="words">${content.groups.map(group => `${group.title}: ${group.made}`).join(' · ')}</p>
      ${failed.map(
        group =>
          html`<h3>${group.title}</h3>
            <ul>
              ${group.failed.map(
                check =>
                  html`<li>
                    <span class="bad">${check.rule}</span>
                    <span class="mono">${check.values.map(([name, value]) => `${name} = ${value}`).join(', ')}</span>
                    ${check.cause === undefined ? nothing : html`<div>${check.cause}</div>`}
                    <div class="words">${check.source}</div>
                  </li>`,
              )}
            </ul>`,
      )}
    </div>`;
  }
}
