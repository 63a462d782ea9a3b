// One counter of an 8254: from the moment of loading and the mode follows everything, so nothing happens tick by tick.
// Intel, "8254 Programmable Interval Timer", "Mode Definitions". A new count takes effect at once in every mode; the
// clock pulse that loads it is not modelled.

import type {Level} from './interrupt-line.js';

export interface CounterShape {
  /** 0 interrupt on terminal count · 1 one-shot · 2 rate generator · 3 square wave · 4, 5 strobe */
  readonly mode: number;
  /** 1 to 65,536 (10,000 in BCD). */
  readonly count: number;
  /** What the counter wraps at: 65,536 or 10,000. */
  readonly modulus: number;
}

/** Whether the counter starts by a rising edge of the gate rather than by loading. */
export const startsByGate = (mode: number): boolean => mode === 1 || mode === 5;

/** OUT, `elapsed` ticks after the start. */
export function outputAfter({mode, count}: CounterShape, elapsed: number): Level {
  switch (mode) {
    case 0:
    case 1:
      return elapsed >= count ? 1 : 0;
    case 2:
      return elapsed % count === count - 1 ? 0 : 1;
    case 3:
      return elapsed % count < Math.ceil(count / 2) ? 1 : 0;
    default:
      return elapsed === count ? 0 : 1;
  }
}

/** What the counting element holds. */
export function countAfter({mode, count, modulus}: CounterShape, elapsed: number): number {
  switch (mode) {
    case 2:
      return count - (elapsed % count);
    case 3: {
      // It counts by twos, through the count twice in a period.
      const half = Math.ceil(count / 2);
      const at = elapsed % count;
      const even = count - (count % 2);
      return even - 2 * (at < half ? at : at - half);
    }
    default:
      return (((count - elapsed) % modulus) + modulus) % modulus;
  }
}

/** Ticks from the start to the next rising edge of OUT after `elapsed`; Infinity when there is none. */
export function nextRiseAfter({mode, count}: CounterShape, elapsed: number): number {
  switch (mode) {
    case 0:
    case 1:
      return elapsed < count ? count : Infinity;
    case 2:
    case 3:
      return (Math.floor(elapsed / count) + 1) * count;
    default:
      return elapsed <= count ? count + 1 : Infinity;
  }
}

export const fromBcd = (value: number): number =>
  [12, 8, 4, 0].reduce((sum, shift) => sum * 10 + ((value >> shift) & 0xf), 0);
export const toBcd = (value: number): number =>
  [1000, 100, 10, 1].reduce((sum, unit) => (sum << 4) | (Math.floor(value / unit) % 10), 0);
