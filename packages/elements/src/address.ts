// Addresses carry their space the same way everywhere: a prefix and a tint, GVA and GPA cold, HVA and HPA warm.

import {css, html, type TemplateResult} from 'lit';
import {hex} from '@hyperscope/base';
import {FollowEvent} from './follow.js';
import type {AddressSpace} from './follow.js';

/** An address with its space, `GPA 0x1000`, which can be followed: it sends FollowEvent. */
export function address(space: AddressSpace, value: bigint | number): TemplateResult {
  return html`<button
    class="address ${space}"
    title="Show memory at this address"
    @click=${(event: Event) => follow(event, space, BigInt(value))}
  >
    <small>${space}</small> ${hex(value)}
  </button>`;
}

/** A value that is an address, without its space's name: for places where the space is plain. */
export function addressValue(space: AddressSpace, value: bigint, text: string | TemplateResult): TemplateResult {
  return html`<button
    class="address bare"
    title="Show memory at this address (${space})"
    @click=${(event: Event) => follow(event, space, value)}
  >
    ${text}
  </button>`;
}

function follow(event: Event, space: AddressSpace, value: bigint): void {
  event.stopPropagation();
  event.target?.dispatchEvent(new FollowEvent(space, value));
}

export const addressStyles = css`
  button.address {
    font: inherit;
    font-family: var(--mono);
    border: 0;
    border-radius: 4px;
    padding: 0 4px;
    min-height: 24px;
    min-width: 24px;
    white-space: nowrap;
    text-decoration: underline dotted;
    text-underline-offset: 3px;
  }
  button.address:hover:not(:disabled) {
    text-decoration-style: solid;
  }
  button.address.bare,
  button.address.bare:hover:not(:disabled) {
    background: none;
    color: inherit;
    padding: 0;
  }
  .address small {
    font-size: max(0.8em, 10px);
    font-weight: 700;
  }
  button.GVA,
  button.GVA:hover:not(:disabled),
  .GVA {
    background: var(--guest-user-tint);
    color: var(--guest-user-ink);
  }
  button.GPA,
  button.GPA:hover:not(:disabled),
  .GPA {
    background: var(--guest-kernel-tint);
    color: var(--guest-kernel-ink);
  }
  button.HVA,
  button.HVA:hover:not(:disabled),
  .HVA {
    background: var(--vmm-tint);
    color: var(--vmm-ink);
  }
  button.HPA,
  button.HPA:hover:not(:disabled),
  .HPA {
    background: var(--hypervisor-tint);
    color: var(--hypervisor-ink);
  }
`;
