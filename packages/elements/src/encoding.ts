// The bytes of one instruction, piece by piece: prefix, opcode, ModR/M, SIB, displacement, immediate, and what each says.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {EncodingKind, EncodingPart} from '@hyperscope/isa';
import {byContent} from './same-content.js';
import {sharedStyles} from './shared-styles.js';

/** One colour for each kind; the names below the bytes say the same. */
const COLOURS: Readonly<Record<EncodingKind, string>> = {
  prefix: 'var(--vmm)',
  opcode: 'var(--hypervisor)',
  modrm: 'var(--guest-kernel)',
  sib: 'var(--guest-user)',
  displacement: 'var(--device)',
  immediate: 'var(--stealth)',
};

@customElement('hs-encoding')
export class Encoding extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 8px;
        margin: 0;
      }
      div {
        border-top: 3px solid var(--part);
        padding-top: 2px;
        max-width: 100%;
      }
      dt {
        font: var(--code)/1.35 var(--mono);
      }
      dt span {
        font: 600 0.92em var(--sans);
        color: var(--mute);
        margin-inline-start: 4px;
      }
      dd {
        margin: 0;
        font-size: 0.857em;
        line-height: 1.35;
      }
    `,
  ];

  @property(byContent) parts: readonly EncodingPart[] = [];

  override render(): TemplateResult | typeof nothing {
    if (this.parts.length === 0) return nothing;
    return html`<dl>
      ${this.parts.map(
        ({kind, bytes, name, meaning}) =>
          html`<div style=${`--part: ${COLOURS[kind]}`}>
            <dt>${bytes} <span>${name}</span></dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>`;
  }
}
