// A question with its choices: asked, or answered with the reason.

import type {Question} from '@hyperscope/walkthroughs';
import {html, nothing, type TemplateResult} from 'lit';
import {inline, markdown} from './markdown-view.js';

export interface AskedQuestion {
  readonly title: string;
  readonly question: Pick<Question, 'answer' | 'because' | 'choices' | 'text'>;
  /** The choice that was made. */
  readonly given: number | undefined;
  /** Whether the right choice is still to be found. */
  readonly state: 'answered' | 'open';
  readonly answer: (choice: number) => void;
  /** Below the reason. */
  readonly more?: TemplateResult | undefined;
}

const GLYPHS = {right: '✓', wrong: '✗', '': '·'} as const;

export function questionView({title, question, given, state, answer, more}: AskedQuestion): TemplateResult {
  const isOpen = state === 'open';
  const mark = (index: number): keyof typeof GLYPHS =>
    isOpen ? '' : index === question.answer ? 'right' : index === given ? 'wrong' : '';
  return html`<section class="ask" aria-label=${title}>
    <h3>${title}</h3>
    ${markdown(question.text)}
    <ol class="choices">
      ${question.choices.map(
        (choice, index) =>
          html`<li>
            <button class=${mark(index)} ?disabled=${!isOpen} @click=${() => answer(index)}>
              <span aria-hidden="true">${isOpen ? String.fromCharCode(65 + index) : GLYPHS[mark(index)]}</span
              ><span>${inline(choice)}</span>
            </button>
          </li>`,
      )}
    </ol>
    ${
      isOpen
        ? nothing
        : html`${given === undefined ? nothing : html`<p class="verdict">${given === question.answer ? 'Right.' : 'Not so.'}</p>`}
          ${markdown(question.because)} ${more ?? nothing}`
    }
  </section>`;
}
