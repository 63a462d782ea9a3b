// What a user-space VMM does with KVM: three files, each made by an ioctl on the one before, the calls on each, and which exits of the
// guest came up to it and which stayed below.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {IoctlLoop} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type File = IoctlLoop['files'][number];

const WORDS: Readonly<Record<File['level'], string>> = {
  system: 'the whole of KVM',
  VM: 'one virtual machine',
  vCPU: 'one virtual CPU',
};

@customElement('hs-ioctl-loop')
export class IoctlLoopView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      ol,
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .file {
        border-inline-start: 5px solid var(--hypervisor);
        padding: 2px 0 4px 10px;
        margin-block-end: 4px;
      }
      .file:nth-child(2) {
        margin-inline-start: 14px;
      }
      .file:nth-child(3) {
        margin-inline-start: 28px;
      }
      .absent {
        border-inline-start-style: dashed;
        color: var(--mute);
      }
      li li {
        display: flex;
        flex-wrap: wrap;
        gap: 0 8px;
        padding: 0 6px;
      }
      .now {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
        font-weight: 700;
      }
    `,
  ];

  @property({attribute: false}) loop: IoctlLoop | undefined = undefined;

  override render(): TemplateResult {
    const {loop} = this;
    if (loop === undefined) return html`<p class="empty">This recording does not tell which ioctls were called.</p>`;
    return html`<h3>Files, and what is asked on each</h3>
      <ol>
        ${loop.files.map(file => html`<li class=${file.isThere ? 'file' : 'file absent'}>${this.file(file)}</li>`)}
      </ol>
      <p>${exitsSentence(loop.answered)}</p>`;
  }

  private file({level, name, madeBy, isThere, calls}: File): TemplateResult {
    const origin = madeBy === undefined ? 'opened' : isThere ? `from ${madeBy}` : `not there before ${madeBy}`;
    return html`<div><b>${level}</b> <code>${name}</code> <span class="words">${WORDS[level]}, ${origin}</span></div>
      <ul>
        ${calls.map(
          call =>
            html`<li class=${call.isUnderWay ? 'now' : ''}>
              <code>${call.name}</code>
              ${call.count === 1 ? nothing : html`<span>× ${call.count.toLocaleString('en')}</span>`}
              <span class="words">${call.isUnderWay ? 'under way' : `step ${call.last + 1}`}</span>
            </li>`,
        )}
      </ul>`;
  }
}

function exitsSentence(answered: IoctlLoop['answered']): string {
  if (answered === undefined)
    return 'How many exits of the guest KVM answered itself is not known: this is a recording of user space, which does not hear of them.';
  const {kvm, userSpace} = answered;
  const all = kvm + userSpace;
  if (all === 0) return 'The guest has not been left yet.';
  const share = `${Math.round((100 * kvm) / all)} %`;
  return `Of ${all.toLocaleString('en')} exits of the guest KVM has answered ${kvm.toLocaleString('en')} itself (${share}): user space never heard of them. ${userSpace.toLocaleString('en')} came up to it.`;
}
