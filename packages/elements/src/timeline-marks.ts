// The row of marks above the lanes: while they can be told apart each exit is a triangle with its reason, each exception a
// cross; where they are too many, bars say how many there are, by the logarithm, so that one among a million is still seen.

import type {CycleScale} from './cycle-scale.js';
import {MARK_ROWS, type TimelineWindow} from '@hyperscope/trace';
import {LANE, type Palette} from './timeline-painting.js';

/** Marks nearer than this to each other are bars. */
const APART = 9;
const CROSSES: ReadonlySet<string> = new Set(['exception', 'triple-fault']);
const EXITS_OF_HARDWARE: ReadonlySet<string> = new Set(['vm-exit', 'vm-entry-failure']);
const EXITS_OF_KVM: ReadonlySet<string> = new Set(['kvm-exit']);
const TOKENS: Readonly<Record<(typeof MARK_ROWS)[number], string>> = {exits: '--hypervisor', exceptions: '--bad'};

export function paintMarks(
  context: CanvasRenderingContext2D,
  window: TimelineWindow,
  scale: CycleScale,
  palette: Palette,
): void {
  if (areApart(window, scale)) paintEach(context, toldApart(window), scale, palette);
  else paintCounts(context, window, scale, palette);
}

/** Whether most marks of the window have room of their own, and all of them are there. */
export function areApart(window: TimelineWindow, scale: CycleScale): boolean {
  const [left, right] = scale.range;
  return window.marked <= window.marks.length && toldApart(window).length * APART <= right - left;
}

/** Exits and exceptions. What KVM_RUN returns is the exit before it once more, where the record has that. */
export function toldApart({marks}: TimelineWindow): TimelineWindow['marks'] {
  const exits = marks.some(mark => mark.kind === 'vm-exit') ? EXITS_OF_HARDWARE : EXITS_OF_KVM;
  return marks.filter(mark => exits.has(mark.kind) || CROSSES.has(mark.kind));
}

function paintEach(
  context: CanvasRenderingContext2D,
  marks: TimelineWindow['marks'],
  scale: CycleScale,
  palette: Palette,
): void {
  context.font = '11px system-ui, "Liberation Sans", sans-serif';
  context.textBaseline = 'middle';
  const end = scale.range[1];
  marks.forEach((mark, at) => {
    const x = scale(mark.cycle);
    context.beginPath();
    if (!CROSSES.has(mark.kind)) {
      context.fillStyle = palette('--hypervisor');
      context.moveTo(x - 5, 3);
      context.lineTo(x + 5, 3);
      context.lineTo(x, 13);
      context.fill();
      const next = marks[at + 1];
      const text = mark.label.replace(/^exit /, '').replace(' · ', ' ');
      const room = (next === undefined ? end : scale(next.cycle)) - x - 16;
      if (room < 24 || context.measureText(text).width > room) return;
      context.fillStyle = palette('--hypervisor-ink');
      context.fillText(text, x + 8, 8.5);
    } else {
      context.strokeStyle = palette('--bad');
      context.lineWidth = 2;
      context.moveTo(x - 4, 4);
      context.lineTo(x + 4, 12);
      context.moveTo(x + 4, 4);
      context.lineTo(x - 4, 12);
      context.stroke();
    }
  });
}

function paintCounts(
  context: CanvasRenderingContext2D,
  window: TimelineWindow,
  scale: CycleScale,
  palette: Palette,
): void {
  const most = Math.log2(1 + window.counts.reduce((max, count) => Math.max(max, count), 1));
  const cycles = (window.toCycle - window.fromCycle) / window.columns;
  MARK_ROWS.forEach((row, at) => {
    context.fillStyle = palette(TOKENS[row]);
    for (let column = 0; column < window.columns; column++) {
      const count = window.counts[at * window.columns + column] ?? 0;
      if (count === 0) continue;
      const x = scale(window.fromCycle + column * cycles);
      const height = Math.max(2, (Math.log2(1 + count) / most) * (LANE.marks - 4));
      context.fillRect(
        x,
        LANE.marks - 2 - height,
        Math.max(1, scale(window.fromCycle + (column + 1) * cycles) - x),
        height,
      );
    }
  });
}
