// A walk of any address through the tables as they are at the playhead: what the guest's tables give, what EPT, nested or shadow
// tables make of it, and who would get the fault where it ends in one.

import {hex} from '@hyperscope/base';

import type {InspectionRequest, WalkContent} from '@hyperscope/trace';
import {HOST_PAGE_TABLES} from '@hyperscope/vmm';
import {shadowPanel} from '../shadow-panel.js';
import {pathOfGva, pathOfHva} from './address-path.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';
import {lookingWalk} from './looking-walk.js';
import type {LookingWalk} from './looking-walk.js';
import {whyNoSpace} from './memory-content.js';
import {physicalReader} from './physical-reader.js';
import {guestContext, hostContext, processorContext} from './translation-context.js';
import type {TranslationContext} from './translation-context.js';

type Access = 'read' | 'write' | 'execute';
const VERB = {read: 'A read', write: 'A write', execute: 'A fetch'} as const;

/** A walk of the guest's tables, or of the host's for a host-virtual address. */
export function walkContent(
  looked: LookedAt,
  {space, address, access}: Omit<Extract<InspectionRequest, {panel: 'walk'}>, 'panel'>,
): Found<WalkContent> {
  const linear = BigInt.asUintN(64, address);
  const why = whyNoSpace(looked.record.header, space);
  if (why !== undefined) return nothing(why);
  return space === 'hva' ? hostWalk(looked, linear, access) : guestWalk(looked, linear, access);
}

function hostWalk({record, state}: LookedAt, address: bigint, access: Access): Found<WalkContent> {
  const walk = lookingWalk(address, access, hostContext(record.header), physicalReader(state));
  const deed = `${VERB[access]} of HVA ${hex(address)} by QEMU or the kernel`;
  const count = walk.references.length;
  return found({
    walk: {kind: 'page-walk', linear: address, access, references: walk.references, outcome: walk.outcome},
    ...pathOfHva(state, address),
    sentences: [
      walk.hostPhysical === undefined
        ? `${deed} would be a page fault of the host’s own: ${walk.why ?? 'not present'}.`
        : `${deed} reaches HPA ${hex(walk.hostPhysical)} through the host’s own page tables, at HPA ${hex(HOST_PAGE_TABLES)}; ${count} table entries are read. The guest knows nothing of them.`,
    ],
    guestPhysical: undefined,
    hostPhysical: walk.hostPhysical,
    shadow: undefined,
  });
}

function guestWalk(looked: LookedAt, address: bigint, access: Access): Found<WalkContent> {
  const {record, state, index} = looked;
  const {header} = record;
  if (header.engine === 'kvm')
    return nothing('KVM’s own tables are not in a recording of real KVM; the guest’s memory view follows the guest’s.');
  const shadow = header.shadowPool === undefined ? undefined : shadowPanel(record, state, index, address);
  // Under shadow paging the processor walks the shadow tables while the guest runs; in root operation the VMCS names them.
  const context = guestContext(header, state) ?? processorContext(header, state);
  if (context.rules === undefined && context.nested === undefined && shadow === undefined)
    return nothing(
      `Paging is off: linear address ${hex(address)} is the physical address ${hex(BigInt.asUintN(32, address))}.`,
    );
  const walk = lookingWalk(address, access, context, physicalReader(state));
  return found({
    walk: {kind: 'page-walk', linear: address, access, references: walk.references, outcome: walk.outcome},
    ...pathOfGva(header, state, address),
    sentences: sentencesOf(walk, access, address, context, shadow !== undefined),
    guestPhysical: shadow?.guestPhysical ?? walk.guestPhysical,
    hostPhysical: walk.hostPhysical,
    shadow,
  });
}

function sentencesOf(
  walk: LookingWalk,
  access: Access,
  linear: bigint,
  {nested}: TranslationContext,
  isShadow: boolean,
): readonly string[] {
  const deed = `${VERB[access]} of ${hex(linear)}`;
  const count = walk.references.length;
  const reads = `${count} table ${count === 1 ? 'entry is' : 'entries are'} read`;
  switch (walk.outcome) {
    case 'mapped':
      return [
        nested === undefined
          ? `${deed} reaches physical address ${hex(walk.hostPhysical ?? 0)}; ${reads}.`
          : `${deed} is guest-physical ${hex(walk.guestPhysical ?? 0)} by the guest’s tables and host-physical ${hex(walk.hostPhysical ?? 0)} by ${nested.kind.toUpperCase()}; ${reads}.`,
      ];
    case 'page-fault':
      return [
        `${deed} ends in a page fault: ${walk.why ?? 'not present'}; ${reads}.`,
        isShadow
          ? 'The shadow tables lack it, so the fault reaches the hypervisor first: a hidden fault if the guest’s own tables have the page, a true one, handed to the guest, if they do not.'
          : nested === undefined
            ? 'It is delivered through the IDT of whoever runs.'
            : 'The guest’s own tables refuse, so the fault is the guest’s own: it is delivered inside the guest, without an exit unless the hypervisor intercepts #PF.',
      ];
    case 'ept-violation':
      return [
        `${deed} is stopped by ${nested?.kind === 'npt' ? 'the nested tables' : 'EPT'}: ${walk.why ?? 'not present'}; ${reads}.`,
        `The guest’s own tables have nothing against it: it leaves the guest by ${nested?.kind === 'npt' ? 'a nested page fault (EXITCODE 400h)' : 'an EPT violation (exit reason 48)'}, and the guest never knows.`,
      ];
    case 'ept-misconfiguration':
      return [`${deed} is stopped by EPT: ${walk.why ?? 'an entry is malformed'} (exit reason 49).`];
  }
}
