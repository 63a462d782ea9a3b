// Which guest runs on which machine: a hypervisor needs the processor for itself, a ported kernel the hypervisor that it is ported to.
// What the choosers offer, and what is opened where a choice does not fit.

import type {GuestEntry, TechniqueEntry} from './lab-client.js';

type Guest = Pick<GuestEntry, 'isHypervisor' | 'only' | 'title'>;
type Machine = Pick<TechniqueEntry, 'id' | 'kernels' | 'title'>;

/** Why a guest does not run on a machine, as a sentence; undefined where it does. `guests` may have one that would. */
export function whyNotOn(guest: Guest, machine: Machine, guests: readonly GuestEntry[]): string | undefined {
  if (guest.only === machine.id) return undefined;
  if (guest.only !== undefined)
    return guest.isHypervisor
      ? 'This guest is a hypervisor itself: it runs on bare metal only.'
      : `This guest’s kernel is ported to hypercalls, and nobody answers them here: it runs under a paravirtualizing hypervisor only.`;
  if (machine.kernels !== 'ported') return undefined;
  const ported = guests.filter(({only}) => only === machine.id).map(({title}) => `“${title}”`);
  return `${machine.title} needs a kernel that is ported to its hypercalls, and ${guest.title} is none. There is ${ported.join(', ')}.`;
}

/** The id of the machine on which a guest is opened that is wanted on another. */
export function machineFor(
  guest: Guest | undefined,
  wanted: string,
  machines: readonly Machine[],
  usual: string,
): string {
  if (guest?.only !== undefined) return guest.only;
  const isForPorts = machines.find(({id}) => id === wanted)?.kernels === 'ported';
  return guest !== undefined && isForPorts ? usual : wanted;
}
