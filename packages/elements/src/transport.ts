// Moving through the run: first, back, play, forward, last, by a granularity, and the next exit.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {STEP_SIZES, type StepSize} from '@hyperscope/trace';
import {icon, type IconName} from './icons.js';
import {sharedStyles} from './shared-styles.js';

export const TRANSPORT_COMMANDS = ['first', 'back', 'play', 'forward', 'last', 'next-exit'] as const;
export type TransportCommand = (typeof TRANSPORT_COMMANDS)[number];

export class TransportEvent extends CustomEvent<{readonly command: TransportCommand}> {
  constructor(command: TransportCommand) {
    super('hs-transport', {detail: {command}, bubbles: true, composed: true});
  }
}

export class GranularityEvent extends CustomEvent<{readonly granularity: StepSize}> {
  constructor(granularity: StepSize) {
    super('hs-granularity', {detail: {granularity}, bubbles: true, composed: true});
  }
}

const NAMES: Readonly<Record<StepSize, string>> = {
  micro: 'micro-operation',
  instruction: 'instruction',
  event: 'event',
  exit: 'VM exit',
  ring: 'ring change',
  mode: 'mode change',
};

@customElement('hs-transport')
export class Transport extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
      }
      .beside {
        position: relative;
      }
      .group {
        display: flex;
        gap: 2px;
      }
      .group button {
        display: grid;
        place-items: center;
        width: 34px;
        height: 34px;
        padding: 0;
      }
      .group button.play {
        width: 44px;
        background: var(--accent);
        color: var(--on-accent);
        border-color: var(--accent);
      }
      .next {
        display: flex;
        gap: 8px;
        align-items: center;
        font-weight: 700;
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
        border: 2px solid var(--hypervisor);
        min-height: 34px;
        padding: 3px 16px;
      }
      .next:hover:not(:disabled) {
        background: var(--hypervisor-tint);
        border-color: var(--hypervisor-ink);
      }
      .next:disabled {
        background: none;
      }
      select {
        min-height: 34px;
        padding: 0 6px;
        field-sizing: content;
      }
      label {
        display: flex;
        gap: 6px;
        align-items: center;
      }
      output {
        font: var(--code)/1.4 var(--mono);
        font-variant-numeric: tabular-nums;
      }
      /* Over the foot of the code, pointing at the button: it takes no room from what a newcomer is to look at. */
      .hint {
        position: absolute;
        z-index: 4;
        inset: auto auto calc(100% + 12px) -178px;
        width: 290px;
        margin: 0;
        padding: 6px 12px;
        border: 2px solid var(--hypervisor);
        border-radius: 10px;
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
        box-shadow: var(--shadow);
        line-height: 1.3;
      }
      .hint::after {
        content: '';
        position: absolute;
        inset: auto auto -8px 230px;
        width: 12px;
        height: 12px;
        rotate: 45deg;
        background: var(--hypervisor-tint);
        border: solid var(--hypervisor);
        border-width: 0 2px 2px 0;
      }
      @media (min-width: 1700px) {
        .beside {
          display: flex;
          align-items: center;
          gap: 10px;
        }
        .hint {
          position: static;
          width: auto;
          box-shadow: none;
          border-width: 0 0 0 3px;
          border-radius: 0;
          background: none;
        }
        .hint::after {
          display: none;
        }
      }
      @media (max-width: 1199px) {
        .bar {
          gap: 6px;
        }
        .word {
          position: absolute;
          clip-path: inset(50%);
        }
        .next {
          padding-inline: 12px;
        }
      }
      kbd {
        font: 600 11px var(--mono);
        border: 1px solid currentColor;
        border-radius: 4px;
        padding: 0 4px;
        opacity: 0.85;
      }
    `,
  ];

  @property({type: Number}) index = 0;
  @property({type: Number}) length = 0;
  @property({type: Number}) cycle = 0;
  @property() granularity: StepSize = 'instruction';
  /** Whether playing; the button then pauses. */
  @property({type: Boolean}) playing = false;
  /** Whether the run has ended at `length`; else there is more to record. */
  @property({type: Boolean}) finished = false;
  /** Whether this technique has VM exits at all. */
  @property({type: Boolean}) exits = false;
  /** One line for a newcomer beside the button to press first; empty for everybody else. */
  @property() hint = '';

  override render(): TemplateResult {
    const atEnd = this.finished && this.index >= this.length;
    return html`<div class="bar" role="toolbar" aria-label="Moving through the run">
      <div class="group">
        ${this.button('first', 'To the guest’s first instruction; again: to the very beginning (Home)', 'first', this.index === 0)}
        ${this.button('back', `Back one ${NAMES[this.granularity]} (left arrow)`, 'back', this.index === 0)}
        ${this.button('play', this.playing ? 'Pause (space)' : 'Play (space)', this.playing ? 'pause' : 'play', atEnd && !this.playing)}
        ${this.button('forward', `Forward one ${NAMES[this.granularity]} (right arrow)`, 'forward', atEnd)}
        ${this.button('last', 'To the end (End)', 'last', atEnd)}
      </div>
      <div class="beside">
        <button class="next" ?disabled=${atEnd} @click=${() => this.send('next-exit')}>
          ${icon('exit')} ${this.exits ? 'Next exit' : 'Next event'} <kbd aria-hidden="true">e</kbd>
        </button>
        ${this.hint === '' ? nothing : html`<p class="hint" role="note">${this.hint}</p>`}
      </div>
      <label
        ><span class="word">step by</span>
        <select @change=${this.choose}>
          ${STEP_SIZES.filter(name => this.exits || name !== 'exit').map(
            name => html`<option value=${name} ?selected=${name === this.granularity}>${NAMES[name]}</option>`,
          )}
        </select></label
      >
      <output
        >step ${count(this.index)} / ${count(this.length)}${this.finished ? '' : '…'} · cycle
        ${count(this.cycle)}</output
      >
      <slot></slot>
    </div>`;
  }

  private button(command: TransportCommand, name: string, picture: IconName, disabled: boolean): TemplateResult {
    return html`<button
      class=${command}
      aria-label=${name}
      title=${name}
      ?disabled=${disabled}
      @click=${() => this.send(command)}
    >
      ${icon(picture)}
    </button>`;
  }

  private send(command: TransportCommand): void {
    this.dispatchEvent(new TransportEvent(command));
  }

  private readonly choose = (event: Event): void => {
    const target = event.target;
    if (!(target instanceof HTMLSelectElement)) return;
    const chosen = STEP_SIZES.find(name => name === target.value);
    if (chosen !== undefined) this.dispatchEvent(new GranularityEvent(chosen));
  };
}

/** One for all: making it takes longer than using it. */
const NUMBERS = new Intl.NumberFormat('en');

function count(value: number): string {
  return NUMBERS.format(value).replaceAll(',', '\u2009');
}
