// How many entries a cold page walk reads, counted in the events of a run: of the guest's own tables, and of the nested ones
// through which each of those is found. Bhargava and others, ASPLOS 2008: n·m + n + m references with n and m levels.

import type {MachineEvent, WalkReference} from '@hyperscope/machine';
import type {RunObserver} from '@hyperscope/vmm';
import {runBench} from './bench.js';
import type {Bench} from './bench.js';
import {requireGuest} from '../shipped.js';

/** The addresses that the guest page-walks uses, one in a page of each size. */
const PLACES = [
  {page: '4 KiB', linear: 0x40_0000n},
  {page: '2 MiB', linear: 0x60_0000n},
  {page: '1 GiB', linear: 0x1_0060_0000n},
] as const;

export interface WalkCount {
  /** The guest's page: '4 KiB'. */
  readonly page: string;
  /** Entries read of the guest's tables, and of EPT or nested page tables. */
  readonly guest: number;
  readonly nested: number;
  /** Each entry in order: G4 is the guest's level 4, N1 a nested table of level 1. */
  readonly order: readonly string[];
}

class WalkWatcher implements RunObserver {
  readonly ignoresWrites = true;
  readonly last = new Map<bigint, readonly WalkReference[]>();

  willWrite(): void {
    // Nothing is recorded.
  }
  event(event: MachineEvent): void {
    if (event.kind === 'page-walk' && event.outcome === 'mapped') this.last.set(event.linear, event.references);
  }
  hypervisorEvent(): void {
    // Only the processor walks.
  }
}

/** The last walk to each of the addresses; a size that the processor lacks is left out. @throws UserError as `runBench` does. */
export function countWalks(bench: Bench): readonly WalkCount[] {
  const watcher = new WalkWatcher();
  runBench(requireGuest('page-walks'), bench, watcher);
  return PLACES.flatMap(({page, linear}) => {
    const references = watcher.last.get(linear);
    if (references === undefined) return [];
    const guest = references.filter(({table}) => table === 'guest').length;
    const order = references.map(({table, level}) => `${table === 'guest' ? 'G' : 'N'}${level}`);
    return [{page, guest, nested: references.length - guest, order}];
  });
}
