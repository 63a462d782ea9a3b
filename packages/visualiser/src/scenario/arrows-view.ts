// Arrows between those who have the processor, as a table of from and to: one is chosen and judged, then the run tells how it was
// taken.

import {actorLook} from '@hyperscope/elements';
import type {Arrow, ArrowGuess} from '@hyperscope/walkthroughs';
import {css, html, nothing, type TemplateResult} from 'lit';
import {markdown} from './markdown-view.js';
import {ARROW_GUESS, arrowKey} from './step-comparisons.js';
import type {StepComparisons} from './step-comparisons.js';

export const arrowStyles = css`
  .arrows table {
    border-collapse: collapse;
    width: 100%;
    table-layout: fixed;
  }
  .arrows :is(td, th) {
    border: 1px solid var(--line);
    padding: 3px;
    text-align: center;
    font-size: 0.82em;
  }
  .arrows th small {
    display: block;
    color: var(--mute);
    font-weight: 400;
  }
  .arrows td button {
    width: 100%;
    min-height: 34px;
    padding: 0;
    font-weight: 700;
  }
  .arrows td .yes {
    background: var(--accent);
    color: var(--on-accent);
  }
  .arrows td [aria-pressed='true'] {
    outline: 3px solid var(--focus);
    outline-offset: -3px;
  }
  :host([presenting]) .arrows :is(td, th) {
    padding: 1px;
    font-size: 0.66em;
    line-height: 1.15;
  }
  :host([presenting]) .arrows > .markdown {
    font-size: 0.8em;
  }
  .arrows .guess {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .arrows p {
    margin: 0;
  }
`;

export interface ArrowsShown {
  readonly guess: ArrowGuess;
  readonly part: number;
  readonly compared: StepComparisons;
  readonly answers: Readonly<Record<string, number>>;
  readonly answer: (key: string, choice: number) => void;
  readonly seek: (index: number) => void;
}

export function arrowsView(shown: ArrowsShown): TemplateResult {
  const {guess} = shown;
  const actors = [...new Set(guess.arrows.flatMap(({from, to}) => [from, to]))];
  const name = (actor: Arrow['from']): TemplateResult =>
    html`${actorLook(actor).name}<small>${actorLook(actor).place}</small>`;
  return html`<section class="ask arrows" aria-label="Arrows">
    <h3>Choose an arrow</h3>
    ${markdown(guess.question)}
    <table>
      <thead>
        <tr>
          <th scope="col">from ↓ to →</th>
          ${actors.map(actor => html`<th scope="col">${name(actor)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${actors.map(
          from =>
            html`<tr>
              <th scope="row">${name(from)}</th>
              ${actors.map(to => cell(shown, from, to))}
            </tr>`,
        )}
      </tbody>
    </table>
    ${chosenArrow(shown)}
    <p role="status">${tally(shown)}</p>
  </section>`;
}

const guessOf = ({part, answers}: ArrowsShown, arrow: Arrow): number | undefined => answers[arrowKey(part, arrow)];
const isRight = (arrow: Arrow, given: number): boolean => given === ARROW_GUESS[arrow.exists];
const words = ({from, to}: Arrow): string =>
  `${actorLook(from).name} (${actorLook(from).place}) to ${actorLook(to).name} (${actorLook(to).place})`;

function cell(shown: ArrowsShown, from: Arrow['from'], to: Arrow['to']): TemplateResult {
  const {guess, compared} = shown;
  const arrow = guess.arrows.find(each => each.from === from && each.to === to);
  if (arrow === undefined) return html`<td></td>`;
  const isTold = compared.areShown || guessOf(shown, arrow) !== undefined;
  const [mark, said] = !isTold
    ? ['?', 'not judged yet']
    : arrow.exists === 'yes'
      ? ['→', 'exists']
      : ['–', 'does not exist'];
  return html`<td>
    <button
      class=${isTold && arrow.exists === 'yes' ? 'yes' : ''}
      aria-pressed=${compared.chosen === arrow}
      aria-label="${words(arrow)}: ${said}"
      @click=${() => compared.choose(arrow)}
    >
      ${mark}
    </button>
  </td>`;
}

function chosenArrow(shown: ArrowsShown): TemplateResult | typeof nothing {
  const {compared, part, answer} = shown;
  const arrow = compared.chosen;
  if (arrow === undefined) return nothing;
  const given = guessOf(shown, arrow);
  const key = arrowKey(part, arrow);
  return html`<p><b>From ${words(arrow)}</b></p>
    ${
      given === undefined && !compared.areShown
        ? html`<div class="guess">
            Is there such an arrow?
            <button @click=${() => answer(key, ARROW_GUESS.yes)}>It exists</button>
            <button @click=${() => answer(key, ARROW_GUESS.no)}>It does not</button>
          </div>`
        : html`${given === undefined ? nothing : html`<p class="verdict">${isRight(arrow, given) ? 'Right.' : 'Not so.'}</p>`}
          ${markdown(arrow.because)} ${taken(shown, arrow)}`
    }`;
}

/** What the open run says of an arrow. */
function taken({compared, seek}: ArrowsShown, arrow: Arrow): TemplateResult {
  const crossing = compared.crossingOf(arrow);
  if (crossing === undefined)
    return html`<p>
      ${arrow.exists === 'yes' ? 'This run did not take it; the run that shows it has other switches.' : 'This run never took it.'}
    </p>`;
  return html`<p>
    Taken ${crossing.count.toLocaleString('en')} ${crossing.count === 1 ? 'time' : 'times'} in this run, first by
    ${crossing.how}. <button @click=${() => seek(crossing.first)}>Show it</button>
  </p>`;
}

function tally(shown: ArrowsShown): string {
  const judged = shown.guess.arrows.flatMap(arrow => {
    const given = guessOf(shown, arrow);
    return given === undefined ? [] : [isRight(arrow, given)];
  });
  const all = shown.guess.arrows.length;
  if (judged.length === 0 && shown.compared.areShown)
    return `${shown.guess.arrows.filter(({exists}) => exists === 'yes').length} of ${all} arrows exist.`;
  return judged.length === 0
    ? `${all} arrows; none judged yet.`
    : `${judged.filter(Boolean).length} of ${judged.length} right; ${all} in all.`;
}
