// The speaker's window: the note of this step, what comes next, and the time. It is drawn from here, so it needs no file of its
// own and works offline.

import {html, nothing, render, type TemplateResult} from 'lit';
import {markdown} from './markdown-view.js';
import type {ScenarioPlayer} from './player.js';

const STYLE = `
  body { margin: 0; padding: 18px 24px; font: 20px/1.45 system-ui, sans-serif; background: #14181f; color: #f2f4f8; }
  header { display: flex; gap: 24px; align-items: baseline; font-variant-numeric: tabular-nums; color: #a7b0bf; }
  header b { font-size: 1.6em; color: #f2f4f8; }
  h1 { font-size: 1.3em; margin: 18px 0 8px; }
  h2 { font-size: 0.8em; letter-spacing: 0.06em; text-transform: uppercase; color: #a7b0bf; margin: 26px 0 6px; }
  .note { font-size: 1.25em; border-left: 6px solid #f0803a; padding-left: 14px; }
  .next { color: #c9d0db; }
  code { background: #232a36; border-radius: 4px; padding: 0 4px; }
  button { font: inherit; color: inherit; background: none; border: 1px solid #7a8494; border-radius: 8px; padding: 4px 12px; }
`;
const BLOCKED = 'The browser did not open a second window. Allow pop-up windows for this page, and press n again.';

export class NotesWindow {
  #window: Window | undefined = undefined;
  #timer: ReturnType<typeof setInterval> | undefined = undefined;
  #player: ScenarioPlayer | undefined = undefined;
  #since = 0;
  readonly #now: () => number;

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Opens the window, or brings it to the front. What goes wrong is a sentence. */
  open(player: ScenarioPlayer): string | undefined {
    const opened =
      this.#window?.closed === false ? this.#window : window.open('', 'hyperscope-notes', 'popup,width=760,height=620');
    if (opened === null) return BLOCKED;
    if (this.#window !== opened) {
      this.#since = this.#now();
      const style = opened.document.createElement('style');
      style.textContent = STYLE;
      opened.document.head.replaceChildren(style);
      opened.document.title = 'Speaker notes';
      opened.document.documentElement.lang = 'en';
      // The clicker's keys work in whichever window has them.
      opened.addEventListener('keydown', event => {
        if (event.key === 'ArrowRight' || event.key === 'PageDown') void this.#player?.next();
        if (event.key === 'ArrowLeft' || event.key === 'PageUp') void this.#player?.previous();
      });
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#draw(), 1000);
    }
    this.#window = opened;
    opened.focus();
    this.show(player);
    return undefined;
  }

  /** What the window shows from now on; nothing where it is closed. */
  show(player: ScenarioPlayer | undefined): void {
    this.#player = player;
    this.#draw();
  }

  #draw(): void {
    const opened = this.#window;
    if (opened === undefined) return;
    if (opened.closed) {
      clearInterval(this.#timer);
      this.#window = undefined;
      return;
    }
    render(this.#page(), opened.document.body);
  }

  #page(): TemplateResult {
    const player = this.#player;
    if (player === undefined) return html`<p>No scenario is open.</p>`;
    const {step, scenario, part, parts} = player;
    const next = scenario.steps[part];
    const time = `${clock(this.#now() - this.#since)}`;
    return html`<header>
        <b>${time}</b><span>${part + 1} of ${parts}</span
        ><button
          @click=${() => {
            this.#since = this.#now();
            this.#draw();
          }}
        >
          Set the clock to 0
        </button>
      </header>
      <h1>${step?.title ?? (player.isAtQuestions ? 'Questions' : scenario.title)}</h1>
      <div class="note">
        ${markdown(step?.note ?? (player.part === 0 ? scenario.teaches : 'No note for this part.'))}
      </div>
      ${
        step?.prediction === undefined
          ? nothing
          : html`<h2>Asked here</h2>
              <p>Right is: ${step.prediction.choices[step.prediction.answer] ?? ''}</p>`
      }
      ${
        step === undefined || step.breakIt.length === 0
          ? nothing
          : html`<h2>To break</h2>
              <ul>
                ${step.breakIt.map(({title}) => html`<li>${title}</li>`)}
              </ul>`
      }
      <h2>Next</h2>
      <p class="next">${next?.title ?? (player.isAtQuestions ? 'The end.' : 'Questions')}</p>`;
  }
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
const clock = (milliseconds: number): string => `${two(milliseconds / 60_000)}:${two((milliseconds / 1000) % 60)}`;
