// Whether the guest's segments are such that VM entry would accept them. Where not, KVM emulates the guest instruction by
// instruction until they are: between MOV to CR0 and the far jump, or in real mode with segments of protected mode.
// Linux, arch/x86/kvm/vmx/vmx.c: guest_state_valid; SDM vol. 3C, "Checks on Guest Segment Registers".

import {bit, bits, hex} from '@hyperscope/base';
import type {VmxGuestState} from './guest-state.js';

const DATA = ['DS', 'ES', 'FS', 'GS'] as const;
const SEGMENTS = ['CS', 'SS', ...DATA] as const;
type Segment = (typeof SEGMENTS)[number];
const VM = 17;
const PE = 0;
const UNUSABLE = 16;
const V8086_LIMIT = 0xffffn;
const V8086_RIGHTS = 0xf3n;

/** Why VM entry would refuse the guest; undefined where it would not. */
export function whyInvalid(state: VmxGuestState): string | undefined {
  const isReal = !bit(state.get('CR0'), PE);
  if (isReal || bit(state.get('RFLAGS'), VM)) return first(SEGMENTS, name => whyNot8086(state, name));
  return (
    whyNotCode(state) ??
    whyNotStack(state) ??
    first(DATA, name => whyNotData(state, name)) ??
    whyNotSamePrivilege(state)
  );
}

function first<Name>(names: readonly Name[], why: (name: Name) => string | undefined): string | undefined {
  for (const name of names) {
    const found = why(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function whyNot8086(state: VmxGuestState, name: Segment): string | undefined {
  const [selector, base] = [state.get(`${name}.selector`), state.get(`${name}.base`)];
  if (base !== selector << 4n)
    return `virtual-8086 mode wants a base of selector × 16, and ${name} has the base ${hex(base)} with the selector ${hex(selector)}`;
  const limit = state.get(`${name}.limit`);
  if (limit !== V8086_LIMIT) return `virtual-8086 mode wants a limit of FFFFh, and ${name} has ${hex(limit)}`;
  const rights = state.get(`${name}.attributes`) | 0x60n;
  const fixed = name === 'CS' ? (rights & ~0xfn) | 3n : rights;
  return fixed === V8086_RIGHTS
    ? undefined
    : `virtual-8086 mode wants access rights of F3h, and ${name} would have ${hex(fixed)}`;
}

const typeOf = (rights: bigint): number => Number(bits(rights, 3, 0));
const dplOf = (rights: bigint): bigint => bits(rights, 6, 5);
const isPresent = (rights: bigint): boolean => bit(rights, 4) && bit(rights, 7);

function whyNotCode(state: VmxGuestState): string | undefined {
  const rights = state.get('CS.attributes');
  const rpl = state.get('CS.selector') & 3n;
  const type = typeOf(rights);
  if (bit(rights, UNUSABLE) || !isPresent(rights) || ![9, 11, 13, 15].includes(type))
    return `CS has access rights ${hex(rights)}, which are no accessed code segment’s: the far jump that loads one is still to come`;
  const conforming = type >= 13;
  if (conforming ? dplOf(rights) > rpl : dplOf(rights) !== rpl)
    return `CS has DPL ${dplOf(rights)} with a selector of RPL ${rpl}`;
  return undefined;
}

function whyNotStack(state: VmxGuestState): string | undefined {
  const rights = state.get('SS.attributes');
  if (bit(rights, UNUSABLE)) return undefined;
  const rpl = state.get('SS.selector') & 3n;
  if (![3, 7].includes(typeOf(rights)) || !isPresent(rights))
    return `SS has access rights ${hex(rights)}, which are no accessed writable data segment’s`;
  return dplOf(rights) === rpl ? undefined : `SS has DPL ${dplOf(rights)} with a selector of RPL ${rpl}`;
}

function whyNotData(state: VmxGuestState, name: (typeof DATA)[number]): string | undefined {
  const rights = state.get(`${name}.attributes`);
  if (bit(rights, UNUSABLE)) return undefined;
  const type = typeOf(rights);
  const readable = (type & 8) === 0 || (type & 2) !== 0;
  if ((type & 1) === 0 || !readable || !isPresent(rights))
    return `${name} has access rights ${hex(rights)}, which are no accessed readable segment’s`;
  const rpl = state.get(`${name}.selector`) & 3n;
  return type <= 11 && dplOf(rights) < rpl
    ? `${name} has DPL ${dplOf(rights)} with a selector of RPL ${rpl}`
    : undefined;
}

function whyNotSamePrivilege(state: VmxGuestState): string | undefined {
  const [cs, ss] = [state.get('CS.selector') & 3n, state.get('SS.selector') & 3n];
  return cs === ss || bit(state.get('SS.attributes'), UNUSABLE)
    ? undefined
    : `CS has RPL ${cs} and SS has RPL ${ss}: the real-mode selector of one is still there`;
}
