// The run by who runs, in cycles: drag the playhead, zoom with the wheel, a pinch or + and −, pan with shift and the wheel or
// on the map of the whole run, select by dragging with shift or with [ and ]. For a keyboard and a screen reader it is a
// slider whose value is the step.

import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {Actor, TimelineWindow} from '@hyperscope/trace';
import {actorGlyph, actorName} from './actors.js';
import type {StageHost} from './actors.js';
import {SeekEvent} from './exit-table.js';
import {sharedStyles} from './shared-styles.js';
import {
  LANE,
  cycleScale,
  paintTimeline,
  timelineHeight,
  type RealMark,
  type TimelineView,
} from './timeline-painting.js';
import {areApart, toldApart} from './timeline-marks.js';
import {PanEvent, TimelineMap, fitted, paletteOf} from './timeline-map.js';
import {timelineStyles} from './timeline-styles.js';

/** The playhead was moved to a cycle. */
export class SeekCycleEvent extends CustomEvent<{readonly cycle: number}> {
  constructor(cycle: number) {
    super('hs-seek-cycle', {detail: {cycle}, bubbles: true, composed: true});
  }
}

/** Another window is wanted, at the resolution of the canvas. */
export class WindowEvent extends CustomEvent<{readonly from: number; readonly to: number; readonly columns: number}> {
  constructor(from: number, to: number, columns: number) {
    super('hs-window', {detail: {from, to, columns}, bubbles: true, composed: true});
  }
}

/** A stretch of cycles was selected; undefined: nothing is any more. */
export class SelectEvent extends CustomEvent<{readonly from: number; readonly to: number} | undefined> {
  constructor(span: TimelineView | undefined) {
    super('hs-select', {detail: span, bubbles: true, composed: true});
  }
}

/** The narrowest window, in cycles: about one instruction. */
const NARROWEST = 20;

@customElement('hs-timeline')
export class Timeline extends LitElement {
  static override readonly styles = [sharedStyles, timelineStyles];

  @property({attribute: false}) window: TimelineWindow | undefined = undefined;
  @property() host: StageHost = 'hardware';
  @property({attribute: false}) lanes: readonly Actor[] = ['guest-user', 'guest-kernel', 'hypervisor', 'vmm'];
  /** Marks of the real run; undefined while there is none. */
  @property({attribute: false}) real: readonly RealMark[] | undefined = undefined;
  @property() realName = 'real KVM';
  /** Cycle under the playhead, and of the end of what is recorded. */
  @property({type: Number}) playhead = 0;
  @property({type: Number}) end = 0;
  @property({type: Number}) index = 0;
  @property({type: Number}) length = 0;
  /** What is under the playhead, for a screen reader. */
  @property() describe = '';
  /** The whole run, for the map above; undefined leaves the map out. */
  @property({attribute: false}) overview: TimelineWindow | undefined = undefined;
  /** The selected stretch. */
  @property({attribute: false}) selected: TimelineView | undefined = undefined;
  @state() private dragged: number | undefined = undefined;
  /** A selection that is being drawn: its ends. */
  @state() private drawn: TimelineView | undefined = undefined;
  /** What is asked for and not yet there: the old window is shown at its scale. */
  @state() private wanted: TimelineView | undefined = undefined;
  @state() private tip: {readonly x: number; readonly text: string; readonly side: 'left' | 'right'} | undefined =
    undefined;
  private width = 0;
  private readonly fingers = new Map<number, number>();
  private readonly sizes = new ResizeObserver(() => this.resized());
  private readonly repaint = (): void => {
    this.paint();
    const map = this.renderRoot.querySelector('hs-timeline-map');
    if (map instanceof TimelineMap) map.paint();
  };
  private readonly themes = new MutationObserver(this.repaint);
  private readonly dark = matchMedia('(prefers-color-scheme: dark)');

  override connectedCallback(): void {
    super.connectedCallback();
    this.themes.observe(document.documentElement, {attributeFilter: ['data-theme']});
    this.dark.addEventListener('change', this.repaint);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.themes.disconnect();
    this.sizes.disconnect();
    this.dark.removeEventListener('change', this.repaint);
  }

  protected override firstUpdated(): void {
    const track = this.renderRoot.querySelector('.track');
    if (track === null) return;
    this.sizes.observe(track);
    track.addEventListener(
      'wheel',
      event => {
        if (event instanceof WheelEvent) this.wheel(event);
      },
      {passive: false},
    );
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('window')) this.wanted = undefined;
  }

  /** What moves over the canvas is no reason to paint. */
  protected override updated(changed: PropertyValues): void {
    if (['window', 'lanes', 'real', 'wanted'].some(name => changed.has(name))) this.paint();
  }

  private get view(): TimelineView {
    return this.wanted ?? {from: this.window?.fromCycle ?? 0, to: this.window?.toCycle ?? 1};
  }

  override render(): TemplateResult {
    const height = timelineHeight(this.lanes.length, this.real === undefined ? 'without' : 'with');
    const scale = cycleScale(this.view, this.width);
    const x = scale(this.dragged ?? this.playhead);
    const span = this.drawn ?? this.selected;
    return html`<div class="frame">
      ${
        this.overview === undefined
          ? nothing
          : html`<hs-timeline-map
              .overview=${this.overview}
              .lanes=${this.lanes}
              .view=${this.view}
              .end=${this.end}
              @hs-pan=${this.pan}
            ></hs-timeline-map>`
      }
      <div class="names" aria-hidden="true">
        ${this.lanes.map((actor, lane) => laneName(lane, actorName(actor, this.host), actor))}
        ${this.real === undefined ? nothing : laneName(this.lanes.length, this.realName, undefined)}
      </div>
      <div
        class="track"
        role="slider"
        tabindex="0"
        aria-label="Timeline: step in the run"
        aria-valuemin="0"
        aria-valuemax=${this.length}
        aria-valuenow=${this.index}
        aria-valuetext=${`step ${this.index} of ${this.length}. ${this.describe}`}
        @pointerdown=${this.down}
        @pointermove=${this.move}
        @pointerup=${this.up}
        @pointercancel=${this.up}
        @pointerleave=${() => {
          this.tip = undefined;
        }}
        @keydown=${this.key}
      >
        <canvas class="lanes" .style=${`height: ${height}px`}></canvas>
        ${
          span === undefined
            ? nothing
            : html`<div
                class="selection"
                .style=${`transform: translateX(${scale(span.from)}px); width: ${Math.max(4, scale(span.to) - scale(span.from))}px`}
              ></div>`
        }
        <div class="playhead" .style=${`transform: translateX(${x}px)`} ?hidden=${this.window === undefined}>
          <svg viewBox="0 0 12 ${height - LANE.axis + 4}" height=${height - LANE.axis + 4} aria-hidden="true">
            <path d="M0 0H12V5L7 10.2V${height - LANE.axis + 4}H5V10.2L0 5z"></path>
          </svg>
        </div>
        ${this.tip === undefined ? nothing : html`<div class="tip ${this.tip.side}" .style=${`left: ${this.tip.x}px`}>${this.tip.text}</div>`}
      </div>
    </div>`;
  }

  private paint(): void {
    const height = timelineHeight(this.lanes.length, this.real === undefined ? 'without' : 'with');
    const context = fitted(this.renderRoot.querySelector('.lanes'), this.width, height);
    if (context === undefined || this.window === undefined) return;
    const {window, lanes, real, view} = this;
    paintTimeline(context, {window, view, lanes, real}, this.width, paletteOf(this));
  }

  private resized(): void {
    const width = this.renderRoot.querySelector('.track')?.clientWidth ?? 0;
    if (width === this.width || width === 0) return;
    this.width = width;
    this.requestUpdate();
    this.paint();
    const {window} = this;
    this.ask(window?.fromCycle ?? 0, window?.toCycle ?? this.end);
  }

  /** Asks for a window inside the recording. */
  private ask(from: number, to: number): void {
    const span = Math.min(Math.max(NARROWEST, to - from), Math.max(NARROWEST, this.end));
    const start = Math.min(Math.max(0, from), Math.max(0, this.end - span));
    if (this.window !== undefined) this.wanted = {from: start, to: start + span};
    this.dispatchEvent(new WindowEvent(start, start + span, Math.max(1, Math.round(this.width))));
  }

  private readonly pan = (event: Event): void => {
    if (!(event instanceof PanEvent)) return;
    const {from, to} = this.view;
    const {middle} = event.detail;
    this.ask(middle - (to - from) / 2, middle + (to - from) / 2);
  };

  private zoom(factor: number, around: number): void {
    if (this.window === undefined) return;
    const {from, to} = this.view;
    this.ask(around - (around - from) * factor, around + (to - around) * factor);
  }

  private wheel(event: WheelEvent): void {
    const {window} = this;
    if (window === undefined) return;
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (sideways !== 0) {
      const {from, to} = this.view;
      const by = ((to - from) * sideways) / 600;
      this.ask(from + by, to + by);
      return;
    }
    // A pinch on a trackpad comes as small turns of the wheel with Ctrl.
    this.zoom((event.ctrlKey ? 1.012 : 1.0016) ** event.deltaY, this.cycleAt(event));
  }

  /** A place of the window in the track's own pixels, which are larger where the timeline is magnified. */
  private inTrack({clientX, clientY}: {readonly clientX: number; readonly clientY: number}): {x: number; y: number} {
    const box = this.renderRoot.querySelector('.track')?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return {x: 0, y: 0};
    const scale = this.width / box.width;
    return {x: (clientX - box.left) * scale, y: (clientY - box.top) * scale};
  }

  private cycleAt(event: MouseEvent): number {
    if (this.window === undefined) return 0;
    const cycle = cycleScale(this.view, this.width).invert(this.inTrack(event).x);
    return Math.min(Math.max(0, cycle), this.end);
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || this.window === undefined) return;
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, event.clientX);
    this.tip = undefined;
    if (this.fingers.size > 1) {
      this.dragged = undefined;
      this.drawn = undefined;
      return;
    }
    if (event.shiftKey) {
      const at = this.cycleAt(event);
      this.drawn = {from: at, to: at};
      this.anchor = at;
      return;
    }
    const mark = this.markNear(event);
    if (mark !== undefined) {
      this.dispatchEvent(new SeekEvent(mark.index));
      return;
    }
    this.drag(event);
  };

  private anchor = 0;

  private readonly move = (event: PointerEvent): void => {
    if (this.fingers.size > 1 && this.fingers.has(event.pointerId)) return this.pinch(event);
    if (this.drawn !== undefined) {
      const at = this.cycleAt(event);
      this.drawn = {from: Math.min(this.anchor, at), to: Math.max(this.anchor, at)};
      return;
    }
    if (this.dragged !== undefined) {
      this.drag(event);
      return;
    }
    const mark = this.markNear(event);
    const x = mark === undefined ? 0 : cycleScale(this.view, this.width)(mark.cycle);
    this.tip = mark === undefined ? undefined : {x, text: mark.label, side: x > this.width / 2 ? 'left' : 'right'};
  };

  private readonly up = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    this.dragged = undefined;
    if (this.drawn === undefined) return;
    const {from, to} = this.drawn;
    this.drawn = undefined;
    this.dispatchEvent(new SelectEvent(to > from ? {from, to} : undefined));
  };

  /** Two fingers: the cycles under them stay under them. */
  private pinch(event: PointerEvent): void {
    const [first = 0, second = 0] = [...this.fingers.values()];
    const before = Math.max(8, Math.abs(second - first));
    this.fingers.set(event.pointerId, event.clientX);
    const [left = 0, right = 0] = [...this.fingers.values()];
    const middle = this.inTrack({clientX: (left + right) / 2, clientY: 0}).x;
    this.zoom(before / Math.max(8, Math.abs(right - left)), cycleScale(this.view, this.width).invert(middle));
  }

  private drag(event: PointerEvent): void {
    this.dragged = this.cycleAt(event);
    this.dispatchEvent(new SeekCycleEvent(this.dragged));
  }

  /** The mark under the pointer, in the row of exits or in the lane of the real run. */
  private markNear(
    event: PointerEvent,
  ): {readonly index: number; readonly cycle: number; readonly label: string} | undefined {
    const {window} = this;
    if (window === undefined) return undefined;
    const {x, y} = this.inTrack(event);
    const realTop = LANE.marks + this.lanes.length * LANE.pitch;
    const marks =
      y < LANE.marks
        ? (areApart(window, cycleScale(this.view, this.width)) ? toldApart(window) : []).map(mark => ({
            index: mark.step + 1,
            cycle: mark.cycle,
            label: mark.label,
          }))
        : y > realTop && y < realTop + LANE.pitch
          ? (this.real ?? [])
          : [];
    const scale = cycleScale(this.view, this.width);
    return marks.find(mark => Math.abs(scale(mark.cycle) - x) < 7);
  }

  /** [ and ] put an end of the selection where the playhead is. */
  private selectTo(end: '[' | ']'): void {
    const {from, to} = this.selected ?? {from: 0, to: this.end};
    const span = end === '[' ? {from: this.playhead, to} : {from, to: this.playhead};
    this.dispatchEvent(new SelectEvent({from: Math.min(span.from, span.to), to: Math.max(span.from, span.to)}));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.round(this.length / 20));
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: this.index + 1,
      ArrowLeft: this.index - 1,
      Home: 0,
      End: this.length,
      PageUp: this.index + page,
      PageDown: this.index - page,
    };
    const target = targets[event.key];
    if (target !== undefined) this.dispatchEvent(new SeekEvent(Math.min(Math.max(0, target), this.length)));
    else if (event.key === '+' || event.key === '=') this.zoom(0.5, this.playhead);
    else if (event.key === '-') this.zoom(2, this.playhead);
    else if (event.key === '0') this.ask(0, this.end);
    else if (event.key === '[' || event.key === ']') this.selectTo(event.key);
    else if (event.key === 'Escape' && this.selected !== undefined) this.dispatchEvent(new SelectEvent(undefined));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function laneName(lane: number, name: string, actor: Actor | undefined): TemplateResult {
  const glyph =
    actor === undefined
      ? html`<svg viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5" fill="var(--device)"></circle></svg>`
      : html`<svg viewBox="0 0 16 16">${actorGlyph(actor)}</svg>`;
  return html`<div .style=${`top: ${LANE.marks + lane * LANE.pitch}px; height: ${LANE.pitch}px`}>${glyph}${name}</div>`;
}
