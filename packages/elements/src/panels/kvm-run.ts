// struct kvm_run as user space sees it: the shared page, field by field at its offset, filled when KVM_RUN came back.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles} from '../address.js';
import {sharedStyles} from '../shared-styles.js';
import './ioctl-loop.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['kvm-run'];
type Page = NonNullable<Content['page']>;

@customElement('hs-kvm-run')
export class KvmRunView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    panelStyles,
    css`
      .page {
        border-inline-start: 5px solid var(--vmm);
        padding-inline-start: 10px;
      }
      .spent td,
      .spent th {
        color: var(--mute);
      }
      .exit {
        background: var(--vmm-tint);
        color: var(--vmm-ink);
      }
      .name {
        overflow-wrap: break-word;
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Asking for kvm_run…</p>`;
    const {loop, page} = content;
    return html`${loop === undefined ? nothing : html`<hs-ioctl-loop .loop=${loop}></hs-ioctl-loop>`}
    ${
      page === undefined
        ? html`<p class="empty">KVM_RUN has not returned yet: user space has read nothing out of kvm_run so far.</p>`
        : this.page(page)
    }`;
  }

  private page(content: Page): TemplateResult {
    return html`<h3>The page they share</h3>
      <p>${content.sentence}</p>
      ${
        content.at === undefined
          ? nothing
          : html`<p>
              The page is ${address('HVA', content.at.hva)} in QEMU’s address space and
              ${address('HPA', content.at.hpa)} in memory, where KVM writes it.
            </p>`
      }
      <div class="page scroll" tabindex="0" role="region" aria-label="struct kvm_run">
        <table class=${content.spent ? 'spent' : ''}>
          <caption class="visually-hidden">
            struct kvm_run, as KVM_RUN left it in step ${content.step + 1}
          </caption>
          <thead>
            <tr>
              <th scope="col">offset</th>
              <th scope="col">field</th>
              <th scope="col">value</th>
            </tr>
          </thead>
          <tbody>
            ${content.rows.map(
              row =>
                html`<tr>
                  <td class="mono number">${row.offset}<span class="words"> :${row.size}</span></td>
                  <th scope="row" class="mono name">${row.name}</th>
                  <td>
                    <span class="mono ${row.from === 'exit' && !content.spent ? 'exit' : ''}">${row.value}</span>
                    ${row.meaning === '' ? nothing : html`<span class="words"> ${row.meaning}</span>`}
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="words">
        KVM and its user space share this page, so an exit costs no copying. Offsets and sizes in bytes; tinted: what
        this exit wrote. Fields from byte 32 on are a union: the exit reason says which member counts.
      </p>`;
  }
}
