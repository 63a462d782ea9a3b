// Bytes at the playhead for the memory view: page by page, because in a linear space each may lie elsewhere or nowhere, with what
// the last step changed and where the registers of the running program point.

import {codeAddress, is64Bit} from '@hyperscope/trace';
import type {CellSource, MemoryContent, MemorySpace, MemoryStretch, RecordHeader} from '@hyperscope/trace';
import {HostSpace, hasHost} from '../host-space.js';
import type {StateView} from '../state-view.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

const PAGE = 4096n;
/** The most bytes of one question. */
export const MOST_BYTES = 4096;

const NO_HOST_MEMORY =
  'A run of real KVM is recorded from user space: it holds the guest’s memory, and not where the host keeps it.';
const NO_HOST = {
  bare: 'There is no host under this guest: on bare metal no process has its memory, and no address is host-virtual.',
  software:
    'This VMM is no process of a host: it has the guest’s memory at host-physical addresses, and no host-virtual ones. Look under VT-x or SVM, where the guest’s memory is QEMU’s.',
} as const;

/** Why a space does not exist in a run; undefined where it does. */
export function whyNoSpace(
  {engine, technique}: Pick<RecordHeader, 'engine' | 'technique'>,
  space: MemorySpace,
): string | undefined {
  if (space !== 'hpa' && space !== 'hva') return undefined;
  if (engine === 'kvm') return NO_HOST_MEMORY;
  if (space === 'hpa' || hasHost(technique)) return undefined;
  return technique === 'bare' ? NO_HOST.bare : NO_HOST.software;
}

/** A stretch of the bank 'memory'. */
export interface WrittenStretch {
  readonly offset: number;
  readonly length: number;
}

/** `written`: what the last step wrote. */
export function memoryContent(
  looked: LookedAt,
  {space, address, length}: {readonly space: MemorySpace; readonly address: bigint; readonly length: number},
  written: readonly WrittenStretch[],
): Found<MemoryContent> {
  const {record, state, before} = looked;
  const why = whyNoSpace(record.header, space);
  if (why !== undefined) return nothing(why);
  const wanted = Math.min(Math.max(Math.trunc(length), 1), MOST_BYTES);
  const from = BigInt.asUintN(64, address);
  const bytes = new Uint8Array(wanted);
  const stretches: MemoryStretch[] = [];
  const changed: number[] = [];
  const rewritten: number[] = [];
  for (let offset = 0; offset < wanted;) {
    const at = BigInt.asUintN(64, from + BigInt(offset));
    const part = Math.min(wanted - offset, Number(PAGE - (at % PAGE)));
    const place = placeOf(state, record.header.engine, space, at);
    stretches.push({offset, length: part, gpa: place.gpa, hva: place.hva, hpa: place.hpa, missing: place.missing});
    if (place.bank !== undefined) {
      const now = state.memory.subarray(place.bank, place.bank + part);
      bytes.set(now, offset);
      const was = before.memory;
      for (let i = 0; i < now.length; i++) {
        const at = place.bank + i;
        if (now[i] !== was[at]) changed.push(offset + i);
        else if (written.some(each => at >= each.offset && at < each.offset + each.length)) rewritten.push(offset + i);
      }
    }
    offset += part;
  }
  return found({space, address: from, bytes, stretches, changed, rewritten, marks: marks(looked, space, from, wanted)});
}

/** The place of an address in the bank 'memory', and what else it is called. */
export interface Place {
  readonly bank: number | undefined;
  readonly gpa: number | undefined;
  readonly hva: bigint | undefined;
  readonly hpa: number | undefined;
  readonly missing: string | undefined;
}

const nowhere = (missing: string, gpa?: number): Place => ({
  bank: undefined,
  gpa,
  hva: undefined,
  hpa: undefined,
  missing,
});

export function placeOf(state: StateView, engine: 'simulated' | 'kvm', space: MemorySpace, address: bigint): Place {
  switch (space) {
    case 'hpa': {
      if (address >= BigInt(state.memory.length)) return nowhere('no memory is installed here');
      return hostPlace(state, Number(address));
    }
    case 'hva': {
      const at = HostSpace.of(state)?.translate(address);
      return at === undefined
        ? nowhere('the host’s page tables map nothing here')
        : {...hostPlace(state, at), hva: address};
    }
    case 'gpa':
      return guestPlace(state, engine, Number(address));
    case 'gva': {
      const physical = state.guestMemory.translate(state.guestCells(), address);
      if (physical === undefined) return nowhere('the guest’s page tables map nothing here');
      const nested = state.guestMemory.physicalOf(state.guestCells(), physical);
      return nested === undefined
        ? nowhere('the nested tables map nothing here', physical)
        : guestPlace(state, engine, nested);
    }
  }
}

function guestPlace(state: StateView, engine: 'simulated' | 'kvm', gpa: number): Place {
  const bank = state.guestMemory.offsetOf(gpa);
  if (bank === undefined || bank >= state.memory.length)
    return nowhere('no memory of the guest’s is here: an access reaches a device, or nobody', gpa);
  if (engine === 'kvm') return {bank, gpa, hva: undefined, hpa: undefined, missing: undefined};
  return {...hostPlace(state, bank), gpa};
}

const hostPlace = (state: StateView, at: number): Place => ({
  bank: at,
  gpa: state.guestMemory.addressOf(at),
  hva: HostSpace.of(state)?.hvaOf(at),
  hpa: at,
  missing: undefined,
});

function marks({state}: LookedAt, space: MemorySpace, from: bigint, length: number): MemoryContent['marks'] {
  if (space !== 'gva') return [];
  const cells = state.guestCells();
  const rip = codeAddress(cells, cells('RIP') ?? 0n);
  const stack = stackAddress(cells);
  return [
    {label: 'RIP', at: rip, bytes: 1},
    {label: 'RSP', at: stack, bytes: 1},
  ].flatMap(({label, at, bytes}) => {
    const offset = at - from;
    return offset >= 0n && offset < BigInt(length) ? [{label, offset: Number(offset), length: bytes}] : [];
  });
}

const stackAddress = (cells: CellSource): bigint =>
  is64Bit(cells)
    ? (cells('RSP') ?? 0n)
    : BigInt.asUintN(32, (cells('SS.base') ?? 0n) + BigInt.asUintN(32, cells('RSP') ?? 0n));
