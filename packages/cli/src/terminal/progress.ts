// The moving line of long work: how far, how fast. It is drawn five times a second at most, and only where somebody looks.

import type {Clock} from '@hyperscope/base';
import type {Terminal} from './terminal.js';

const INTERVAL_MS = 200;

export interface Progress {
  /** Says how many units of work are done. */
  update(done: number): void;
  /** Removes the line. */
  end(): void;
}

/** `1234567` → `1.2 M`. */
export function short(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 1e4) return `${(count / 1e3).toFixed(0)} k`;
  return count.toString();
}

/** A progress line for work in `unit` ('instructions'); `total` is undefined where nobody knows. */
export function progress(terminal: Terminal, clock: Clock, unit: string, total: number | undefined): Progress {
  const started = clock.now();
  let drawn = started;
  return {
    update: done => {
      const now = clock.now();
      if (now - drawn < INTERVAL_MS) return;
      drawn = now;
      const speed = `${short(Math.round((done * 1000) / (now - started)))}/s`;
      const bar = total === undefined ? '' : `${gauge(done / total)} `;
      terminal.status(`${bar}${short(done)} ${unit}, ${speed}`);
    },
    end: () => terminal.status(''),
  };
}

/** `[######······]` for a share between 0 and 1. */
function gauge(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 20);
  return `[${'#'.repeat(full)}${'·'.repeat(20 - full)}] ${Math.floor(share * 100)} %`;
}
