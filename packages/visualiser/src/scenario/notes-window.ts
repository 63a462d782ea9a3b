// The speaker's window: the note of this step, what comes next, and the time; without a scenario all that is known of the
// moment. It is drawn from here, so it needs no file of its own and works offline.

import {html, nothing, render, type TemplateResult} from 'lit';
import type {Moment} from '@hyperscope/trace';
import {markdown} from './markdown-view.js';
import {momentNotes} from './moment-notes.js';
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
  .now { font-size: 1.15em; font-weight: 650; }
  ol { padding-inline-start: 1.2em; list-style: none; }
  small { color: #a7b0bf; }
  button { font: inherit; color: inherit; background: none; border: 1px solid #7a8494; border-radius: 8px; padding: 4px 12px; }
`;
const BLOCKED = 'The browser did not open a second window. Allow pop-up windows for this page, and press n again.';

export class NotesWindow {
  #window: Window | undefined = undefined;
  #timer: ReturnType<typeof setInterval> | undefined = undefined;
  #player: ScenarioPlayer | undefined = undefined;
  #moment: Moment | undefined = undefined;
  #since = 0;
  readonly #now: () => number;
  readonly #key: (key: string) => void;

  /** `now`: milliseconds; `key`: what the lab does with a key that was pressed here. */
  constructor(now: () => number, key: (key: string) => void) {
    this.#now = now;
    this.#key = key;
  }

  /** Opens the window, or brings it to the front. What goes wrong is a sentence. */
  open(player: ScenarioPlayer | undefined): string | undefined {
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
        this.#pressed(event);
      });
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#draw(), 1000);
    }
    this.#window = opened;
    opened.focus();
    this.show(player);
    return undefined;
  }

  #pressed(event: KeyboardEvent): void {
    const player = this.#player;
    if (event.ctrlKey || event.metaKey || event.altKey || ['Tab', 'Enter', ' '].includes(event.key)) return;
    event.preventDefault();
    if (player !== undefined && (event.key === 'ArrowRight' || event.key === 'PageDown')) void player.next();
    else if (player !== undefined && (event.key === 'ArrowLeft' || event.key === 'PageUp')) void player.previous();
    else this.#key(event.key);
  }

  /** What is on the screen. */
  tell(moment: Moment | undefined): void {
    if (moment === this.#moment) return;
    this.#moment = moment;
    this.#draw();
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
    const moment = this.#moment;
    return html`<header>
        <b>${clock(this.#now() - this.#since)}</b
        ><span>${player === undefined ? '' : `${player.part + 1} of ${player.parts}`}</span
        ><button
          @click=${() => {
            this.#since = this.#now();
            this.#draw();
          }}
        >
          Set the clock to 0
        </button>
      </header>
      ${player === undefined ? nothing : scenarioNotes(player)} ${moment === undefined ? nothing : momentNotes(moment)}`;
  }
}

/** The note of the step, what is asked and broken there, and what comes next. */
function scenarioNotes(player: ScenarioPlayer): TemplateResult {
  const {step, scenario, part} = player;
  const next = scenario.steps[part];
  return html`<h1>${step?.title ?? (player.isAtQuestions ? 'Questions' : scenario.title)}</h1>
    <div class="note">${markdown(step?.note ?? (part === 0 ? scenario.teaches : 'No note for this part.'))}</div>
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

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
const clock = (milliseconds: number): string => `${two(milliseconds / 60_000)}:${two((milliseconds / 1000) % 60)}`;
