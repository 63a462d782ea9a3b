// The part of the help that leads to the documentation, and says what of it is there without a network.

import {css, html, type TemplateResult} from 'lit';

/** Pages of the documentation that somebody who asks for help may want. */
const PAGES = [
  {name: 'Words: the glossary', path: 'glossary'},
  {name: 'Getting started', path: 'getting-started'},
  {name: 'The tour of ideas', path: 'tour'},
  {name: 'Moving in time', path: 'time'},
  {name: 'The inspector', path: 'inspector'},
] as const;

export const readingStyles = css`
  .reading {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 18px;
    margin-block: 0 8px;
  }
  .reading a {
    color: var(--ink);
  }
`;

/** Links to the documentation; the line on what is kept fills when its element has been loaded. */
export function reading(): TemplateResult {
  return html`<h3>To read</h3>
    <p class="reading">
      ${PAGES.map(({name, path}) => html`<a href="./docs/${path}.html" target="_blank" rel="noopener">${name}</a>`)}
    </p>
    <hs-offline-state></hs-offline-state>`;
}

/** Loads what fills the line. Where it cannot be had the line stays empty: the rest of the help is here. */
export function loadReading(): void {
  void import('../offline/offline-state.js').catch(() => undefined);
}
