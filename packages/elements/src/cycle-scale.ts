// Cycles to pixels on a timeline. D3 finds the round numbers of the axis; the map itself is a line, and d3-scale would bring the
// interpolation of colours to the first page for it.

import {ticks} from 'd3';

/** Where a cycle is, in CSS pixels from the left edge. */
export interface CycleScale {
  (cycle: number): number;
  /** The cycle at a place. */
  invert(x: number): number;
  /** The pixels of the first and the last cycle. */
  readonly range: readonly [number, number];
  /** Round cycles in view, about `count` of them. */
  ticks(count: number): readonly number[];
}

/** The scale on which `from` is at the first pixel of the range and `to` at the last; the two cycles differ. */
export function linearScale(from: number, to: number, range: readonly [number, number]): CycleScale {
  const perCycle = (range[1] - range[0]) / (to - from);
  return Object.assign((cycle: number) => range[0] + (cycle - from) * perCycle, {
    invert: (x: number) => from + (x - range[0]) / perCycle,
    range,
    ticks: (count: number) => ticks(from, to, count),
  });
}
