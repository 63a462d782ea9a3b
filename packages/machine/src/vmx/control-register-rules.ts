// What VMX does to CR0 and CR4 apart from loading them: bits that entries and exits leave alone, bits that the host owns
// under a running guest, bits that VMX operation requires. SDM vol. 3C, "Guest/Host Masks and Read Shadows for CR0 and
// CR4", "Restrictions on VMX Operation".

import type {VmxCapabilities} from './capabilities.js';
import type {Controls} from './controls.js';

export const EFER_LME = 1n << 8n;
export const EFER_LMA = 1n << 10n;
const CR0_PE_PG = 0x8000_0001n;

/** ET, NW, CD and the reserved bits of CR0 keep their value through VM entries and exits. */
const CR0_KEPT = 0xffff_ffff_7ffa_ffd0n;

export const keptCr0 = (current: bigint, loaded: bigint): bigint => (current & CR0_KEPT) | (loaded & ~CR0_KEPT);

/** What the guest reads: host-owned bits come from the read shadow. */
export const visible = (register: bigint, mask: bigint, shadow: bigint): bigint => (register & ~mask) | (shadow & mask);

/** What a guest's write loads where it does not exit: host-owned bits keep their value. */
export const writable = (register: bigint, mask: bigint, value: bigint): bigint => (register & mask) | (value & ~mask);

/** Bits of CR0 that must be 1; `controls` is undefined in root operation. */
export function requiredCr0(capabilities: VmxCapabilities, controls: Controls | undefined): bigint {
  return controls?.unrestrictedGuest === true ? capabilities.cr0.must & ~CR0_PE_PG : capabilities.cr0.must;
}
