// The page walk: the processor's last one, or of any address that somebody wants walked now, with the guest's tables beside the
// shadow's where there are any, and the fault that connects them in words.

import '@hyperscope/elements/panels';
import {LookEvent} from '@hyperscope/elements/panels';
import {sharedStyles} from '@hyperscope/elements';
import type {StageHost} from '@hyperscope/elements';
import type {Moment} from '@hyperscope/trace';
import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {InspectionDesk, type Inspectable} from '../inspection.js';
import {guestRegisters} from './guest-registers.js';

const ACCESSES = ['read', 'write', 'execute'] as const;
const WALKED = ['gva', 'hva'] as const;
const GUEST_ONLY = ['gva'] as const;

@customElement('hs-walk-view')
export class WalkView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .tools {
        display: flex;
        gap: 6px;
        margin-bottom: 10px;
      }
      hs-address-box {
        flex: 1;
        min-width: 0;
      }
      select {
        background: var(--sunken);
        border-radius: 6px;
        min-height: 28px;
        align-self: start;
        padding: 3px 6px;
      }
      p {
        margin: 0 0 8px;
      }
      .back {
        min-height: 28px;
        padding: 2px 9px;
        margin-bottom: 8px;
      }
    `,
  ];

  @property({attribute: false}) moment: Moment | undefined = undefined;
  @property({attribute: false}) client: Inspectable | undefined = undefined;
  @property() under: StageHost = 'hardware';
  /** The address to walk; the processor's own last walk where nobody asks for one. */
  @state() private wanted: bigint | undefined = undefined;
  @state() private space: 'gva' | 'hva' = 'gva';
  @state() private access: (typeof ACCESSES)[number] = 'read';
  private desk: InspectionDesk | undefined = undefined;
  private faults: InspectionDesk | undefined = undefined;

  constructor() {
    super();
    this.addEventListener('hs-look', event => {
      if (!(event instanceof LookEvent)) return;
      event.stopPropagation();
      this.wanted = event.detail.address;
      this.space = event.detail.space === 'hva' ? 'hva' : 'gva';
    });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('client') || this.client === undefined) return;
    this.desk = new InspectionDesk(this.client, () => this.requestUpdate());
    this.faults = new InspectionDesk(this.client, () => this.requestUpdate());
  }

  override render(): TemplateResult {
    const {moment} = this;
    if (moment === undefined) return html`<p class="empty">Nothing runs yet.</p>`;
    const shown = this.wanted ?? moment.walk?.linear ?? moment.next?.rip ?? 0n;
    return html`<div class="tools">
        <hs-address-box
          verb="Walk"
          .space=${this.space}
          .spaces=${this.under === 'hardware' ? WALKED : GUEST_ONLY}
          .address=${shown}
          .registers=${guestRegisters(moment)}
        ></hs-address-box>
        <select
          aria-label="Kind of access"
          @change=${(event: Event) => {
            const wanted = event.target instanceof HTMLSelectElement ? event.target.value : '';
            this.access = ACCESSES.find(each => each === wanted) ?? 'read';
            this.wanted ??= shown;
          }}
        >
          ${ACCESSES.map(each => html`<option ?selected=${each === this.access}>${each}</option>`)}
        </select>
      </div>
      ${this.wanted === undefined ? html`${this.wayOfLast(moment)} ${this.fault(moment)} ${last(moment)}` : this.walked(moment, this.wanted)}`;
  }

  /** The way of the address that the processor walked last, through the tables as they are now. */
  private wayOfLast(moment: Moment): TemplateResult | typeof nothing {
    const {walk} = moment;
    if (walk === undefined) return nothing;
    const request = {panel: 'walk', space: 'gva', address: walk.linear, access: walk.access} as const;
    const {answer} = this.desk?.about(moment, request) ?? {};
    return answer?.panel !== 'walk' || answer.content === undefined || answer.content.walk.linear !== walk.linear
      ? nothing
      : html`<hs-address-path .content=${answer.content}></hs-address-path>`;
  }

  /** The last access that was refused, and what became of it. */
  private fault(moment: Moment): TemplateResult | typeof nothing {
    const {answer} = this.faults?.about(moment, {panel: 'fault'}) ?? {};
    return answer?.panel !== 'fault' || answer.content === undefined
      ? nothing
      : html`<hs-fault-story .content=${answer.content} .index=${moment.index}></hs-fault-story>`;
  }

  private walked(moment: Moment, address: bigint): TemplateResult {
    const {answer, failed} =
      this.desk?.about(moment, {panel: 'walk', space: this.space, address, access: this.access}) ?? {};
    const back = html`<button
      class="back"
      @click=${() => {
        this.wanted = undefined;
        this.space = 'gva';
      }}
    >
      Show the processor’s last walk
    </button>`;
    if (failed !== undefined)
      return html`<p role="alert">This could not be asked: ${failed}</p>
        ${back}`;
    if (answer?.panel !== 'walk') return html`<p role="status" class="mute">Walking…</p>`;
    if (answer.content === undefined)
      return html`<p>${answer.why}</p>
        ${back}`;
    const {walk, sentences, shadow} = answer.content;
    return html`<hs-address-path .content=${answer.content}></hs-address-path>
      <div role="status">${sentences.map(sentence => html`<p>${sentence}</p>`)}</div>
      ${back} ${shadow === undefined ? nothing : html`<hs-shadow-walk .shadow=${shadow}></hs-shadow-walk>`}
      <hs-page-walk
        .walk=${walk}
        .tables=${this.space === 'hva' ? 'host' : shadow === undefined ? 'guest' : 'shadow'}
      ></hs-page-walk>`;
  }
}

function last(moment: Moment): TemplateResult {
  return moment.shadow === undefined
    ? html`<hs-page-walk .walk=${moment.walk}></hs-page-walk>`
    : html`<hs-shadow-walk .shadow=${moment.shadow}></hs-shadow-walk>
        <p>The processor’s last walk, whoever ran:</p>
        <hs-page-walk .walk=${moment.walk} tables="shadow"></hs-page-walk>`;
}
