// The panels beside the stage, as tabs.

import {sharedStyles} from '@hyperscope/elements';
import type {AddressSpace, StageHost} from '@hyperscope/elements';
import type {LookEvent} from '@hyperscope/elements/panels';
import type {Moment} from '@hyperscope/trace';
import {LitElement, html, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {Inspectable} from '../inspection.js';
import type {LabState} from '../lab-state.js';
import {LookedPlaces, type Place} from '../looked-places.js';
import {insteadOfReal} from '../real-comparison.js';
import {firstPlace} from './guest-registers.js';
import type {PlacesEvent} from './inspection-view.js';
import {inspectorStyles} from './inspector-styles.js';
import {TAB_GROUPS, TAB_NAMES, asks, offeredTabs} from './inspector-tabs.js';
import type {AskingTab, Tab} from './inspector-tabs.js';

/** Panels whose elements come with the first load of an asking panel. */
const LOADED_LATE: ReadonlySet<Tab> = new Set(['walk', 'vmcs']);

/** Pixels at the end of the row of tabs that fade out, where the row scrolls. */
const FADE = 18;

export class TabEvent extends CustomEvent<{readonly tab: Tab}> {
  constructor(tab: Tab) {
    super('hs-tab', {detail: {tab}, bubbles: true, composed: true});
  }
}

@customElement('hs-inspector')
export class Inspector extends LitElement {
  static override readonly styles = [sharedStyles, inspectorStyles];

  @property({attribute: false}) state: LabState | undefined = undefined;
  @property() tab: Tab = 'registers';
  /** Whether this technique has a hypervisor: without one there is no VMCS and no exit. */
  @property({type: Boolean}) hypervised = false;
  /** What is under the guest. */
  @property() under: StageHost = 'hardware';
  @property() technique = '';
  /** Who answers the panels that ask. */
  @property({attribute: false}) client: Inspectable | undefined = undefined;
  @state() private places = new LookedPlaces();
  /** The elements of the panels that ask: fetched when one of them is opened. */
  @state() private late: 'unasked' | 'loading' | 'here' | 'failed' = 'unasked';

  /** Large: over the page, for a hall. */
  @property({reflect: true}) size: 'small' | 'large' = 'small';

  constructor() {
    super();
    this.addEventListener('hs-look', event => {
      if (!isLook(event)) return;
      const {space, address, how} = event.detail;
      this.places = how === 'go' ? this.places.go({space, address}) : this.places.scroll({space, address});
    });
    this.addEventListener('hs-places', event => {
      if (event instanceof CustomEvent) this.places = isBack(event) ? this.places.back() : this.places.forward();
    });
  }

  /** Over the whole page, in larger type, for a hall; and back. In the top layer nothing around it cuts it off. */
  toggleSize(): void {
    this.size = this.size === 'large' ? 'small' : 'large';
    if (this.size === 'large') {
      this.popover = 'manual';
      this.showPopover();
      document.addEventListener('keydown', this.shrink, {capture: true});
    } else {
      this.hidePopover();
      this.popover = null;
      document.removeEventListener('keydown', this.shrink, {capture: true});
    }
  }

  /** Opens the panel beside the open one; after the last comes the first. */
  openBeside(by: 1 | -1): void {
    const {tabs, open} = this.offered;
    const tab = tabs[(tabs.indexOf(open) + by + tabs.length) % tabs.length];
    if (tab !== undefined) this.dispatchEvent(new TabEvent(tab));
  }

  /** The panels that make sense now, and the one that is shown. */
  private get offered(): {readonly tabs: readonly Tab[]; readonly open: Tab} {
    const tabs = offeredTabs({
      hasExits: this.hypervised,
      under: this.under,
      hasScreen: this.state?.moment?.screen !== undefined || this.tab === 'screen',
      translates: this.state?.moment?.header.technique === 'binary-translation',
    });
    return {tabs, open: tabs.includes(this.tab) ? this.tab : 'registers'};
  }

  private readonly shrink = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || this.size === 'small') return;
    event.preventDefault();
    event.stopPropagation();
    this.toggleSize();
  };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.shrink, {capture: true});
  }

  /** The place in memory that was looked at last; undefined where nobody has. */
  get looked(): Place | undefined {
    return this.places.current;
  }

  look(place: Place): void {
    this.places = this.places.go(place);
  }

  /** Looks at memory there; the shell opens the tab. */
  follow(space: AddressSpace, address: bigint): void {
    const spaces = {GVA: 'gva', GPA: 'gpa', HVA: 'hva', HPA: 'hpa'} as const;
    this.places = this.places.go({space: spaces[space], address});
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('tab') && (asks(this.tab) || LOADED_LATE.has(this.tab)) && this.late !== 'here') void this.load();
  }

  private async load(): Promise<void> {
    this.late = 'loading';
    try {
      await import('./panels.js');
      this.late = 'here';
    } catch {
      this.late = 'failed';
    }
  }

  override render(): TemplateResult {
    const {tabs, open} = this.offered;
    return html`<div class="bar">
        <div role="tablist" aria-label="Inspector" @keydown=${(event: KeyboardEvent) => this.roam(event, tabs, open)}>
          ${tabs.map(
            tab =>
              html`<button
                role="tab"
                id=${tab}
                aria-selected=${tab === open}
                aria-controls="panel"
                tabindex=${tab === open ? 0 : -1}
                class=${TAB_GROUPS.some(group => group.tabs[0] === tab) ? 'first' : ''}
                @click=${() => this.dispatchEvent(new TabEvent(tab))}
              >
                ${this.nameOf(tab)}
              </button>`,
          )}
        </div>
        ${this.menu(tabs, open)}
        <button
          class="size"
          aria-label=${this.size === 'large' ? 'Inspector as it was' : 'Inspector large'}
          title=${this.size === 'large' ? 'As it was (i)' : 'Large (i)'}
          @click=${() => this.toggleSize()}
        >
          ${this.size === 'large' ? '✕' : '⤢'}
        </button>
      </div>
      <div role="tabpanel" id="panel" aria-labelledby=${open}>${this.panel(open)}</div>`;
  }

  /** All panels by name, for windows in which the row of tabs does not fit. */
  private menu(tabs: readonly Tab[], open: Tab): TemplateResult {
    return html`<label class="all" title="All panels"
      ><span aria-hidden="true">▾</span
      ><select
        aria-label="All panels"
        @change=${(event: Event) => {
          const wanted = event.target instanceof HTMLSelectElement ? event.target.value : '';
          const tab = tabs.find(each => each === wanted);
          if (tab !== undefined) this.dispatchEvent(new TabEvent(tab));
        }}
      >
        ${TAB_GROUPS.map(
          group =>
            html`<optgroup label=${group.title}>
              ${group.tabs
                .filter(tab => tabs.includes(tab))
                .map(tab => html`<option value=${tab} ?selected=${tab === open}>${this.nameOf(tab)}</option>`)}
            </optgroup>`,
        )}
      </select></label
    >`;
  }

  private nameOf(tab: Tab): string {
    return tab === 'vmcs' ? this.controlBlock : TAB_NAMES[tab];
  }

  override firstUpdated(): void {
    const row = this.renderRoot.querySelector('[role=tablist]');
    if (row !== null) new ResizeObserver(() => this.reveal()).observe(row);
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('tab')) this.reveal();
  }

  /** In a row that scrolls, the open tab is in view. */
  private reveal(): void {
    const row = this.renderRoot.querySelector('[role=tablist]');
    const tab = this.renderRoot.querySelector('[aria-selected=true]');
    if (!(row instanceof HTMLElement) || !(tab instanceof HTMLElement)) return;
    const left = tab.offsetLeft - row.offsetLeft;
    const right = left + tab.offsetWidth + FADE;
    if (left < row.scrollLeft) row.scrollLeft = left;
    else if (right > row.scrollLeft + row.clientWidth) row.scrollLeft = right - row.clientWidth;
  }

  /** What the hypervisor keeps its guest in. */
  private get controlBlock(): string {
    const moment = this.state?.moment;
    const isOnSvm = moment?.header.technique.startsWith('svm-') === true;
    return isOnSvm || moment?.vmcs.some(row => row.name === 'EXITCODE') === true ? 'VMCB' : TAB_NAMES.vmcs;
  }

  private panel(tab: Tab): TemplateResult {
    const {state} = this;
    const moment = state?.moment;
    if (state === undefined || moment === undefined) return html`<p class="empty">Nothing runs yet.</p>`;
    if (asks(tab) || LOADED_LATE.has(tab)) {
      if (this.late === 'failed')
        return html`<div class="empty" role="alert">
          This panel could not be loaded. <button @click=${() => void this.load()}>Try again</button>
        </div>`;
      if (this.late !== 'here') return html`<p class="empty" role="status">Loading the panel…</p>`;
    }
    if (asks(tab)) return this.asking(tab, moment);
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
        return html`<hs-control-block-view .moment=${moment} .client=${this.client}></hs-control-block-view>`;
      case 'walk':
        return html`<hs-walk-view .moment=${moment} .client=${this.client} .under=${this.under}></hs-walk-view>`;
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

  private asking(tab: AskingTab, moment: Moment): TemplateResult {
    return html`<hs-inspection
      .tab=${tab}
      .moment=${moment}
      .client=${this.client}
      .under=${this.under}
      .place=${this.places.current ?? firstPlace(moment)}
      ?can-go-back=${this.places.canGoBack}
      ?can-go-forward=${this.places.canGoForward}
    ></hs-inspection>`;
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

/** Events of elements that are loaded later, by their shape. */
const isLook = (event: Event): event is LookEvent => event.type === 'hs-look' && event instanceof CustomEvent;
const isBack = (event: CustomEvent): event is PlacesEvent & {readonly detail: {readonly to: 'back'}} => {
  const {detail}: {readonly detail: unknown} = event;
  return typeof detail === 'object' && detail !== null && 'to' in detail && detail.to === 'back';
};
