// The panels that ask the session: each shows what the state at the playhead holds, as far as the answer has come. This module and
// the elements that it needs are loaded when the first of them is opened.

import '@hyperscope/elements/panels';
import {AskWriterEvent, FragmentEvent, SPACES} from '@hyperscope/elements/panels';
import {sharedStyles} from '@hyperscope/elements';
import type {StageHost} from '@hyperscope/elements';
import {MOST_REPLAYED_STEPS} from '@hyperscope/trace';
import type {Inspection, InspectionContents, InspectionPanel, InspectionRequest, Moment} from '@hyperscope/trace';
import {LitElement, css, html, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {InspectionDesk, type Inspectable} from '../inspection.js';
import type {Place} from '../looked-places.js';
import {guestRegisters} from './guest-registers.js';
import type {AskingTab} from './inspector-tabs.js';

/** Bytes of memory on the screen: sixteen rows of sixteen, or thirty-two of eight. */
const WINDOW = 256;
const ROW = 16n;
/** Where no process has the guest's memory, no address is host-virtual. */
const WITHOUT_HOST = SPACES.filter(space => space !== 'hva');

/** Back or forward over the places that were looked at. */
export class PlacesEvent extends CustomEvent<{readonly to: 'back' | 'forward'}> {
  constructor(to: 'back' | 'forward') {
    super('hs-places', {detail: {to}, bubbles: true, composed: true});
  }
}

@customElement('hs-inspection')
export class InspectionView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .places {
        display: flex;
        gap: 6px;
        margin-bottom: 8px;
      }
      .places button {
        min-height: 28px;
        padding: 2px 9px;
      }
      @media (max-width: 1199px) {
        .places {
          gap: 4px;
        }
        .places button {
          padding: 2px 5px;
        }
      }
      hs-address-box {
        flex: 1;
        min-width: 0;
      }
    `,
  ];

  @property() tab: AskingTab = 'memory';
  @property({attribute: false}) moment: Moment | undefined = undefined;
  @property({attribute: false}) client: Inspectable | undefined = undefined;
  @property() under: StageHost = 'hardware';
  /** Where the memory view looks. */
  @property({attribute: false}) place: Place = {space: 'gva', address: 0n};
  @property({type: Boolean, attribute: 'can-go-back'}) canGoBack = false;
  @property({type: Boolean, attribute: 'can-go-forward'}) canGoForward = false;
  /** The first byte on the screen; moved only when the chosen byte leaves the window. */
  @state() private from = 0n;
  /** The byte that was asked about. */
  @state() private asked: Place | undefined = undefined;
  /** The block of the translation cache that was chosen; the one that runs where none was. */
  @state() private fragment: bigint | undefined = undefined;
  private desk: InspectionDesk | undefined = undefined;
  private writers: InspectionDesk | undefined = undefined;
  private replays: InspectionDesk | undefined = undefined;
  /** The state at which hits were asked to be counted over more than a step. */
  @state() private counted: number | undefined = undefined;

  constructor() {
    super();
    this.addEventListener('hs-fragment', event => {
      if (event instanceof FragmentEvent) this.fragment = event.detail.at;
    });
    this.addEventListener('hs-count-lookups', () => {
      this.counted = this.moment?.index;
    });
    this.addEventListener('hs-ask-writer', event => {
      if (event instanceof AskWriterEvent) this.asked = {space: this.place.space, address: event.detail.address};
    });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    // A step shows where the processor is again.
    if (changed.has('moment') && changed.get('moment')?.index !== this.moment?.index) this.fragment = undefined;
    if (changed.has('client') && this.client !== undefined) {
      const redraw = (): void => this.requestUpdate();
      this.desk = new InspectionDesk(this.client, redraw);
      this.writers = new InspectionDesk(this.client, redraw);
      this.replays = new InspectionDesk(this.client, redraw);
    }
    if (changed.has('place')) {
      this.from = windowFor(this.place, changed.get('place'), this.from);
      if (this.asked?.address !== this.place.address) this.asked = undefined;
    }
  }

  override render(): TemplateResult {
    const {moment, tab} = this;
    if (moment === undefined) return html`<p class="empty">Nothing runs yet.</p>`;
    switch (tab) {
      case 'memory':
        return this.memory(moment);
      case 'descriptors':
        return this.panel(
          moment,
          {panel: tab},
          content => html`<hs-descriptor-tables .content=${content}></hs-descriptor-tables>`,
        );
      case 'tlb':
        return html`${this.lookups(moment)}
        ${this.panel(moment, {panel: tab}, content => html`<hs-tlb .content=${content}></hs-tlb>`)}`;
      case 'devices':
        return this.panel(moment, {panel: tab}, content => html`<hs-devices .devices=${content}></hs-devices>`);
      case 'kvm-run':
        return this.panel(moment, {panel: tab}, content => html`<hs-kvm-run .content=${content}></hs-kvm-run>`);
      case 'statistics':
        return html`${this.panel(
          moment,
          {panel: tab},
          content => html`<hs-statistics .content=${content} .under=${this.under}></hs-statistics>`,
        )}
        ${this.lookups(moment)}`;
      case 'translation':
        return this.panel(
          moment,
          {panel: tab, at: this.fragment},
          content => html`<hs-translation-cache .content=${content}></hs-translation-cache>`,
        );
      case 'vcpu':
        return this.panel(moment, {panel: tab}, content => html`<hs-virtual-cpu .content=${content}></hs-virtual-cpu>`);
    }
  }

  /** What the TLB answered in the last step, or in as many as were asked for at this state. */
  private lookups(moment: Moment): TemplateResult {
    const steps = this.counted === moment.index ? MOST_REPLAYED_STEPS : 1;
    const {answer, failed} = this.replays?.about(moment, {panel: 'lookups', steps}) ?? {};
    const told = answer?.panel === 'lookups' && answer.index === moment.index ? answer : undefined;
    return html`<hs-tlb-lookups
      .content=${told?.content}
      .why=${failed ?? (told === undefined || told.content !== undefined ? '' : told.why)}
      .most=${Math.min(MOST_REPLAYED_STEPS, Math.max(1, moment.index))}
    ></hs-tlb-lookups>`;
  }

  /** What is known of a panel, why there is nothing, or what went wrong. */
  private panel<P extends InspectionPanel>(
    moment: Moment,
    request: InspectionRequest & {readonly panel: P},
    draw: (content: InspectionContents[P] | undefined) => TemplateResult,
  ): TemplateResult {
    const {answer, failed} = this.desk?.about(moment, request) ?? {answer: undefined, failed: undefined};
    if (failed !== undefined)
      return html`<p class="empty" role="alert">This could not be asked: ${failed} Step once, or reload the page.</p>`;
    if (answer === undefined) return draw(undefined);
    if (answer.content === undefined) return html`<p class="empty">${answer.why}</p>`;
    return isAbout(answer, request.panel) ? draw(answer.content) : draw(undefined);
  }

  private memory(moment: Moment): TemplateResult {
    const {space, address} = this.place;
    const request = {panel: 'memory', space, address: this.from, length: WINDOW} as const;
    return html`<div class="places">
        <button
          ?disabled=${!this.canGoBack}
          aria-label="Back"
          title="Back to where you looked"
          @click=${() => this.dispatchEvent(new PlacesEvent('back'))}
        >
          ‹
        </button>
        <button
          ?disabled=${!this.canGoForward}
          aria-label="Forward"
          title="Forward"
          @click=${() => this.dispatchEvent(new PlacesEvent('forward'))}
        >
          ›
        </button>
        <hs-address-box
          .space=${space}
          .spaces=${this.under === 'hardware' || space === 'hva' ? SPACES : WITHOUT_HOST}
          .address=${address}
          .registers=${guestRegisters(moment)}
        ></hs-address-box>
      </div>
      ${this.panel(moment, request, content => {
        const asked = this.asked === undefined ? undefined : this.askWriter(moment, this.asked);
        return html`<hs-memory
          .memory=${content}
          .selected=${address}
          .writer=${asked?.writer}
          .noWriter=${asked?.why ?? ''}
        ></hs-memory>`;
      })}`;
  }

  private askWriter(
    moment: Moment,
    {space, address}: Place,
  ): {readonly writer: InspectionContents['writer'] | undefined; readonly why: string} {
    const {answer, failed} = this.writers?.about(moment, {panel: 'writer', space, address}) ?? {};
    if (failed !== undefined) return {writer: undefined, why: `This could not be asked: ${failed}`};
    if (answer?.panel !== 'writer') return {writer: undefined, why: ''};
    return answer.content === undefined ? {writer: undefined, why: answer.why} : {writer: answer.content, why: ''};
  }
}

const isAbout = <P extends InspectionPanel>(
  answer: Inspection,
  panel: P,
): answer is Inspection & {readonly content: InspectionContents[P]} =>
  answer.panel === panel && answer.content !== undefined;

/** The window stays while the chosen byte is in it; one that leaves it by a row moves it by a row. */
function windowFor(place: Place, before: Place | undefined, from: bigint): bigint {
  const top = (1n << 64n) - BigInt(WINDOW);
  const start = place.address - (place.address % ROW);
  const limited = (address: bigint): bigint => (address < 0n ? 0n : address > top ? top : address);
  if (before?.space !== place.space) return limited(start);
  if (place.address >= from && place.address < from + BigInt(WINDOW)) return from;
  const below = place.address - (from + BigInt(WINDOW));
  if (below >= 0n && below < 2n * ROW) return limited(start - BigInt(WINDOW) + ROW);
  return limited(start);
}
