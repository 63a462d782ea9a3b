// How fast Play goes, and where it lingers: a speed for the steps in between, and a stay at exits, ring changes and mode
// changes, each for itself. The same small menu leads to the search and the breakpoints.

import {LitElement, css, html, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {PLAY_STOPS, type PlayStop} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';

/** Speeds by name, in steps a second. */
export const SPEEDS = [
  {name: '×¼', stepsPerSecond: 0.75},
  {name: '×1', stepsPerSecond: 3},
  {name: '×4', stepsPerSecond: 12},
  {name: '×16', stepsPerSecond: 50},
  {name: '×64', stepsPerSecond: 200},
  {name: '×1000', stepsPerSecond: 3000},
  {name: '×30 000', stepsPerSecond: 90_000},
] as const;
export type SpeedName = (typeof SPEEDS)[number]['name'];

/** How long Play stays where something happened, in milliseconds; 'stop' until it is told to go on. */
export const STAYS = {
  'run through': 0,
  'stay a moment': 700,
  'stay 2 s': 2000,
  stop: Number.POSITIVE_INFINITY,
} as const;
export type Stay = keyof typeof STAYS;

export interface PlaySpeed {
  readonly speed: SpeedName;
  readonly stays: Readonly<Record<PlayStop, Stay>>;
}

export const FIRST_SPEED: PlaySpeed = {
  speed: '×1',
  stays: {exit: 'stay a moment', ring: 'run through', mode: 'run through'},
};

export class SpeedEvent extends CustomEvent<PlaySpeed> {
  constructor(speed: PlaySpeed) {
    super('hs-speed', {detail: speed, bubbles: true, composed: true});
  }
}

const STOP_NAMES: Readonly<Record<PlayStop, string>> = {exit: 'VM exits', ring: 'ring changes', mode: 'mode changes'};

@customElement('hs-play-speed')
export class PlaySpeedControl extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 8px;
        align-items: center;
      }
      select {
        min-height: 34px;
        padding: 0 4px;
        field-sizing: content;
      }
      details {
        position: relative;
      }
      summary {
        cursor: pointer;
        min-height: 24px;
        padding: 4px 6px;
        border-radius: 6px;
        white-space: nowrap;
      }
      .stays {
        position: absolute;
        inset-block-end: calc(100% + 6px);
        inset-inline-start: 0;
        z-index: 5;
        display: grid;
        grid-template-columns: max-content max-content;
        gap: 6px 12px;
        align-items: center;
        padding: 12px 14px;
        background: var(--panel);
        border: 1px solid var(--strong-line);
        border-radius: 10px;
        box-shadow: var(--shadow);
      }
      label {
        display: contents;
      }
    `,
  ];

  @property({attribute: false}) value: PlaySpeed = FIRST_SPEED;
  /** Without a hypervisor there are no exits to stay at. */
  @property({type: Boolean}) exits = false;

  override render(): TemplateResult {
    return html`<div class="bar">
      <select aria-label="Speed of Play (&lt; slower, &gt; faster)" @change=${this.chooseSpeed}>
        ${SPEEDS.map(
          ({name, stepsPerSecond}) =>
            html`<option value=${name} ?selected=${name === this.value.speed} title="${stepsPerSecond} steps a second">
              ${name}
            </option>`,
        )}
      </select>
      <details @keydown=${this.key} @toggle=${moveInside}>
        <summary>More…</summary>
        <div class="stays">
          ${PLAY_STOPS.filter(stop => this.exits || stop !== 'exit').map(
            stop =>
              html`<label
                ><span>Play, at ${STOP_NAMES[stop]}:</span>
                <select @change=${(event: Event) => this.chooseStay(stop, event)}>
                  ${Object.keys(STAYS).map(
                    stay => html`<option value=${stay} ?selected=${stay === this.value.stays[stop]}>${stay}</option>`,
                  )}
                </select></label
              >`,
          )}
          <button @click=${() => this.open('hs-open-finds')}>Find in the trace (/)</button>
          <button @click=${() => this.open('hs-open-breakpoints')}>Breakpoints (X)</button>
        </div>
      </details>
    </div>`;
  }

  private readonly chooseSpeed = (event: Event): void => {
    const {target} = event;
    const chosen = SPEEDS.find(({name}) => target instanceof HTMLSelectElement && name === target.value);
    if (chosen !== undefined) this.dispatchEvent(new SpeedEvent({...this.value, speed: chosen.name}));
  };

  private chooseStay(stop: PlayStop, event: Event): void {
    const {target} = event;
    if (!(target instanceof HTMLSelectElement) || !isStay(target.value)) return;
    this.dispatchEvent(new SpeedEvent({...this.value, stays: {...this.value.stays, [stop]: target.value}}));
  }

  private open(what: 'hs-open-finds' | 'hs-open-breakpoints'): void {
    this.renderRoot.querySelector('details')?.removeAttribute('open');
    this.dispatchEvent(new CustomEvent(what, {bubbles: true, composed: true}));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !(event.currentTarget instanceof HTMLDetailsElement) || !event.currentTarget.open)
      return;
    event.currentTarget.open = false;
    event.currentTarget.querySelector('summary')?.focus();
    event.stopPropagation();
  };
}

const isStay = (text: string): text is Stay => text in STAYS;

/** The next slower or faster speed; the same at either end. */
export function neighbouringSpeed(speed: SpeedName, by: 1 | -1): SpeedName {
  const at = SPEEDS.findIndex(({name}) => name === speed) + by;
  return SPEEDS[Math.min(Math.max(0, at), SPEEDS.length - 1)]?.name ?? speed;
}

/** A menu that opened beyond the right edge of the window is moved inside. */
function moveInside({target}: Event): void {
  if (!(target instanceof HTMLDetailsElement) || !target.open) return;
  const menu = target.querySelector('.stays');
  if (!(menu instanceof HTMLElement)) return;
  menu.style.translate = '';
  const over = menu.getBoundingClientRect().right + 8 - document.documentElement.clientWidth;
  if (over > 0) menu.style.translate = `${-over}px`;
}
