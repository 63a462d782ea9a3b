// The moment on the screen as the speaker has it: all that the machine says of the step, where the hall sees the first lines.

import type {Moment} from '@hyperscope/trace';
import {html, nothing, type TemplateResult} from 'lit';

export function momentNotes({why, serial, next}: Moment): TemplateResult {
  const {title, sentences, checks, otherwise, sources} = why;
  return html`<h2>On the screen</h2>
    <p class="now">${title}</p>
    ${sentences.map(sentence => html`<p>${sentence}</p>`)}
    ${
      checks.length === 0
        ? nothing
        : html`<ol>
            ${checks.map(({text, holds, decided, source}) => {
              const said = html`${holds ? '✓' : '✗'} ${text}`;
              return html`<li>
                ${decided ? html`<b>${said} (decided)</b>` : said}
                ${source === '' ? nothing : html`<small>${source}</small>`}
              </li>`;
            })}
          </ol>`
    }
    ${otherwise === undefined ? nothing : html`<p><b>Otherwise:</b> ${otherwise}</p>`}
    ${sources.length === 0 ? nothing : html`<p><small>${sources.join(' · ')}</small></p>`}
    ${serial === '' ? nothing : html`<p>Printed so far: <code>${serial.slice(-200)}</code></p>`}
    ${next === undefined ? html`<p class="next">The run ends here.</p>` : nothing}`;
}
