// The panels beside the stage, as tabs.

import {sharedStyles} from '@hyperscope/elements';
import type {StageHost} from '@hyperscope/elements';
import {LitElement, css, html, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {LabState} from '../lab-state.js';
import {insteadOfReal} from '../real-comparison.js';

export const TABS = ['registers', 'vmcs', 'walk', 'exits', 'screen', 'real'] as const;
export type Tab = (typeof TABS)[number];

const NAMES: Readonly<Record<Tab, string>> = {
  registers: 'Registers',
  vmcs: 'VMCS',
  walk: 'Page walk',
  exits: 'Exits',
  screen: 'Screen',
  real: 'Real KVM',
};

export class TabEvent extends CustomEvent<{readonly tab: Tab}> {
  constructor(tab: Tab) {
    super('hs-tab', {detail: {tab}, bubbles: true, composed: true});
  }
}

@customElement('hs-inspector')
export class Inspector extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      [role='tablist'] {
        display: flex;
        overflow-x: auto;
        scrollbar-width: none;
        gap: 0;
        border-bottom: 1px solid var(--line);
        margin-bottom: 10px;
        position: sticky;
        top: -12px;
        background: var(--panel);
        z-index: 1;
        padding-top: 2px;
      }
      [role='tab'] {
        border: 0;
        border-bottom: 3px solid transparent;
        border-radius: 0;
        background: none;
        padding: 4px 6px;
        color: var(--mute);
        min-height: 30px;
        font-size: 0.9em;
        white-space: nowrap;
        flex: none;
      }
      @media (max-width: 1400px) {
        [role='tab'] {
          padding: 4px;
          font-size: 0.86em;
        }
      }
      [role='tab'][aria-selected='true'] {
        color: var(--ink);
        border-color: var(--ink);
        font-weight: 650;
      }
      [role='tab']:focus-visible {
        outline-offset: -2px;
      }
    `,
  ];

  @property({attribute: false}) state: LabState | undefined = undefined;
  @property() tab: Tab = 'registers';
  /** Whether this technique has a hypervisor: without one there is no VMCS and no exit. */
  @property({type: Boolean}) hypervised = false;
  /** What is under the guest. */
  @property() under: StageHost = 'hardware';
  @property() technique = '';

  override render(): TemplateResult {
    const hasScreen = this.state?.moment?.screen !== undefined || this.tab === 'screen';
    const tabs = TABS.filter(
      tab => (this.hypervised || (tab !== 'vmcs' && tab !== 'exits')) && (tab !== 'screen' || hasScreen),
    );
    const open = tabs.includes(this.tab) ? this.tab : 'registers';
    return html`<div
        role="tablist"
        aria-label="Inspector"
        @keydown=${(event: KeyboardEvent) => this.roam(event, tabs, open)}
      >
        ${tabs.map(
          tab =>
            html`<button
              role="tab"
              id=${tab}
              aria-selected=${tab === open}
              aria-controls="panel"
              tabindex=${tab === open ? 0 : -1}
              @click=${() => this.dispatchEvent(new TabEvent(tab))}
            >
              ${tab === 'vmcs' ? this.controlBlock : NAMES[tab]}
            </button>`,
        )}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby=${open}>${this.panel(open)}</div>`;
  }

  /** What the hypervisor keeps its guest in. */
  private get controlBlock(): string {
    const moment = this.state?.moment;
    const isOnSvm = moment?.header.technique.startsWith('svm-') === true;
    return isOnSvm || moment?.vmcs.some(row => row.name === 'EXITCODE') === true ? 'VMCB' : NAMES.vmcs;
  }

  private panel(tab: Tab): TemplateResult {
    const {state} = this;
    const moment = state?.moment;
    if (state === undefined || moment === undefined) return html`<p class="empty">Nothing runs yet.</p>`;
    switch (tab) {
      case 'registers':
        return html`<hs-register-file
          .under=${this.under}
          .cells=${moment.header.cells}
          .registers=${moment.registers}
          .previous=${moment.previousRegisters}
          .who=${moment.who}
          .vmcs=${moment.vmcs}
          .vector=${moment.vector}
        ></hs-register-file>`;
      case 'vmcs':
        return html`<hs-vmcs .rows=${moment.vmcs}></hs-vmcs>`;
      case 'walk':
        return moment.shadow === undefined
          ? html`<hs-page-walk .walk=${moment.walk}></hs-page-walk>`
          : html`<hs-shadow-walk .shadow=${moment.shadow}></hs-shadow-walk>
              <p>The processor’s last walk, whoever ran:</p>
              <hs-page-walk .walk=${moment.walk}></hs-page-walk>`;
      case 'exits':
        return html`<hs-exit-table .rows=${state.exits} .index=${moment.index}></hs-exit-table>`;
      case 'screen':
        return html`<hs-text-screen .screen=${moment.screen}></hs-text-screen>`;
      case 'real':
        return html`<hs-real-kvm-view
          .real=${state.real}
          .availability=${state.availability}
          .index=${moment.index}
          .instead=${insteadOfReal(state)}
          technique=${this.technique}
        ></hs-real-kvm-view>`;
    }
  }

  private roam(event: KeyboardEvent, tabs: readonly Tab[], open: Tab): void {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const tab = tabs[(tabs.indexOf(open) + by + tabs.length) % tabs.length];
    if (tab === undefined) return;
    this.dispatchEvent(new TabEvent(tab));
    const button = this.renderRoot.querySelector(`#${tab}`);
    if (button instanceof HTMLElement) button.focus();
  }
}
