// The run by who runs, in cycles: drag the playhead, zoom with the wheel or + and −, pan with shift. For a keyboard and
// a screen reader it is a slider whose value is the step.

import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {Actor, TimelineWindow} from '@hyperscope/trace';
import {actorGlyph, actorName} from './actors.js';
import type {StageHost} from './actors.js';
import {SeekEvent} from './exit-table.js';
import {sharedStyles} from './shared-styles.js';
import {LANE, cycleScale, paintTimeline, timelineHeight, type RealMark} from './timeline-painting.js';

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

/** The narrowest window, in cycles: about one instruction. */
const NARROWEST = 20;

@customElement('hs-timeline')
export class Timeline extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .frame {
        display: grid;
        grid-template-columns: 118px 1fr;
      }
      .names {
        position: relative;
        font-size: 12.5px;
      }
      .names div {
        position: absolute;
        inset-inline: 0;
        display: flex;
        align-items: center;
        gap: 6px;
        white-space: nowrap;
        line-height: 1;
      }
      .names svg {
        width: 12px;
        height: 12px;
        flex: none;
      }
      .track {
        position: relative;
        touch-action: none;
        cursor: ew-resize;
        min-width: 0;
        overflow: hidden;
        border-radius: 4px;
      }
      canvas {
        display: block;
        width: 100%;
      }
      .tip {
        position: absolute;
        top: 0;
        transform: translateX(10px);
        background: var(--ink);
        color: var(--panel);
        border-radius: 5px;
        padding: 2px 8px;
        font-size: 12px;
        pointer-events: none;
        white-space: nowrap;
        z-index: 1;
      }
      .tip.left {
        transform: translateX(calc(-100% - 10px));
      }
    `,
  ];

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
  @state() private dragged: number | undefined = undefined;
  @state() private tip: {readonly x: number; readonly text: string; readonly side: 'left' | 'right'} | undefined =
    undefined;
  private width = 0;
  private readonly sizes = new ResizeObserver(() => this.resized());
  private readonly repaint = (): void => this.paint();
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

  protected override updated(_changed: PropertyValues<this>): void {
    this.paint();
  }

  override render(): TemplateResult {
    const height = timelineHeight(this.lanes.length, this.real === undefined ? 'without' : 'with');
    return html`<div class="frame">
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
        <canvas .style=${`height: ${height}px`}></canvas>
        ${this.tip === undefined ? nothing : html`<div class="tip ${this.tip.side}" .style=${`left: ${this.tip.x}px`}>${this.tip.text}</div>`}
      </div>
    </div>`;
  }

  private paint(): void {
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context || this.window === undefined || this.width === 0) return;
    const height = timelineHeight(this.lanes.length, this.real === undefined ? 'without' : 'with');
    const ratio = devicePixelRatio;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this);
    const picture = {
      window: this.window,
      lanes: this.lanes,
      playhead: this.dragged ?? this.playhead,
      end: this.end,
      real: this.real,
    };
    paintTimeline(context, picture, this.width, token => style.getPropertyValue(token).trim());
  }

  private resized(): void {
    const width = this.renderRoot.querySelector('.track')?.clientWidth ?? 0;
    if (width === this.width || width === 0) return;
    this.width = width;
    this.paint();
    const {window} = this;
    this.ask(window?.fromCycle ?? 0, window?.toCycle ?? this.end);
  }

  /** Asks for a window inside the recording. */
  private ask(from: number, to: number): void {
    const span = Math.min(Math.max(NARROWEST, to - from), Math.max(NARROWEST, this.end));
    const start = Math.min(Math.max(0, from), Math.max(0, this.end - span));
    this.dispatchEvent(new WindowEvent(start, start + span, Math.max(1, Math.round(this.width))));
  }

  private zoom(factor: number, around: number): void {
    const {window} = this;
    if (window === undefined) return;
    this.ask(around - (around - window.fromCycle) * factor, around + (window.toCycle - around) * factor);
  }

  private wheel(event: WheelEvent): void {
    const {window} = this;
    if (window === undefined) return;
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (sideways !== 0) {
      const by = ((window.toCycle - window.fromCycle) * sideways) / 600;
      this.ask(window.fromCycle + by, window.toCycle + by);
      return;
    }
    this.zoom(1.0016 ** event.deltaY, this.cycleAt(event));
  }

  private cycleAt(event: MouseEvent): number {
    const {window} = this;
    const box = this.renderRoot.querySelector('.track')?.getBoundingClientRect();
    if (window === undefined || box === undefined) return 0;
    const cycle = cycleScale(window, this.width).invert(event.clientX - box.left);
    return Math.min(Math.max(0, cycle), this.end);
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || this.window === undefined) return;
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    const mark = this.markNear(event);
    this.tip = undefined;
    if (mark !== undefined) {
      this.dispatchEvent(new SeekEvent(mark.index));
      return;
    }
    this.drag(event);
  };

  private readonly move = (event: PointerEvent): void => {
    if (this.dragged !== undefined) {
      this.drag(event);
      return;
    }
    const mark = this.markNear(event);
    const x = mark === undefined || this.window === undefined ? 0 : cycleScale(this.window, this.width)(mark.cycle);
    this.tip = mark === undefined ? undefined : {x, text: mark.label, side: x > this.width / 2 ? 'left' : 'right'};
  };

  private readonly up = (): void => {
    this.dragged = undefined;
  };

  private drag(event: PointerEvent): void {
    this.dragged = this.cycleAt(event);
    this.dispatchEvent(new SeekCycleEvent(this.dragged));
  }

  /** The mark under the pointer, in the row of exits or in the lane of the real run. */
  private markNear(
    event: PointerEvent,
  ): {readonly index: number; readonly cycle: number; readonly label: string} | undefined {
    const {window} = this;
    const box = this.renderRoot.querySelector('.track')?.getBoundingClientRect();
    if (window === undefined || box === undefined) return undefined;
    const y = event.clientY - box.top;
    const realTop = LANE.marks + this.lanes.length * LANE.pitch;
    const marks =
      y < LANE.marks
        ? window.marks
            .filter(mark => mark.kind !== 'vm-entry')
            .map(mark => ({index: mark.step + 1, cycle: mark.cycle, label: mark.label}))
        : y > realTop && y < realTop + LANE.pitch
          ? (this.real ?? [])
          : [];
    const scale = cycleScale(window, this.width);
    const x = event.clientX - box.left;
    return marks.find(mark => Math.abs(scale(mark.cycle) - x) < 7);
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
