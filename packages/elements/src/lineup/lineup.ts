// One guest on several machines under one scrubber: a row for each, aligned by the guest's own progress. Who has the processor, in
// which ring, how often the guest was left, whether it is right: what the lecture tells, in one picture.

import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {actorGlyph, actorLook, actorName} from '../actors.js';
import {sharedStyles} from '../shared-styles.js';
import {
  isUndecided,
  laneSentence,
  laneRing,
  shortCount,
  verdictName,
  type ComparedLane,
  type LanePicture,
} from './lane-picture.js';
import {STRIP_HEIGHT, laneStripShapes} from './lane-strip.js';
import {LaneEvent, ProgressEvent} from './lineup-events.js';
import {lineupStyles} from './lineup-styles.js';

@customElement('hs-lineup')
export class LineupView extends LitElement {
  static override readonly styles = [sharedStyles, lineupStyles];

  @property({attribute: false}) lanes: readonly LanePicture[] = [];
  /** Where the guest is, in instructions of the reference, and how many there are. */
  @property({type: Number}) instruction = 0;
  @property({type: Number}) instructions = 0;
  /** Id of the chosen lane. */
  @property() chosen = '';

  #sliding = false;

  override render(): TemplateResult {
    const most = Math.max(
      1,
      ...this.lanes.flatMap(lane => (lane.kind === 'compared' && lane.strip ? [...lane.strip.exits] : [])),
    );
    const share = this.instructions === 0 ? 0 : this.instruction / this.instructions;
    return html`<div
        class="lanes"
        role="radiogroup"
        aria-label="Machines"
        style=${`--at: ${share}`}
        @keydown=${this.roam}
        @pointerdown=${this.press}
        @pointermove=${this.slide}
        @pointerup=${() => (this.#sliding = false)}
      >
        <div class="head" aria-hidden="true">
          <span>machine</span><span>the guest’s way, its exits</span><span>the processor is in</span
          ><span class="number">exits</span><span class="number">switches</span><span class="number">cycles</span>
        </div>
        ${this.lanes.map(lane => this.row(lane, most))}
      </div>
      <label class="scrub"
        ><span>Guest instruction</span>
        <input
          type="range"
          min="0"
          max=${this.instructions}
          ?disabled=${this.instructions === 0}
          aria-valuetext=${`instruction ${this.instruction} of ${this.instructions}`}
          @input=${(event: Event) => event.target instanceof HTMLInputElement && this.go(event.target.valueAsNumber)}
        />
        <output>${this.instruction.toLocaleString('en')} / ${this.instructions.toLocaleString('en')}</output></label
      >`;
  }

  private row(lane: LanePicture, most: number): TemplateResult {
    const chosen = lane.id === this.chosen;
    return html`<div
      class="lane ${lane.kind}"
      role="radio"
      aria-checked=${chosen}
      aria-label=${laneSentence(lane, actorName)}
      tabindex=${chosen || (this.chosen === '' && lane === this.lanes[0]) ? 0 : -1}
      data-id=${lane.id}
      @click=${() => this.dispatchEvent(new LaneEvent(lane.id))}
    >
      <div class="name"><b>${lane.title}</b>${this.verdict(lane)}</div>
      ${lane.kind === 'compared' ? this.compared(lane, most) : html`<div class="word">${word(lane)}</div>`}
    </div>`;
  }

  private verdict(lane: LanePicture): TemplateResult | typeof nothing {
    if (lane.kind !== 'compared') return nothing;
    const verdict = isUndecided(lane) ? 'cut' : lane.summary.verdict;
    const mark =
      verdict === 'wrong'
        ? '✗'
        : verdict === 'state-differs'
          ? '≠'
          : verdict === 'right'
            ? '✓'
            : verdict === 'cut'
              ? '…'
              : '●';
    return html`<span class="verdict ${verdict}"><span aria-hidden="true">${mark}</span> ${verdictName(lane)}</span>`;
  }

  private compared(lane: ComparedLane, most: number): TemplateResult {
    const {strip, moment, summary} = lane;
    const {wrongAt} = summary;
    const isReal = summary.header.engine === 'kvm';
    const columns = strip?.runs.length ?? 1;
    const wrongFrom =
      wrongAt === undefined || this.instructions === 0 ? undefined : (wrongAt / this.instructions) * columns;
    return html`<div class="strip">
        ${
          strip === undefined
            ? nothing
            : html`<svg viewBox="0 0 ${columns} ${STRIP_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
                ${laneStripShapes(strip, most, wrongFrom)}
              </svg>`
        }
      </div>
      <div class="who">
        ${
          moment === undefined
            ? nothing
            : html`<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">${actorGlyph(moment.who)}</svg>
                <span style=${`color: var(${actorLook(moment.who).token}-ink)`}
                  >${actorName(moment.who, lane.host)}</span
                >
                <small>${laneRing(moment)}</small>`
        }
      </div>
      <div class="number">${shortCount(moment?.exits)}<small>of ${shortCount(summary.exitCount)}</small></div>
      <div class="number">${isReal ? '–' : shortCount(moment?.switches)}</div>
      <div class="number">
        ${shortCount(moment?.cycle)}${isReal ? nothing : html`<small>of ${shortCount(summary.cycles)}</small>`}
      </div>`;
  }

  override updated(changed: PropertyValues<this>): void {
    // After its end is known: before that, a range would hold the playhead at its beginning.
    const range = this.renderRoot.querySelector('input');
    if (range !== null) range.value = String(this.instruction);
    if (!changed.has('chosen') || !this.matches(':focus-within')) return;
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-id='${CSS.escape(this.chosen)}']`);
    if (this.renderRoot instanceof ShadowRoot && this.renderRoot.activeElement?.matches('[role=radio]') === true)
      row?.focus();
  }

  private go(instruction: number): void {
    this.dispatchEvent(new ProgressEvent(Math.min(Math.max(0, Math.round(instruction)), this.instructions)));
  }

  /** Up and down choose a machine. */
  private readonly roam = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0 || this.lanes.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.lanes.findIndex(({id}) => id === this.chosen);
    const lane = this.lanes[(at + by + this.lanes.length) % this.lanes.length];
    if (lane !== undefined) this.dispatchEvent(new LaneEvent(lane.id));
  };

  private readonly press = (event: PointerEvent): void => {
    const onStrip = event
      .composedPath()
      .some(target => target instanceof Element && target.classList.contains('strip'));
    if (!onStrip || event.button !== 0) return;
    this.#sliding = true;
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    this.slide(event);
  };

  private readonly slide = (event: PointerEvent): void => {
    const strip = this.renderRoot.querySelector('.strip')?.getBoundingClientRect();
    if (!this.#sliding || strip === undefined || strip.width === 0) return;
    this.go(((event.clientX - strip.left) / strip.width) * this.instructions);
  };
}

function word(lane: Exclude<LanePicture, {kind: 'compared'}>): string {
  if (lane.kind === 'waiting') return 'waits for its turn';
  if (lane.kind === 'running') return `${lane.standing}…`;
  return lane.why;
}
