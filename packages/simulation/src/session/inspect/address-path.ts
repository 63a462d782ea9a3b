// The way of an address through all spaces: GVA to GPA by the guest's tables, GPA to HVA by a memory slot, HVA to HPA by the
// host's tables. KVM goes it once for a page and writes the result into EPT, nested or shadow tables, so that the processor need not.

import {gva} from '@hyperscope/base';
import type {PathStation, RecordHeader, WalkContent} from '@hyperscope/trace';
import {HostSpace} from '../host-space.js';
import type {StateView} from '../state-view.js';
import {placeOf} from './memory-content.js';

export type AddressPath = Pick<WalkContent, 'path' | 'end'>;

/** From a guest-virtual address, by the tables and slots as they are at a state. */
export function pathOfGva(
  {technique}: Pick<RecordHeader, 'technique'>,
  state: StateView,
  address: bigint,
): AddressPath {
  const first: PathStation = {space: 'gva', address: gva(address), by: ''};
  if (technique === 'bare' || technique === 'paravirtual') return directPath(technique, state, first);
  const host = HostSpace.of(state);
  if (host?.slots.length === 0)
    return {path: [first], end: 'KVM has not been told of any memory slot yet, so there is no guest to have it'};
  const cells = state.guestCells();
  const isPaging = (cells('CR0') ?? 0n) >> 31n === 1n;
  const gpa = state.guestMemory.translate(cells, address);
  if (gpa === undefined) return {path: [first], end: 'the guest’s own page tables map nothing here'};
  const path = [
    first,
    {space: 'gpa', address: BigInt(gpa), by: isPaging ? 'the guest’s page tables' : 'paging is off'},
  ] as const;
  if (host !== undefined) return throughSlots(host, path, gpa);
  const hpa = state.guestMemory.offsetOf(gpa);
  return hpa === undefined
    ? {path, end: 'the VMM has no memory for this address: a device is there, or nobody'}
    : {
        path: [...path, {space: 'hpa', address: BigInt(hpa), by: 'the VMM’s own map of the guest’s memory'}],
        end: undefined,
      };
}

/** From a host-virtual address. */
export function pathOfHva(state: StateView, address: bigint): AddressPath {
  const first: PathStation = {space: 'hva', address, by: ''};
  const host = HostSpace.of(state);
  if (host === undefined) return {path: [first], end: 'no process of a host has the guest’s memory'};
  const rest = throughHostTables(host, address);
  return {path: [first, ...rest.path], end: rest.end};
}

function throughSlots(host: HostSpace, path: readonly PathStation[], gpa: number): AddressPath {
  const slot = host.slotOf(gpa);
  if (slot === undefined) return {path, end: 'no memory slot has this address: a device is there, or nobody'};
  const rest = throughHostTables(host, slot.hva);
  return {
    path: [...path, {space: 'hva', address: slot.hva, by: `memory slot ${slot.number}`}, ...rest.path],
    end: rest.end,
  };
}

function throughHostTables(host: HostSpace, hva: bigint): AddressPath {
  const hpa = host.translate(hva);
  return hpa === undefined
    ? {path: [], end: 'the host’s page tables map nothing here'}
    : {path: [{space: 'hpa', address: BigInt(hpa), by: 'the host’s page tables'}], end: undefined};
}

/** Where nobody stands between the guest's tables and memory; a hypervisor that is itself the guest may. */
function directPath(technique: string, state: StateView, first: PathStation): AddressPath {
  const {gpa, hpa, missing} = placeOf(state, 'simulated', 'gva', first.address);
  const nested = technique === 'bare' && state.operation === 'non-root' && gpa !== undefined && gpa !== hpa;
  const between: readonly PathStation[] = nested
    ? [{space: 'gpa', address: BigInt(gpa), by: 'the guest’s page tables'}]
    : [];
  if (hpa === undefined) return {path: [first, ...between], end: missing};
  const by = nested
    ? 'EPT or nested tables'
    : technique === 'paravirtual'
      ? 'the guest’s page tables, which hold machine addresses under Xen'
      : (state.cells('CR0') ?? 0n) >> 31n === 1n
        ? 'the page tables'
        : 'paging is off';
  return {path: [first, ...between, {space: 'hpa', address: BigInt(hpa), by}], end: undefined};
}
