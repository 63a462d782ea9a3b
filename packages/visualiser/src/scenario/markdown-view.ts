// Markdown of a scenario as elements of the page: made from the tree, so that nothing in a file can become HTML.

import {blocksOf} from '@hyperscope/walkthroughs';
import type {Block, Span} from '@hyperscope/walkthroughs';
import {assertUnreachable} from '@hyperscope/base';
import {css, html, type TemplateResult} from 'lit';

export const markdownStyles = css`
  .markdown :is(p, ul, ol, pre, blockquote, table) {
    margin: 0 0 0.7em;
  }
  .markdown > :last-child {
    margin-bottom: 0;
  }
  .markdown :is(ul, ol) {
    padding-inline-start: 1.4em;
  }
  .markdown li p {
    margin: 0;
  }
  .markdown code {
    font-family: var(--mono);
    font-size: 0.93em;
    background: var(--sunken);
    border-radius: 4px;
    padding: 0 3px;
  }
  .markdown pre {
    background: var(--sunken);
    border-radius: 6px;
    padding: 8px 10px;
    overflow-x: auto;
  }
  .markdown pre code {
    padding: 0;
    background: none;
  }
  .markdown blockquote {
    border-inline-start: 4px solid var(--line);
    padding-inline-start: 10px;
  }
  .markdown :is(td, th) {
    border-bottom: 1px solid var(--line);
    padding: 2px 8px 2px 0;
    text-align: start;
    vertical-align: top;
  }
  .markdown a {
    color: var(--focus);
  }
`;

/** A text with its paragraphs, lists and code. */
export const markdown = (text: string): TemplateResult =>
  html`<div class="markdown">${blocksOf(text).map(block)}</div>`;

/** A text that stands in a line: a choice, a title. */
export function inline(text: string): TemplateResult {
  const [first] = blocksOf(text);
  return first?.kind === 'paragraph' ? html`${first.spans.map(span)}` : html`${text}`;
}

function block(each: Block): TemplateResult {
  switch (each.kind) {
    case 'paragraph':
      return html`<p>${each.spans.map(span)}</p>`;
    case 'heading':
      return html`<p><strong>${each.spans.map(span)}</strong></p>`;
    case 'code':
      return html`<pre tabindex="0"><code>${each.text}</code></pre>`;
    case 'quote':
      return html`<blockquote>${each.blocks.map(block)}</blockquote>`;
    case 'list': {
      const items = each.items.map(item => html`<li>${item.map(block)}</li>`);
      return each.ordered
        ? html`<ol>
            ${items}
          </ol>`
        : html`<ul>
            ${items}
          </ul>`;
    }
    case 'table':
      return html`<table>
        <thead>
          <tr>
            ${each.header.map(cell => html`<th scope="col">${cell.map(span)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${each.rows.map(
            row =>
              html`<tr>
                ${row.map(cell => html`<td>${cell.map(span)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>`;
    default:
      return assertUnreachable(each);
  }
}

function span(each: Span): TemplateResult {
  switch (each.kind) {
    case 'text':
      return html`${each.text}`;
    case 'code':
      return html`<code>${each.text}</code>`;
    case 'strong':
      return html`<strong>${each.spans.map(span)}</strong>`;
    case 'emphasis':
      return html`<em>${each.spans.map(span)}</em>`;
    case 'link':
      return html`<a href=${each.to} target="_blank" rel="noopener noreferrer">${each.spans.map(span)}</a>`;
    case 'break':
      return html`<br />`;
    default:
      return assertUnreachable(each);
  }
}
