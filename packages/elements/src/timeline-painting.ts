// Paints a timeline window on a canvas: a lane for each actor, marks above, the lane of real KVM below, the playhead.
// A canvas, because a window of ten million instructions has more rectangles than a document can bear.

import {scaleLinear, type ScaleLinear} from 'd3';
import type {Actor, TimelineWindow} from '@hyperscope/trace';
import {ACTOR_LOOKS, actorLook} from './actors.js';

/** A mark in the lane of the real run. */
export interface RealMark {
  /** The state of the simulated run beside which it is drawn. */
  readonly index: number;
  readonly cycle: number;
  readonly label: string;
  /** 'inside': KVM answered without telling user space, so that a recording of user space cannot show it. */
  readonly kind: 'matched' | 'differs' | 'inside';
}

export interface TimelinePicture {
  readonly window: TimelineWindow;
  readonly lanes: readonly Actor[];
  readonly playhead: number;
  readonly end: number;
  readonly real: readonly RealMark[] | undefined;
}

/** Measures in CSS pixels. */
export const LANE = {marks: 16, height: 16, pitch: 21, axis: 18, side: 8} as const;

/** Height of a timeline with that many lanes. */
export function timelineHeight(lanes: number, realLane: 'with' | 'without'): number {
  return LANE.marks + (lanes + (realLane === 'with' ? 1 : 0)) * LANE.pitch + LANE.axis;
}

export type Colour = (token: string) => string;

/** Cycles to pixels; the ends stand in from the edges, so that the playhead is whole there. */
export function cycleScale(window: TimelineWindow, width: number): ScaleLinear<number, number> {
  return scaleLinear()
    .domain([window.fromCycle, Math.max(window.fromCycle + 1, window.toCycle)])
    .range([LANE.side, width - LANE.side]);
}

/** Paints everything; the context is already scaled to CSS pixels. */
export function paintTimeline(
  context: CanvasRenderingContext2D,
  picture: TimelinePicture,
  width: number,
  colour: Colour,
): void {
  const height = timelineHeight(picture.lanes.length, picture.real === undefined ? 'without' : 'with');
  context.clearRect(0, 0, width, height);
  const scale = cycleScale(picture.window, width);
  paintGrid(context, scale, height, colour);
  picture.lanes.forEach((actor, lane) => paintLane(context, picture.window, actor, lane, width, colour));
  paintConnectors(context, picture, width, colour);
  paintMarks(context, picture.window, scale, colour);
  if (picture.real !== undefined) paintReal(context, picture.real, picture.lanes.length, scale, colour);
  paintPlayhead(context, scale(picture.playhead), height, colour);
}

function paintGrid(
  context: CanvasRenderingContext2D,
  scale: ScaleLinear<number, number>,
  height: number,
  colour: Colour,
): void {
  context.font = '11px system-ui, "Liberation Sans", sans-serif';
  context.textBaseline = 'bottom';
  const width = scale.range()[1] ?? 0;
  for (const tick of scale.ticks(Math.max(2, Math.floor(width / 130)))) {
    const x = Math.round(scale(tick)) + 0.5;
    context.fillStyle = colour('--line');
    context.fillRect(x - 0.5, LANE.marks, 1, height - LANE.marks - LANE.axis + 4);
    context.fillStyle = colour('--mute');
    const text = tick.toLocaleString('en');
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(0, x - half), width - 2 * half), height - 1);
  }
}

const ACTOR_ROW: ReadonlyMap<Actor, number> = new Map(ACTOR_LOOKS.map((look, row) => [look.actor, row]));

function share(window: TimelineWindow, actor: Actor, column: number): number {
  const perColumn = (window.toCycle - window.fromCycle) / window.columns;
  const spent = window.cycles[(ACTOR_ROW.get(actor) ?? 0) * window.columns + column] ?? 0;
  return perColumn <= 0 ? 0 : Math.min(1, spent / perColumn);
}

const laneTop = (lane: number): number => LANE.marks + lane * LANE.pitch + 3;

function paintLane(
  context: CanvasRenderingContext2D,
  window: TimelineWindow,
  actor: Actor,
  lane: number,
  width: number,
  colour: Colour,
): void {
  const pixels = (width - 2 * LANE.side) / window.columns;
  context.fillStyle = colour(actorLook(actor).token);
  let column = 0;
  while (column < window.columns) {
    const first = share(window, actor, column);
    const from = column++;
    if (first <= 0) continue;
    while (first > 0.999 && column < window.columns && share(window, actor, column) > 0.999) column++;
    context.globalAlpha = 0.45 + 0.55 * first;
    context.fillRect(LANE.side + from * pixels, laneTop(lane), Math.max(1.5, (column - from) * pixels), LANE.height);
  }
  context.globalAlpha = 1;
}

/** Thin lines where the processor changes hands, while they are few enough to be read. */
function paintConnectors(
  context: CanvasRenderingContext2D,
  picture: TimelinePicture,
  width: number,
  colour: Colour,
): void {
  const changes: {readonly x: number; readonly from: number; readonly to: number}[] = [];
  let before: number | undefined;
  for (let column = 0; column < picture.window.columns; column++) {
    const shares = picture.lanes.map(actor => share(picture.window, actor, column));
    const most = Math.max(...shares);
    if (most <= 0) continue;
    const lane = shares.indexOf(most);
    if (before !== undefined && lane !== before)
      changes.push({
        x: LANE.side + (column * (width - 2 * LANE.side)) / picture.window.columns,
        from: before,
        to: lane,
      });
    before = lane;
  }
  if (changes.length > width / 6) return;
  context.fillStyle = colour('--strong-line');
  for (const {x, from, to} of changes) {
    const top = laneTop(Math.min(from, to)) + LANE.height;
    context.fillRect(x - 0.5, top, 1, laneTop(Math.max(from, to)) - top);
  }
}

function paintMarks(
  context: CanvasRenderingContext2D,
  window: TimelineWindow,
  scale: ScaleLinear<number, number>,
  colour: Colour,
): void {
  for (const mark of window.marks) {
    const x = scale(mark.cycle);
    context.beginPath();
    if (mark.kind === 'vm-exit') {
      context.fillStyle = colour('--hypervisor');
      context.moveTo(x - 5, 3);
      context.lineTo(x + 5, 3);
      context.lineTo(x, 13);
      context.fill();
    } else if (mark.kind === 'exception' || mark.kind === 'triple-fault') {
      context.strokeStyle = colour('--bad');
      context.lineWidth = 2;
      context.moveTo(x - 4, 4);
      context.lineTo(x + 4, 12);
      context.moveTo(x + 4, 4);
      context.lineTo(x - 4, 12);
      context.stroke();
    }
  }
}

function paintReal(
  context: CanvasRenderingContext2D,
  marks: readonly RealMark[],
  lane: number,
  scale: ScaleLinear<number, number>,
  colour: Colour,
): void {
  const y = laneTop(lane) + LANE.height / 2;
  const width = scale.range()[1] ?? 0;
  context.fillStyle = colour('--line');
  context.fillRect(0, y - 0.5, width, 1);
  context.lineWidth = 2;
  for (const mark of marks) {
    const x = scale(mark.cycle);
    context.beginPath();
    if (mark.kind === 'differs') {
      context.moveTo(x, y - 7);
      context.lineTo(x + 7, y);
      context.lineTo(x, y + 7);
      context.lineTo(x - 7, y);
      context.closePath();
    } else {
      context.arc(x, y, 5.5, 0, 2 * Math.PI);
    }
    context.strokeStyle = colour(mark.kind === 'differs' ? '--bad' : '--device');
    context.fillStyle = mark.kind === 'matched' ? colour('--device') : colour('--panel');
    context.fill();
    context.stroke();
  }
}

function paintPlayhead(context: CanvasRenderingContext2D, x: number, height: number, colour: Colour): void {
  context.fillStyle = colour('--ink');
  context.fillRect(x - 1, 0, 2, height - LANE.axis + 4);
  context.beginPath();
  context.moveTo(x - 6, 0);
  context.lineTo(x + 6, 0);
  context.lineTo(x + 6, 5);
  context.lineTo(x, 11);
  context.lineTo(x - 6, 5);
  context.closePath();
  context.fill();
}
