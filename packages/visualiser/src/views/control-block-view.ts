// The VMCS or VMCB with the doctor beside it: what VMLAUNCH, VMRESUME or VMRUN would say to it as it stands.

import '@hyperscope/elements/panels';
import {sharedStyles} from '@hyperscope/elements';
import type {Moment} from '@hyperscope/trace';
import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {InspectionDesk, type Inspectable} from '../inspection.js';

@customElement('hs-control-block-view')
export class ControlBlockView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      button {
        min-height: 28px;
        padding: 2px 9px;
        margin-bottom: 8px;
      }
      p {
        margin: 0 0 8px;
      }
    `,
  ];

  @property({attribute: false}) moment: Moment | undefined = undefined;
  @property({attribute: false}) client: Inspectable | undefined = undefined;
  @state() private doctor: 'away' | 'called' = 'away';
  private desk: InspectionDesk | undefined = undefined;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('client') && this.client !== undefined)
      this.desk = new InspectionDesk(this.client, () => this.requestUpdate());
  }

  override render(): TemplateResult {
    const {moment} = this;
    if (moment === undefined) return html`<p class="empty">Nothing runs yet.</p>`;
    const isCalled = this.doctor === 'called';
    return html`${
        moment.vmcs.length === 0
          ? nothing
          : html`<button
              aria-expanded=${isCalled}
              @click=${() => {
                this.doctor = isCalled ? 'away' : 'called';
              }}
            >
              ${isCalled ? 'Hide the checks' : 'Would VM entry succeed now?'}
            </button>`
      }
      ${isCalled && moment.vmcs.length > 0 ? this.checks(moment) : nothing} <hs-vmcs .rows=${moment.vmcs}></hs-vmcs>`;
  }

  private checks(moment: Moment): TemplateResult {
    const {answer, failed} = this.desk?.about(moment, {panel: 'entry-checks'}) ?? {};
    if (failed !== undefined) return html`<p role="alert">This could not be asked: ${failed}</p>`;
    if (answer?.panel !== 'entry-checks') return html`<hs-entry-doctor></hs-entry-doctor>`;
    return answer.content === undefined
      ? html`<p>${answer.why}</p>`
      : html`<hs-entry-doctor .content=${answer.content}></hs-entry-doctor>`;
  }
}
