// Addresses carry their space the same way everywhere: a prefix and a tint, GVA and GPA cold, HVA and HPA warm.

import {css, html, type TemplateResult} from 'lit';
import {hex} from '@hyperscope/base';

export type AddressSpace = 'GVA' | 'GPA' | 'HVA' | 'HPA';

/** An address with its space: `GPA 0x1000`. */
export function address(space: AddressSpace, value: bigint | number): TemplateResult {
  return html`<span class="address ${space}"><small>${space}</small> ${hex(value)}</span>`;
}

export const addressStyles = css`
  .address {
    font-family: var(--mono);
    border-radius: 4px;
    padding: 0 4px;
    white-space: nowrap;
  }
  .address small {
    font-size: 0.8em;
    font-weight: 700;
  }
  .GVA {
    background: var(--guest-user-tint);
    color: var(--guest-user-ink);
  }
  .GPA {
    background: var(--guest-kernel-tint);
    color: var(--guest-kernel-ink);
  }
  .HVA {
    background: var(--vmm-tint);
    color: var(--vmm-ink);
  }
  .HPA {
    background: var(--hypervisor-tint);
    color: var(--hypervisor-ink);
  }
`;
