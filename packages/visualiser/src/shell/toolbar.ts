// The top bar: which guest, on which machine, real KVM, sharing, presenting, theme and help.

import {THEMES, sharedStyles, type Theme} from '@hyperscope/elements';
import {LitElement, html, nothing, svg, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {whyNotOn} from '../guest-machines.js';
import type {LabState} from '../lab-state.js';
import {toolbarStyles} from './toolbar-styles.js';

export type ToolbarChoice =
  | {readonly kind: 'guest' | 'technique'; readonly id: string}
  | {readonly kind: 'theme'; readonly theme: Theme}
  | {readonly kind: 'compare' | 'open-file' | 'scenarios' | 'switches' | 'real-kvm' | 'share' | 'present' | 'help'};

export class ToolbarEvent extends CustomEvent<ToolbarChoice> {
  constructor(choice: ToolbarChoice) {
    super('hs-toolbar', {detail: choice, bubbles: true, composed: true});
  }
}

const THEME_NAMES: Readonly<Record<Theme, string>> = {
  auto: 'System',
  light: 'Light',
  dark: 'Dark',
  contrast: 'High contrast',
};

type GuestEntries = LabState['catalogue']['guests'];

const groupsOf = (guests: GuestEntries): readonly string[] => [
  ...new Set(guests.flatMap(({group}) => (group === undefined ? [] : [group]))),
];

const guestOptions = (guests: GuestEntries, group: string | undefined, chosen: string): readonly TemplateResult[] =>
  guests
    .filter(guest => guest.group === group)
    .map(
      guest =>
        html`<option value=${guest.id} title=${guest.teaches} ?selected=${guest.id === chosen}>${guest.title}</option>`,
    );

type Techniques = LabState['catalogue']['techniques'];

/** Headings of the machines, in the order of their numbers. */
const HOSTS = [
  ['none', 'Without a hypervisor'],
  ['hardware', 'With VT-x or SVM'],
  ['software', 'In software alone'],
] as const;

/** Each with the key that chooses it. */
const machineOptions = (
  techniques: Techniques,
  host: Techniques[number]['host'],
  {technique: chosen}: LabState,
  whyNot: (technique: Techniques[number]) => string | undefined,
): readonly TemplateResult[] =>
  techniques.flatMap((technique, index) =>
    technique.host === host
      ? [
          html`<option
            value=${technique.id}
            title=${whyNot(technique) ?? technique.summary}
            ?disabled=${whyNot(technique) !== undefined}
            ?selected=${technique.id === chosen}
          >
            ${index < 9 ? `${index + 1} ` : ''}${technique.title}
          </option>`,
        ]
      : [],
  );

/** Outlines in a box of 16 × 16. */
const PICTURES = {
  present: 'M1.5 2.5H14.5V11H1.5zM5 14.5L8 11L11 14.5',
  share: 'M8 10V1.5M4.8 4.6L8 1.5L11.2 4.6M3.5 7.5H2.5V14.5H13.5V7.5H12.5',
  theme: 'M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 0 1 0 13',
} as const;

function picture(name: keyof typeof PICTURES): TemplateResult {
  return html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d=${PICTURES[name]} stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" fill="none"></path>
    ${name === 'theme' ? svg`<path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor"></path>` : nothing}
  </svg>`;
}

/** What the bar shows of the lab; of all else that changes it is not drawn again. */
const SHOWN = ['catalogue', 'guest', 'technique', 'availability', 'real'] as const;

/** A choice that is no guest. */
const OPEN_FILE = 'open a file';

@customElement('hs-toolbar')
export class Toolbar extends LitElement {
  static override readonly styles = [sharedStyles, toolbarStyles];

  @property({
    attribute: false,
    hasChanged: (now: LabState | undefined, was: LabState | undefined) =>
      SHOWN.some(part => now?.[part] !== was?.[part]),
  })
  state: LabState | undefined = undefined;
  @property() theme: Theme = 'auto';

  override render(): TemplateResult {
    const {state} = this;
    if (state === undefined) return html`<header></header>`;
    const {guests, techniques} = state.catalogue;
    const guest = guests.find(entry => entry.id === state.guest);
    const whyNot = (technique: Techniques[number]): string | undefined =>
      guest === undefined ? undefined : whyNotOn(guest, technique, guests);
    return html`<header>
      <h1 class="brand">Hyper<b>scope</b></h1>
      <label class="pick" ?hidden=${guests.length === 0}
        ><span class="word">Guest</span>
        <select aria-label="Guest" @change=${this.guestChosen}>
          ${guestOptions(guests, undefined, state.guest)}
          ${groupsOf(guests).map(
            group => html`<optgroup label=${group}>${guestOptions(guests, group, state.guest)}</optgroup>`,
          )}
          <option
            value=${OPEN_FILE}
            title="A boot sector, a multiboot kernel, a 64-bit ELF file, or assembly; or drop it on the page"
          >
            Open a file…
          </option>
        </select></label
      >
      <label class="pick" ?hidden=${techniques.length === 0}
        ><span class="word">on</span>
        <select aria-label="Machine" @change=${this.machineChosen}>
          ${HOSTS.map(
            ([host, name]) =>
              html`<optgroup label=${name}>${machineOptions(techniques, host, state, whyNot)}</optgroup>`,
          )}
        </select></label
      >
      ${this.kvmButton(state)}
      <button
        @click=${() => this.send({kind: 'compare'})}
        title="This guest on seven machines and real KVM, under one scrubber (c)"
      >
        Compare
      </button>
      <button @click=${() => this.send({kind: 'switches'})} title="Execution controls, options, and what to break (w)">
        Switches
      </button>
      <button
        @click=${() => this.send({kind: 'scenarios'})}
        title="Lectures with predictions, things to break, questions (s)"
      >
        Scenarios
      </button>
      <span class="space"></span>
      <button
        class="named"
        aria-label="Present"
        @click=${() => this.send({kind: 'present'})}
        title="Present: no chrome, large type (p)"
      >
        ${picture('present')}<span class="word">Present</span>
      </button>
      <button
        class="named"
        aria-label="Share"
        @click=${() => this.send({kind: 'share'})}
        title="Share: a link to this moment, HTML for your own page, pictures"
      >
        ${picture('share')}<span class="word">Share</span>
      </button>
      ${this.themeChooser()}
      <button
        aria-label="Help: keys and colours"
        title="Keys and colours (?)"
        @click=${() => this.send({kind: 'help'})}
      >
        ?
      </button>
    </header>`;
  }

  private themeChooser(): TemplateResult {
    return html`<span class="icon" title="Theme: ${THEME_NAMES[this.theme]}"
      >${picture('theme')}<select aria-label="Theme" @change=${this.themeChosen}>
        ${THEMES.map(
          theme => html`<option value=${theme} ?selected=${theme === this.theme}>${THEME_NAMES[theme]}</option>`,
        )}
      </select></span
    >`;
  }

  private kvmButton(state: LabState): TemplateResult {
    const {availability, real} = state;
    const detail =
      real.kind === 'running'
        ? 'running…'
        : availability === undefined
          ? 'asking…'
          : availability.kind === 'live'
            ? availability.flavour
            : 'recording';
    const path =
      availability?.kind === 'live' ? 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z' : 'M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z';
    return html`<button
      class="kvm"
      ?disabled=${real.kind === 'running'}
      @click=${() => this.send({kind: 'real-kvm'})}
      title="Run the same bytes on real KVM and show its exits beside these (k)"
    >
      <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
        <path
          d=${path}
          stroke="var(--device)"
          stroke-width="2"
          fill=${availability?.kind === 'live' ? 'var(--device)' : 'none'}
        ></path></svg
      >Real KVM <small>${detail}</small>
    </button>`;
  }

  private send(choice: ToolbarChoice): void {
    this.dispatchEvent(new ToolbarEvent(choice));
  }

  private readonly guestChosen = (event: Event): void => {
    if (!(event.target instanceof HTMLSelectElement)) return;
    const {value} = event.target;
    if (value !== OPEN_FILE) return this.send({kind: 'guest', id: value});
    // The chooser shows the guest that is open until another one is.
    event.target.value = this.state?.guest ?? '';
    this.send({kind: 'open-file'});
  };

  private readonly machineChosen = (event: Event): void => {
    if (event.target instanceof HTMLSelectElement) this.send({kind: 'technique', id: event.target.value});
  };

  private readonly themeChosen = (event: Event): void => {
    const {target} = event;
    if (!(target instanceof HTMLSelectElement)) return;
    const theme = THEMES.find(name => name === target.value);
    if (theme !== undefined) this.send({kind: 'theme', theme});
  };
}
