// Where translation and the first hardware change places: how cheap an exit must be, and how often a guest may leave. Found by
// running again and again, half the distance each time, and not from a formula.

import type {Generation} from './generations.js';
import {EVEN, runOn} from './paradox.js';
import type {WorkloadId} from './workload-run.js';

/** `round-trip`: cycles of a VM exit and entry, below which VT-x is faster. Or one of the two is faster whatever an exit costs. */
export type RoundTripBreakEven =
  | {readonly kind: 'even'; readonly why: 'nothing exits, and nothing is translated'}
  | {readonly kind: 'round-trip'; readonly cycles: number}
  | {readonly kind: 'translation-wins'; readonly why: 'even where an exit costs nothing'}
  | {readonly kind: 'hardware-wins'; readonly why: 'because nothing exits' | 'however dear an exit is'};

/** The dearest round trip that is tried. */
const DEAREST = 16_000;
/** Cycles between which the search ends. */
const CLOSE = 32;

/** Binary translation and VT-x with shadow page tables, with the model's round trip varied: exit, exception exit and entry alike. */
export function breakEvenRoundTrip(generation: Generation, workload: WorkloadId): RoundTripBreakEven {
  const translated = runOn(generation, 'binary-translation', workload).cycles;
  const hardware = (roundTrip: number): number =>
    runOn(generation, 'vtx-shadow', workload, {costModel: withRoundTrip(generation, roundTrip)}).cycles;
  const free = hardware(0);
  const dearest = hardware(DEAREST);
  if (dearest === free && Math.abs(free / translated - 1) < EVEN)
    return {kind: 'even', why: 'nothing exits, and nothing is translated'};
  if (free > translated) return {kind: 'translation-wins', why: 'even where an exit costs nothing'};
  if (dearest === free) return {kind: 'hardware-wins', why: 'because nothing exits'};
  if (dearest <= translated) return {kind: 'hardware-wins', why: 'however dear an exit is'};
  const cycles = bisect(0, DEAREST, CLOSE, roundTrip => hardware(roundTrip) <= translated);
  return {kind: 'round-trip', cycles};
}

/** The model with a round trip of these cycles, half of them for the exit. */
function withRoundTrip({costModel}: Generation, cycles: number): string {
  const exit = Math.round(cycles / 2);
  return `${costModel},vm-exit=${exit},exception-exit=${exit},vm-entry=${cycles - exit}`;
}

/** From how many exits on translation wins, in a guest whose every system call costs translation more. */
export interface DensityBreakEven {
  /** Of a thousand system calls, so many change a page-table entry and use the page. */
  readonly edits: number;
  /** VM exits of VT-x for each thousand instructions of the guest there. */
  readonly exitsPerThousand: number;
  readonly cycles: {readonly translated: number; readonly hardware: number};
}

/** One of the workload's system calls more or less. */
const ONE_CALL = 5;

/** Undefined where one of the two is faster at both ends. */
export function breakEvenDensity(generation: Generation): DensityBreakEven | undefined {
  const both = (edits: number) => {
    const hardware = runOn(generation, 'vtx-shadow', 'calls', {edits});
    const translated = runOn(generation, 'binary-translation', 'calls', {edits});
    return {hardware, translated};
  };
  const hardwareWins = (edits: number): boolean => {
    const {hardware, translated} = both(edits);
    return hardware.cycles <= translated.cycles;
  };
  if (!hardwareWins(0) || hardwareWins(1000)) return undefined;
  const edits = ONE_CALL * Math.ceil(bisect(0, 1000, ONE_CALL, hardwareWins) / ONE_CALL);
  const {hardware, translated} = both(edits);
  const {instructions} = runOn(generation, 'bare', 'calls', {edits});
  return {
    edits,
    exitsPerThousand: (1000 * hardware.exits) / instructions,
    cycles: {translated: translated.cycles, hardware: hardware.cycles},
  };
}

/** The middle of a stretch no longer than `close`, at whose lower end `holds` does and at whose upper end it does not. */
function bisect(from: number, to: number, close: number, holds: (value: number) => boolean): number {
  let [low, high] = [from, to];
  while (high - low > close) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return Math.round((low + high) / 2);
}
