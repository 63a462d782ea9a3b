// Where things are on the stage: two ring diagrams in a box of 1000 × 402, or one in the middle for bare metal.

import type {Place} from './stage-picture.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Outer radii of ring 0 to ring 3. */
export const RING_RADII = [78, 104, 130, 182] as const;
export const VIEW = {width: 1000, height: 402} as const;
export const HOST: Point = {x: 188, y: 214};
export const GUEST: Point = {x: 812, y: 214};
export const ALONE: Point = {x: 500, y: 214};

const degrees = (angle: number): number => (angle * Math.PI) / 180;

/** The centre of the diagram that a place belongs to. */
export function centreOf(place: Place, hypervised: boolean): Point {
  if (!hypervised) return ALONE;
  return place.operation === 'non-root' ? GUEST : HOST;
}

/** Where the token stands: low in ring 0, under its names; else in the ring's band, below on the left. */
export function standOf(place: Place, hypervised: boolean): Point {
  const centre = centreOf(place, hypervised);
  if (place.ring === 0) return {x: centre.x, y: centre.y + 32};
  const inner = RING_RADII[place.ring - 1] ?? 0;
  const outer = RING_RADII[place.ring] ?? 0;
  const angle = degrees(128);
  const radius = (inner + outer) / 2;
  return {x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle)};
}

function shortened(from: Point, to: Point, by: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length === 0) return to;
  return {x: to.x - ((to.x - from.x) / length) * by, y: to.y - ((to.y - from.y) / length) * by};
}

const round = (value: number): string => value.toFixed(1);

/** A curve between two stands that bows by `bow` to the right of its direction as drawn (in view units), stopping short of the tokens. */
export function curve(from: Point, to: Point, bow: number): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < 1) return loop(from);
  const middle = {x: (from.x + to.x) / 2, y: (from.y + to.y) / 2};
  const control = {x: middle.x - ((to.y - from.y) / length) * bow, y: middle.y + ((to.x - from.x) / length) * bow};
  const start = shortened(control, from, 18);
  const end = shortened(control, to, 22);
  return `M${round(start.x)} ${round(start.y)}Q${round(control.x)} ${round(control.y)} ${round(end.x)} ${round(end.y)}`;
}

/** A loop at a place, for what happens without moving: an exception in ring 0 handled in ring 0. */
function loop(at: Point): string {
  return `M${round(at.x + 14)} ${round(at.y + 14)}c30 34 -58 34 -30 2`;
}

/** The top of a curve of `curve`, for its name. */
export function crown(from: Point, to: Point, bow: number): Point {
  const length = Math.max(1, Math.hypot(to.x - from.x, to.y - from.y));
  return {
    x: (from.x + to.x) / 2 - ((to.y - from.y) / length) * bow * 0.5,
    y: (from.y + to.y) / 2 + ((to.x - from.x) / length) * bow * 0.5,
  };
}

/** Where the name of a move inside one diagram is written: low in the band of ring 3, which is empty there. */
export function moveName(place: Place, hypervised: boolean): Point {
  const {x, y} = centreOf(place, hypervised);
  return {x: x + 24, y: y + 151};
}
