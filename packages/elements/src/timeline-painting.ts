// Paints a timeline window on a canvas: a lane for each actor, marks above, the lane of real KVM below.
// A canvas, because a window of ten million instructions has more rectangles than a document can bear.

import type {Actor, TimelineWindow} from '@hyperscope/trace';
import {ACTOR_LOOKS, actorLook} from './actors.js';
import {linearScale} from './cycle-scale.js';
import type {CycleScale} from './cycle-scale.js';
import {paintMarks} from './timeline-marks.js';

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
  /** What is known, at a resolution. */
  readonly window: TimelineWindow;
  /** The cycles to show: while a new window is on its way, the old one is drawn at the new scale. */
  readonly view: TimelineView;
  readonly lanes: readonly Actor[];
  readonly real: readonly RealMark[] | undefined;
}

/** A stretch of cycles. */
export interface TimelineView {
  readonly from: number;
  readonly to: number;
}

/** Measures in CSS pixels. */
export const LANE = {marks: 16, height: 16, pitch: 21, axis: 18, side: 8} as const;

/** Height of a timeline with that many lanes. */
export function timelineHeight(lanes: number, realLane: 'with' | 'without'): number {
  return LANE.marks + (lanes + (realLane === 'with' ? 1 : 0)) * LANE.pitch + LANE.axis;
}

/** The value of a colour token; looked up once for a picture. */
export type Palette = (token: string) => string;

/** Cycles to pixels; the ends stand in from the edges, so that the playhead is whole there. */
export function cycleScale(view: TimelineView, width: number): CycleScale {
  return linearScale(view.from, Math.max(view.from + 1, view.to), [LANE.side, width - LANE.side]);
}

/** Paints everything; the context is already scaled to CSS pixels. */
export function paintTimeline(
  context: CanvasRenderingContext2D,
  picture: TimelinePicture,
  width: number,
  palette: Palette,
): void {
  const height = timelineHeight(picture.lanes.length, picture.real === undefined ? 'without' : 'with');
  context.clearRect(0, 0, width, height);
  const scale = cycleScale(picture.view, width);
  paintGrid(context, scale, height, palette);
  picture.lanes.forEach((actor, lane) =>
    paintLane(context, picture.window, {actor, top: laneTop(lane)}, scale, palette),
  );
  paintConnectors(context, picture, scale, palette);
  paintMarks(context, picture.window, scale, palette);
  if (picture.real !== undefined) paintReal(context, picture.real, picture.lanes.length, scale, palette);
}

function paintGrid(context: CanvasRenderingContext2D, scale: CycleScale, height: number, palette: Palette): void {
  context.font = '11px system-ui, "Liberation Sans", sans-serif';
  context.textBaseline = 'bottom';
  const width = scale.range[1];
  for (const tick of scale.ticks(Math.max(2, Math.floor(width / 130)))) {
    const x = Math.round(scale(tick)) + 0.5;
    context.fillStyle = palette('--line');
    context.fillRect(x - 0.5, LANE.marks, 1, height - LANE.marks - LANE.axis + 4);
    context.fillStyle = palette('--mute');
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

export function paintLane(
  context: CanvasRenderingContext2D,
  window: TimelineWindow,
  lane: {readonly actor: Actor; readonly top: number; readonly height?: number},
  scale: CycleScale,
  palette: Palette,
): void {
  const cycles = (window.toCycle - window.fromCycle) / window.columns;
  const place = (column: number): number => scale(window.fromCycle + column * cycles);
  context.fillStyle = palette(actorLook(lane.actor).token);
  let column = 0;
  while (column < window.columns) {
    const first = share(window, lane.actor, column);
    const from = column++;
    if (first <= 0) continue;
    while (first > 0.999 && column < window.columns && share(window, lane.actor, column) > 0.999) column++;
    const x = place(from);
    context.globalAlpha = 0.45 + 0.55 * first;
    context.fillRect(x, lane.top, Math.max(1.5, place(column) - x), lane.height ?? LANE.height);
  }
  context.globalAlpha = 1;
}

/** Thin lines where the processor changes hands, while they are few enough to be read. */
function paintConnectors(
  context: CanvasRenderingContext2D,
  picture: TimelinePicture,
  scale: CycleScale,
  palette: Palette,
): void {
  const {window} = picture;
  const cycles = (window.toCycle - window.fromCycle) / window.columns;
  const [, width] = scale.range;
  const changes: {readonly x: number; readonly from: number; readonly to: number}[] = [];
  let before: number | undefined;
  for (let column = 0; column < picture.window.columns; column++) {
    const shares = picture.lanes.map(actor => share(picture.window, actor, column));
    const most = Math.max(...shares);
    if (most <= 0) continue;
    const lane = shares.indexOf(most);
    if (before !== undefined && lane !== before)
      changes.push({x: scale(window.fromCycle + column * cycles), from: before, to: lane});
    before = lane;
  }
  if (changes.length > width / 6) return;
  context.fillStyle = palette('--strong-line');
  for (const {x, from, to} of changes) {
    const top = laneTop(Math.min(from, to)) + LANE.height;
    context.fillRect(x - 0.5, top, 1, laneTop(Math.max(from, to)) - top);
  }
}

function paintReal(
  context: CanvasRenderingContext2D,
  marks: readonly RealMark[],
  lane: number,
  scale: CycleScale,
  palette: Palette,
): void {
  const y = laneTop(lane) + LANE.height / 2;
  const width = scale.range[1];
  context.fillStyle = palette('--line');
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
    context.strokeStyle = palette(mark.kind === 'differs' ? '--bad' : '--device');
    context.fillStyle = mark.kind === 'matched' ? palette('--device') : palette('--panel');
    context.fill();
    context.stroke();
  }
}
