// The panel of a scenario: its text, predictions before what surprises, what can be broken, and the questions at the end.

import {sharedStyles} from '@hyperscope/elements';
import type {BreakIt, Question, ScenarioStep} from '@hyperscope/walkthroughs';
import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import '../switches/change-view.js';
import {arrowStyles, arrowsView} from './arrows-view.js';
import {inline, markdown, markdownStyles} from './markdown-view.js';
import {measurementStyles, measurementView} from './measurement-view.js';
import type {ScenarioWish} from '../lesson/lesson-events.js';
import type {ScenarioPlayer} from './player.js';
import {questionView} from './question-view.js';
import {scenarioStyles} from './scenario-styles.js';
import {seededView} from './seeded-view.js';

/** What the reader wants beside going on. */
export class ScenarioEvent extends CustomEvent<ScenarioWish> {
  constructor(what: ScenarioWish) {
    super('hs-scenario', {detail: what, bubbles: true, composed: true});
  }
}

@customElement('hs-scenario')
export class ScenarioPanel extends LitElement {
  static override readonly styles = [sharedStyles, markdownStyles, scenarioStyles, measurementStyles, arrowStyles];

  @property({attribute: false}) player: ScenarioPlayer | undefined = undefined;
  /** Grows with each change of the player, which is one object all the time. */
  @property({type: Number}) version = 0;
  /** Machines that the scenario shows together. */
  @property({attribute: false}) machines: readonly string[] = [];
  @property({type: Boolean, reflect: true}) presenting = false;
  #shown = -1;
  #revealed = false;
  #brokenShown: ScenarioPlayer['broken'] = undefined;

  protected override updated(changes: PropertyValues): void {
    super.updated(changes);
    const broken = this.player?.broken;
    if (broken !== this.#brokenShown) {
      this.#brokenShown = broken;
      this.renderRoot.querySelector('.broken')?.scrollIntoView({block: 'nearest'});
    }
    const part = this.player?.part ?? -1;
    const revealed = this.player?.isRevealed === true;
    // In a hall nobody scrolls: what is said of a prediction comes into sight by itself.
    if (this.presenting && part === this.#shown && revealed && !this.#revealed)
      this.renderRoot.querySelector('.body > .markdown')?.scrollIntoView({block: 'nearest'});
    this.#revealed = revealed;
    if (part === this.#shown) return;
    this.#shown = part;
    this.renderRoot.querySelector('.body')?.scrollTo({top: 0});
  }

  override render(): TemplateResult {
    const {player} = this;
    if (player === undefined) return html``;
    const {scenario, part, parts, trouble} = player;
    return html`<header>
        <span class="of">${scenario.title} · ${part + 1} of ${parts}</span>
        <button title="Another scenario (s)" @click=${() => this.send('choose')}>All</button>
        <button aria-label="Leave the scenario" @click=${() => this.send('leave')}>✕</button>
      </header>
      <div class="body" tabindex="0" role="region" aria-label="Scenario" aria-live="polite">
        ${trouble === '' ? nothing : html`<p class="trouble" role="alert">${trouble}</p>`} ${this.content(player)}
        ${
          this.machines.length > 1
            ? html`<div><button @click=${() => this.send('compare')}>All its machines side by side</button></div>`
            : nothing
        }
      </div>
      <footer>
        <button ?disabled=${part === 0} @click=${() => void player.previous()}>Back</button>
        <button
          class="next"
          ?disabled=${part + 1 >= parts && player.broken === undefined}
          @click=${() => void player.next()}
        >
          ${nextWord(player)}
        </button>
        <button class="quiet" title="Speaker notes in a second window (n)" @click=${() => this.send('notes')}>
          Notes
        </button>
        <button class="quiet" title="A page to print, or an animated picture" @click=${askToKeep}>Print</button>
        ${this.dots(player)}
      </footer>`;
  }

  private content(player: ScenarioPlayer): TemplateResult {
    if (player.isAtQuestions) return this.questions(player);
    const {step, scenario} = player;
    if (step === undefined)
      return html`<h2>${scenario.title}</h2>
        <p><b>Afterwards you know:</b> ${scenario.teaches}</p>
        ${markdown(scenario.introduction)}
        <div class="quiet">
          <h3>Sources</h3>
          <ul class="sources">
            ${scenario.sources.map(source => html`<li>${source}</li>`)}
          </ul>
        </div>`;
    return html`<h2>${inline(step.title)}</h2>
      ${
        step.prediction === undefined
          ? nothing
          : this.question(player, step.prediction, player.key('prediction'), 'What do you think?')
      }
      ${player.isRevealed ? markdown(step.text) : nothing}
      ${player.isRevealed && player.broken === undefined ? comparisons(player, step) : nothing}
      ${player.isRevealed && step.breakIt.length > 0 ? this.breakIts(player, step.breakIt) : nothing}`;
  }

  private questions(player: ScenarioPlayer): TemplateResult {
    const {right, answered, all} = player.score();
    return html`<h2>Questions</h2>
      ${player.scenario.questions.map((question, index) =>
        this.question(player, question, player.key(index), `Question ${index + 1}`),
      )}
      ${seededView(player)}
      <p role="status">
        ${answered === 0 ? 'Each answer is shown by a run of the machine.' : `${right} of ${answered} right; ${all} in all, predictions included.`}
      </p>
      <div><button @click=${() => void player.restart()}>Forget my answers and begin again</button></div>`;
  }

  private question(player: ScenarioPlayer, question: Question, key: string, title: string): TemplateResult {
    const given = player.answers[key];
    const isOpen = given === undefined && !(key === player.key('prediction') && player.isRevealed);
    return questionView({
      title,
      question,
      given,
      state: isOpen ? 'open' : 'answered',
      answer: choice => void player.answer(key, choice),
    });
  }

  private breakIts(player: ScenarioPlayer, all: readonly BreakIt[]): TemplateResult {
    const {broken} = player;
    return html`<section class="break" aria-label="Break it">
      <h3>Break it</h3>
      ${all.map(
        breakIt =>
          html`<button
            ?disabled=${broken !== undefined}
            aria-pressed=${broken?.breakIt === breakIt}
            @click=${() => void player.break(breakIt)}
          >
            ${inline(breakIt.title)}
          </button>`,
      )}
      ${
        broken === undefined
          ? nothing
          : html`<div class="broken" role="status">
              <b>${inline(broken.breakIt.title)}</b>
              ${
                broken.isRunning
                  ? html`<p>Running…</p>`
                  : html`${markdown(broken.breakIt.explanation)}
                    ${broken.change === undefined ? nothing : html`<hs-run-change .change=${broken.change}></hs-run-change>`}`
              }
              <div><button @click=${() => void player.repair()}>Repair it</button></div>
            </div>`
      }
    </section>`;
  }

  private dots(player: ScenarioPlayer): TemplateResult {
    const titles = ['Introduction', ...player.scenario.steps.map(({title}) => title), 'Questions'];
    return html`<ol class="dots" aria-label="Parts of the scenario">
      ${titles.slice(0, player.parts).map(
        (title, index) =>
          html`<li>
            <button
              aria-label=${title}
              title=${title}
              aria-current=${index === player.part ? 'step' : nothing}
              @click=${() => void player.go(index)}
            >
              <i></i>
            </button>
          </li>`,
      )}
    </ol>`;
  }

  private send(what: ScenarioWish): void {
    this.dispatchEvent(new ScenarioEvent(what));
  }
}

function comparisons(player: ScenarioPlayer, step: ScenarioStep): TemplateResult {
  const {measurement, arrowGuess} = step;
  const {part, compared, answers} = player;
  const seek = (index: number): void => player.seek(index);
  const answer = (key: string, choice: number): void => void player.answer(key, choice);
  return html`${measurement === undefined ? nothing : measurementView(measurement, compared.rowsOf(step), seek)}
  ${arrowGuess === undefined ? nothing : arrowsView({guess: arrowGuess, part, compared, answers, answer, seek})}`;
}

function askToKeep(event: Event): void {
  event.target?.dispatchEvent(new CustomEvent('hs-keep-walk', {bubbles: true, composed: true}));
}

function nextWord(player: ScenarioPlayer): string {
  if (player.broken !== undefined) return 'Repair it';
  if (player.step?.prediction !== undefined && !player.isRevealed) return 'Show it';
  if (player.step?.arrowGuess !== undefined && !player.compared.areShown) return 'Show the arrows';
  if (player.part === 0) return 'Begin';
  return player.part + 2 === player.parts && player.scenario.questions.length > 0 ? 'To the questions' : 'Next';
}
