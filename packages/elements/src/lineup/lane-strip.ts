// A lane's picture along the guest's progress: below, whether its kernel or its program runs; above, how often it was left there;
// red from the instruction that goes wrong.

import type {LaneStrip} from '@hyperscope/trace';
import {svg, type SVGTemplateResult} from 'lit';

/** Height of the picture in its own units; the width is the number of columns. */
export const STRIP_HEIGHT = 40;
const BASE = 10;

const COLOURS = [
  'var(--guest-kernel)',
  'var(--guest-user)',
  'color-mix(in srgb, var(--mute) 35%, transparent)',
] as const;

/** Stretches of columns in which the same runs. */
function stretches(runs: Uint8Array): readonly {readonly from: number; readonly to: number; readonly what: number}[] {
  const found: {from: number; to: number; what: number}[] = [];
  runs.forEach((what, column) => {
    const last = found.at(-1);
    if (last?.what === what) last.to = column + 1;
    else found.push({from: column, to: column + 1, what});
  });
  return found;
}

/** One path for all bars: columns in which the guest was left, as high as the logarithm of how often. */
function barsOf(exits: Uint32Array, most: number): string {
  const room = STRIP_HEIGHT - BASE - 3;
  const scale = room / Math.log2(1 + Math.max(1, most));
  let path = '';
  exits.forEach((count, column) => {
    if (count > 0)
      path += `M${column + 0.5} ${STRIP_HEIGHT - BASE - 2}v${(-Math.max(4, Math.log2(1 + count) * scale)).toFixed(1)}`;
  });
  return path;
}

/**
 * @param most - exits of the fullest column of all lanes, so that bars can be compared from lane to lane
 * @param wrongFrom - column from which the lane is wrong
 */
export function laneStripShapes(strip: LaneStrip, most: number, wrongFrom: number | undefined): SVGTemplateResult {
  const columns = strip.runs.length;
  return svg`
    ${stretches(strip.runs).map(
      ({from, to, what}) =>
        svg`<rect x=${from} y=${STRIP_HEIGHT - BASE} width=${to - from} height=${BASE} fill=${COLOURS[what] ?? 'none'}></rect>`,
    )}
    <path d=${barsOf(strip.exits, most)} stroke="var(--hypervisor)" stroke-width="1.2" fill="none"></path>
    ${
      wrongFrom === undefined
        ? ''
        : svg`<rect x=${wrongFrom} y="0" width=${Math.max(2, columns - wrongFrom)} height=${STRIP_HEIGHT} fill="var(--bad)" opacity="0.22"></rect>
            <rect x=${wrongFrom} y="0" width="2" height=${STRIP_HEIGHT} fill="var(--bad)"></rect>`
    }`;
}
