// Which guest runs where: a hypervisor needs bare metal, a ported kernel the hypervisor that it is ported to, and that one runs no
// others. Whoever starts a guest asks here first, so that what cannot work is a sentence.

import {UserError} from '@hyperscope/base';
import {GUEST_OUTLINES} from '@hyperscope/guests';
import type {GuestOutline} from '@hyperscope/guests';
import {outlineOfTechnique} from '@hyperscope/vmm';
import type {GuestImage, TechniqueOutline} from '@hyperscope/vmm';

const kernelsOf = (id: string): TechniqueOutline['kernels'] => outlineOfTechnique(id)?.kernels;

/**
 * Whether a shipped guest runs on a technique ('kvm' and other real machines count as ones).
 * @throws UserError 'needs-bare-metal', 'needs-hypercalls' or 'needs-ported-kernel'.
 */
export function requireFit({id, needs}: Pick<GuestOutline, 'id' | 'needs'>, technique: {readonly id: string}): void {
  if (needs?.technique === technique.id) return;
  if (needs?.technique === 'bare')
    throw new UserError(
      'needs-bare-metal',
      `${id} is a hypervisor itself, and a hypervisor under a hypervisor is not simulated. Run it on bare.`,
    );
  if (needs?.technique === 'paravirtual') throw needsHypercalls(id, technique.id, needs.portOf);
  if (kernelsOf(technique.id) === 'ported') throw needsPort(id, technique.id);
}

/**
 * The same for an image of any kind: one that starts as Xen starts a domain, or one that starts on a PC.
 * @throws UserError 'needs-hypercalls' or 'needs-ported-kernel'.
 */
export function requireImageFit(
  image: Pick<GuestImage, 'startedBy'>,
  name: string,
  technique: {readonly id: string},
): void {
  const isPorted = image.startedBy === 'xen';
  if (isPorted && kernelsOf(technique.id) !== 'ported') throw needsHypercalls(name, technique.id, undefined);
  if (!isPorted && kernelsOf(technique.id) === 'ported') throw needsPort(name, technique.id);
}

function needsHypercalls(name: string, technique: string, portOf: string | undefined): UserError {
  const original = portOf === undefined ? '' : `, or ${portOf}, of which it is a port, here`;
  return new UserError(
    'needs-hypercalls',
    `${name} is ported to Xen’s hypercalls, and on ${technique} there is no Xen underneath that would answer them. Run it on paravirtual${original}.`,
  );
}

function needsPort(name: string, technique: string): UserError {
  const ports = GUEST_OUTLINES.flatMap(({id, needs}) =>
    needs?.technique === 'paravirtual' ? [{id, of: needs.portOf}] : [],
  );
  const own = ports.find(({of}) => of === name);
  const hint =
    own === undefined
      ? `Of those that ship there is ${ports.map(({id, of}) => (of === undefined ? id : `${id}, the port of ${of}`)).join('; ')}.`
      : `Run ${own.id}, which is its port.`;
  return new UserError(
    'needs-ported-kernel',
    `${technique} needs a kernel that is ported to its hypercalls, and ${name} was made for a machine of its own. ${hint}`,
  );
}

/** The processor that a guest is made for, where the technique's own will not do. */
export const processorOf = ({needs}: Pick<GuestOutline, 'needs'>): string | undefined =>
  needs?.technique === 'bare' ? needs.processor : undefined;
