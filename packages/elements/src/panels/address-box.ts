// Where to look: a space, an address as text, and what is wrong with it. Sends LookEvent.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {hex} from '@hyperscope/base';
import type {MemorySpace} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {readAddress} from './address-text.js';
import {SPACES, SPACE_NAMES} from './space-names.js';

/** Asks for another place. A 'go' is a place to come back to, a 'scroll' is not. */
export class LookEvent extends CustomEvent<{
  readonly space: MemorySpace;
  readonly address: bigint;
  readonly how: 'go' | 'scroll';
}> {
  constructor(space: MemorySpace, address: bigint, how: 'go' | 'scroll') {
    super('hs-look', {detail: {space, address, how}, bubbles: true, composed: true});
  }
}

@customElement('hs-address-box')
export class AddressBox extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      form {
        display: flex;
        gap: 6px;
      }
      select,
      input {
        font: inherit;
        font-family: var(--mono);
        color: inherit;
        background: var(--sunken);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        padding: 3px 6px;
        min-width: 0;
        min-height: 28px;
      }
      input {
        flex: 1;
        width: 8em;
      }
      .gva {
        background: var(--guest-user-tint);
        color: var(--guest-user-ink);
      }
      .gpa {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
      }
      .hva {
        background: var(--vmm-tint);
        color: var(--vmm-ink);
      }
      .hpa {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      button {
        min-height: 28px;
        padding: 2px 10px;
      }
      .trouble {
        color: var(--bad);
        margin: 4px 0 0;
        font-size: 0.92em;
      }
    `,
  ];

  @property() space: MemorySpace = 'gva';
  @property({attribute: false}) address = 0n;
  /** What the button does. */
  @property() verb = 'Show';
  /** Spaces to choose from; with one there is nothing to choose. */
  @property({attribute: false}) spaces: readonly MemorySpace[] = SPACES;
  /** Registers that can be named, in capitals. */
  @property({attribute: false}) registers: ReadonlyMap<string, bigint> = new Map();
  @state() private trouble = '';

  override render(): TemplateResult {
    return html`<form @submit=${(event: SubmitEvent) => this.submit(event)}>
        <select
          class=${this.space}
          aria-label="Address space"
          @change=${(event: Event) => {
            const wanted = event.target instanceof HTMLSelectElement ? event.target.value : '';
            const space = this.spaces.find(each => each === wanted);
            if (space !== undefined) this.dispatchEvent(new LookEvent(space, this.address, 'go'));
          }}
        >
          ${SPACES.filter(space => this.spaces.includes(space)).map(
            space => html`<option value=${space} ?selected=${space === this.space}>${SPACE_NAMES[space]}</option>`,
          )}
        </select>
        <input
          aria-label="Address"
          autocomplete="off"
          spellcheck="false"
          aria-invalid=${this.trouble === '' ? 'false' : 'true'}
          aria-describedby="trouble"
          .value=${hex(this.address)}
          @input=${() => {
            this.trouble = '';
          }}
        />
        <button>${this.verb}</button>
      </form>
      <div id="trouble" role="alert">
        ${this.trouble === '' ? nothing : html`<p class="trouble">${this.trouble}</p>`}
      </div>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector('input');
    const answer = readAddress(input?.value ?? '', this.registers);
    if (answer.kind === 'trouble') this.trouble = answer.why;
    else this.dispatchEvent(new LookEvent(this.space, answer.address, 'go'));
  }
}
