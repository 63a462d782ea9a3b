// Who can have the processor, in the order in which columns number them. The list belongs to vmm; a record may import
// only types from there, so that a page which shows records does not load hypervisors.

import type {Actor} from '@hyperscope/vmm';
import {keysOf} from '@hyperscope/base';

/** A key for each actor: leaving one out, or adding one that vmm does not know, does not compile. */
const ACTOR_NUMBERS = {
  'guest-user': 0,
  'guest-kernel': 1,
  hypervisor: 2,
  vmm: 3,
  device: 4,
} as const satisfies Readonly<Record<Actor, number>>;

/** The same order as ACTORS of vmm. */
export const ACTOR_ORDER: readonly Actor[] = keysOf(ACTOR_NUMBERS);

/** What each actor is called in a sentence. */
export const ACTOR_NAMES: Readonly<Record<Actor, string>> = {
  'guest-user': 'the guest program',
  'guest-kernel': 'the guest kernel',
  hypervisor: 'the hypervisor (the KVM role)',
  vmm: 'the user-space VMM (the QEMU role)',
  device: 'a device',
};
