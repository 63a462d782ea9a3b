// The look of the editor's bars; the text itself is dressed by editor-look.ts.

import {css} from 'lit';

export const sourceEditorStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    gap: 6px;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    align-items: center;
  }
  .bar button,
  .open {
    padding: 3px 9px;
    min-height: 28px;
  }
  .run {
    background: var(--accent);
    color: var(--on-accent);
    border-color: var(--accent);
    font-weight: 650;
  }
  .run:hover:not(:disabled) {
    background: var(--accent);
    text-decoration: underline;
  }
  .open {
    border: 1px solid var(--strong-line);
    border-radius: var(--radius);
    cursor: pointer;
    position: relative;
  }
  .open:hover {
    background: var(--sunken);
    border-color: var(--ink);
  }
  .open:focus-within {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  .unsaved {
    color: var(--hypervisor-ink);
    font-weight: 650;
    white-space: nowrap;
  }
  .text {
    flex: 1;
    min-height: 120px;
    border: 1px solid var(--strong-line);
    overflow: hidden;
    /* The longest line must not make the page wider than the window. */
    contain: inline-size;
  }
  .standing {
    display: flex;
    gap: 12px;
    justify-content: space-between;
    min-height: 1.5em;
    color: var(--mute);
  }
  .standing p {
    margin: 0;
  }
  .problem {
    border: 0;
    padding: 0;
    min-height: 24px;
    background: none;
    color: var(--bad);
    font-weight: 650;
    text-align: start;
    text-decoration: underline;
  }
`;
