// Everything that can be set before a run, in groups, with a search; what was changed is marked and can be set back.

import {sharedStyles} from '@hyperscope/elements';
import type {SwitchGroup, SwitchOffer, Switches} from '@hyperscope/trace';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';

/** What somebody set; all switches that do not stand where they begin. */
export class SwitchesEvent extends CustomEvent<Switches> {
  constructor(switches: Switches) {
    super('hs-switches', {detail: switches, bubbles: true, composed: true});
  }
}

const GROUPS: Readonly<Record<SwitchGroup, {readonly title: string; readonly sentence: string}>> = {
  'break it': {
    title: 'Break it',
    sentence: 'What a hypervisor must not leave out, left out. What happens then is what the guest really gets.',
  },
  'execution controls': {
    title: 'Execution controls',
    sentence: 'What leaves the guest is a choice of its hypervisor’s, bit by bit.',
  },
  technique: {
    title: 'Technique',
    sentence: 'How the hypervisor does its work, where there is more than one right way.',
  },
  processor: {title: 'Processor', sentence: 'What the machine is.'},
  cost: {title: 'Cost', sentence: 'Where the cycles come from.'},
};
const ORDER: readonly SwitchGroup[] = ['break it', 'execution controls', 'technique', 'processor', 'cost'];

const words = (offer: SwitchOffer): string =>
  [offer.id, offer.title, offer.sentence, ...offer.values.flatMap(({title, sentence = ''}) => [title, sentence])]
    .join(' ')
    .toLowerCase();

@customElement('hs-switch-list')
export class SwitchList extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .search {
        display: flex;
        gap: 8px;
        margin-bottom: 10px;
      }
      input {
        flex: 1;
        min-width: 0;
        font: inherit;
        color: inherit;
        background: var(--sunken);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        padding: 5px 8px;
      }
      fieldset {
        border: 0;
        border-top: 1px solid var(--line);
        margin: 0;
        padding: 10px 0 4px;
        min-width: 0;
      }
      legend {
        font-weight: 700;
        padding: 0 8px 0 0;
      }
      .switch {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(9em, 42%);
        gap: 2px 12px;
        align-items: center;
        padding: 6px 8px;
        border-inline-start: 4px solid transparent;
        border-radius: 4px;
      }
      .switch.changed {
        background: var(--hit);
        color: var(--hit-ink);
        border-inline-start-color: var(--hypervisor);
      }
      .title {
        font-weight: 600;
      }
      .switch p {
        grid-column: 1 / -1;
        margin: 0;
        color: var(--mute);
        font-size: 0.93em;
      }
      .switch.changed p {
        color: inherit;
      }
      select {
        color: var(--ink);
        border-radius: 6px;
        padding: revert;
        min-width: 0;
        width: 100%;
      }
    `,
  ];

  @property({attribute: false}) offers: readonly SwitchOffer[] = [];
  @property({attribute: false}) switches: Switches = {};
  @state() private wanted = '';

  override render(): TemplateResult {
    const wanted = this.wanted.trim().toLowerCase();
    const shown = this.offers.filter(offer => wanted === '' || words(offer).includes(wanted));
    const changed = Object.keys(this.switches).length;
    return html`<div class="search">
        <input
          type="search"
          placeholder="Search: HLT, UMIP, write protection…"
          aria-label="Search the switches"
          .value=${this.wanted}
          @input=${this.search}
        />
        <button ?disabled=${changed === 0} @click=${() => this.dispatchEvent(new SwitchesEvent({}))}>
          Back to normal
        </button>
      </div>
      ${shown.length === 0 ? html`<p class="empty">No switch of this machine is about that.</p>` : nothing}
      ${ORDER.map(group => this.group(group, shown))}`;
  }

  /** Puts the keyboard where one begins. */
  focusSearch(): void {
    this.renderRoot.querySelector('input')?.focus();
  }

  private group(group: SwitchGroup, shown: readonly SwitchOffer[]): TemplateResult | typeof nothing {
    const offers = shown.filter(offer => offer.group === group);
    if (offers.length === 0) return nothing;
    const {title, sentence} = GROUPS[group];
    return html`<fieldset>
      <legend>${title}</legend>
      <p class="mute">${sentence}</p>
      ${offers.map(offer => this.switch(offer))}
    </fieldset>`;
  }

  private switch(offer: SwitchOffer): TemplateResult {
    const value = this.switches[offer.id] ?? offer.initial;
    const sentence = offer.values.find(each => each.id === value)?.sentence;
    return html`<div class="switch ${value === offer.initial ? '' : 'changed'}">
      <label class="title" for=${offer.id}>${offer.title}</label>
      <select id=${offer.id} data-switch=${offer.id} aria-describedby="about-${offer.id}" @change=${this.chosen}>
        ${offer.values.map(
          each =>
            html`<option value=${each.id} .selected=${each.id === value}>
              ${each.title}${each.id === offer.initial ? ' (normal)' : ''}
            </option>`,
        )}
      </select>
      <p id="about-${offer.id}">${offer.sentence}${sentence === undefined ? nothing : html` <b>${sentence}</b>`}</p>
    </div>`;
  }

  private readonly search = (event: Event): void => {
    if (event.target instanceof HTMLInputElement) this.wanted = event.target.value;
  };

  private readonly chosen = (event: Event): void => {
    const {target} = event;
    if (!(target instanceof HTMLSelectElement)) return;
    const id = target.dataset['switch'] ?? '';
    const initial = this.offers.find(offer => offer.id === id)?.initial;
    const {[id]: _old, ...others} = this.switches;
    this.dispatchEvent(new SwitchesEvent(target.value === initial ? others : {...others, [id]: target.value}));
  };
}
