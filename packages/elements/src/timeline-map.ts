// The map of the whole run above the timeline: who ran when, in a strip, and a frame where the shown window lies. Dragging it
// moves the window. For pointers only: the timeline does the same by keys.

import {LitElement, css, html, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Actor, TimelineWindow} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';
import {linearScale} from './cycle-scale.js';
import {paintLane, type Palette, type TimelineView} from './timeline-painting.js';

/** In CSS pixels. */
const HEIGHT = 10;

/** The middle of the window is wanted at this cycle. */
export class PanEvent extends CustomEvent<{readonly middle: number}> {
  constructor(middle: number) {
    super('hs-pan', {detail: {middle}});
  }
}

@customElement('hs-timeline-map')
export class TimelineMap extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        display: block;
        height: 10px;
        margin: 0 0 3px;
      }
      .map {
        height: 100%;
        cursor: grab;
        touch-action: none;
        position: relative;
        border-radius: 3px;
        background: var(--sunken);
        overflow: hidden;
      }
      canvas {
        display: block;
        width: 100%;
        height: 100%;
      }
      .shown {
        position: absolute;
        inset-block: 0;
        border: 2px solid var(--ink);
        border-radius: 3px;
        box-sizing: border-box;
        min-width: 6px;
      }
    `,
  ];

  @property({attribute: false}) overview: TimelineWindow | undefined = undefined;
  @property({attribute: false}) lanes: readonly Actor[] = [];
  @property({attribute: false}) view: TimelineView = {from: 0, to: 1};
  /** The cycle at which what is recorded ends. */
  @property({type: Number}) end = 0;
  /** As the last layout left it, in CSS pixels: to ask while painting would make another one. */
  private width = 0;
  private readonly sizes = new ResizeObserver(([entry]) => {
    this.width = entry?.contentRect.width ?? 0;
    this.paint();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('overview') || changed.has('lanes')) this.paint();
  }

  override render(): TemplateResult {
    const {from, to} = this.view;
    const end = Math.max(1, this.end);
    const side = (100 * Math.max(0, from)) / end;
    return html`<div
      class="map"
      aria-hidden="true"
      @pointerdown=${this.down}
      @pointermove=${(event: PointerEvent) => event.buttons === 1 && this.pan(event)}
    >
      <canvas></canvas>
      <div class="shown" .style=${`left: ${side}%; width: ${Math.min(100 - side, (100 * (to - from)) / end)}%`}></div>
    </div>`;
  }

  /** Paints the strip anew: also when the theme has changed. */
  paint(): void {
    const {overview, width} = this;
    const context = fitted(this.renderRoot.querySelector('canvas'), width, HEIGHT);
    if (context === undefined || overview === undefined) return;
    const scale = linearScale(overview.fromCycle, Math.max(overview.fromCycle + 1, overview.toCycle), [0, width]);
    const palette = paletteOf(this);
    const height = HEIGHT / this.lanes.length;
    this.lanes.forEach((actor, lane) =>
      paintLane(context, overview, {actor, top: lane * height, height}, scale, palette),
    );
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    this.pan(event);
  };

  private pan(event: PointerEvent): void {
    const box = this.getBoundingClientRect();
    this.dispatchEvent(new PanEvent((this.end * (event.clientX - box.left)) / box.width));
  }
}

/** Colours by their tokens on an element, each looked up once. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const known = new Map<string, string>();
  return token => {
    const colour = known.get(token) ?? style.getPropertyValue(token).trim();
    known.set(token, colour);
    return colour;
  };
}

/** A canvas of a size in CSS pixels, cleared, at the resolution of the screen; undefined where there is nothing to paint on. */
export function fitted(canvas: Element | null, width: number, height: number): CanvasRenderingContext2D | undefined {
  if (!(canvas instanceof HTMLCanvasElement) || width === 0) return undefined;
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  // While presenting the whole timeline is magnified.
  const density = devicePixelRatio * (canvas.currentCSSZoom ?? 1);
  const [columns, rows] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
