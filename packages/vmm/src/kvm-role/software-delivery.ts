// An event for a guest in real mode, delivered by KVM's own hand: the processor would deliver it through the interrupt
// table of protected mode, which a guest in virtual-8086 mode does not have. Linux, arch/x86/kvm/x86.c:
// kvm_inject_realmode_interrupt.

import {hex} from '@hyperscope/base';
import type {DeliverableEvent} from '@hyperscope/machine';
import {guestEventName} from './guest-event-name.js';
import type {GuestEvent} from './hardware.js';
import type {Host} from './host-context.js';

const NMI_VECTOR = 2;
const TYPES = {
  interrupt: 'external-interrupt',
  nmi: 'NMI',
  exception: 'hardware-exception',
  software: 'software-interrupt',
} as const;

/** FLAGS, CS and IP go on the guest's stack, CS:IP comes from the vector table. */
export function deliverInSoftware(host: Host, event: GuestEvent): string {
  const vector = event.kind === 'nmi' ? NMI_VECTOR : event.vector;
  const rip = host.hardware.get('RIP');
  const returnRip = event.kind === 'software' ? BigInt.asUintN(16, rip + BigInt(event.length)) : rip;
  const deliverable: DeliverableEvent = {type: TYPES[event.kind], vector, errorCode: undefined, returnRip};
  const outcome = host.emulator.deliver(deliverable);
  if (outcome !== 'delivered') {
    host.vcpu.set('triple_fault', 1n);
    return `${guestEventName(event)} cannot be delivered: the guest’s processor shuts down`;
  }
  host.emulator.commit();
  const at = `${hex(host.hardware.get('CS.selector'))}:${hex(host.hardware.get('RIP'))}`;
  return `the guest is in real mode, so ${guestEventName(event)} is delivered in software, through its vector table: on to ${at}`;
}
