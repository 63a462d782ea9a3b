// Shadow paging at a moment, for the page walk's picture: the guest's own tables beside the tables that the processor walks,
// for the address that the shadow MMU was last concerned with, and how often it did what since the start of the run.

import {hpa} from '@hyperscope/base';
import {VIDEO_TEXT, featuresOf, profileById} from '@hyperscope/machine';
import {ShadowView} from '@hyperscope/vmm';
import type {Backing, GuestTables, ShadowRootSize} from '@hyperscope/vmm';
import {placeOfMachine} from '@hyperscope/trace';
import type {CellSource, Moment, RunRecord} from '@hyperscope/trace';
import type {StateView} from './state-view.js';

const PAGE = 4096;
/** What ShadowPool needs at the least. */
const LEAST_POOL = 32 * PAGE;
const USER_RING = 3n;
/** How far back an event is looked for that names an address. */
const MOST_EVENTS = 5000;
const PDPTES = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;

/** Undefined where the technique has no shadow MMU, or it has not given out a root yet. `wanted`: an address in the place of the last one. */
export function shadowPanel(record: RunRecord, state: StateView, index: number, wanted?: bigint): Moment['shadow'] {
  const view = viewOf(record, state);
  if (view === undefined) return undefined;
  const cells = state.guestCells();
  const linear = wanted ?? lastAddress(record, index) ?? cells('RIP') ?? 0n;
  const half = (cells('CPL') ?? 0n) === USER_RING ? 'user' : 'kernel';
  const comparison = view.compare(linear, half, guestTables(record, state, cells));
  if (comparison === undefined) return undefined;
  return {...comparison, statistics: view.statistics(), pages: view.pages};
}

/** What the shadow of each address space takes at a moment; empty where there is no shadow MMU. */
export const shadowRoots = (record: RunRecord, state: StateView): readonly ShadowRootSize[] =>
  viewOf(record, state)?.roots() ?? [];

function viewOf(record: RunRecord, state: StateView): ShadowView | undefined {
  const pool = placeOfMachine(record.header, state.machine).shadowPool;
  if (pool === undefined || !isPool(pool, state.memory.length)) return undefined;
  const memory = new DataView(state.memory.buffer, state.memory.byteOffset, state.memory.length);
  // A record may come from anywhere: what it says about places in memory is not believed.
  const read = (at: number, bytes: 4 | 8): bigint =>
    at + bytes > memory.byteLength
      ? 0n
      : bytes === 8
        ? memory.getBigUint64(at, true)
        : BigInt(memory.getUint32(at, true));
  return new ShadowView({start: hpa(pool.start), end: hpa(pool.end)}, read);
}

const isPool = ({start, end}: {readonly start: number; readonly end: number}, size: number): boolean =>
  start % PAGE === 0 && end % PAGE === 0 && end <= size && end - start >= LEAST_POOL;

/** The address that the shadow MMU was last concerned with, or will be: that of a page fault it has not answered yet. */
function lastAddress({events}: RunRecord, index: number): bigint | undefined {
  const end = events.firstAt(index);
  for (let at = end - 1; at >= Math.max(0, end - MOST_EVENTS); at--) {
    const event = events.at(at);
    if (event?.kind === 'shadow-paging' && event.linear !== undefined) return event.linear;
    if (event?.kind === 'page-walk' && event.outcome === 'page-fault') return event.linear;
  }
  return undefined;
}

function guestTables({header}: RunRecord, state: StateView, cells: CellSource): GuestTables {
  const profile = profileById(header.machine?.profile ?? '');
  const features = profile === undefined ? undefined : featuresOf(profile);
  return {
    paging: {
      cr0: cells('CR0') ?? 0n,
      cr3: cells('CR3') ?? 0n,
      cr4: cells('CR4') ?? 0n,
      efer: cells('EFER') ?? 0n,
      pdptes: PDPTES.map(cell => cells(cell) ?? 0n),
    },
    // A processor that is put together by hand is taken for one that reserves nothing: what is shown then is what is there.
    features: {
      physicalAddressBits: profile?.physicalAddressBits ?? 52,
      gigabytePages: features?.gigabytePages ?? true,
      pse36: features?.pse36 ?? true,
    },
    backing: (at): Backing => {
      const host = isVideo(at) ? undefined : state.guestMemory.offsetOf(at);
      if (host === undefined) return {kind: 'device'};
      return {kind: at < (header.machine?.memoryBytes ?? 0) ? 'ram' : 'read-only', host: hpa(host)};
    },
  };
}

/** The video card's memory can be looked at in the record, but no memory slot covers it. */
const isVideo = (at: number): boolean => at >= VIDEO_TEXT.start && at < VIDEO_TEXT.end;
