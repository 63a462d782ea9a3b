// The row of tabs. On a wide window it takes the lines that it needs; on a small one it is one line that scrolls, beside a menu of
// all panels.

import {css} from 'lit';
import {unseenMenu} from './unseen-menu.js';

export const inspectorStyles = css`
  :host([size='large']) {
    position: fixed;
    inset: 10px;
    width: auto;
    height: auto;
    max-width: none;
    max-height: none;
    margin: 0;
    padding: 12px 20px;
    overflow: auto;
    border: 2px solid var(--strong-line);
    border-radius: 12px;
    box-shadow: var(--shadow);
    background: var(--panel);
    --size: clamp(18px, 1.5vw, 28px);
    --code: clamp(17px, 1.4vw, 26px);
  }
  :host([size='large']) .bar {
    top: -12px;
  }
  :host([hall]) .size {
    display: none;
  }
  /* The row of tabs stays at the upper edge: the edge of what scrolls there is not magnified. */
  :host([hall]) .bar {
    top: calc(-10px / var(--magnified, 1));
  }
  /* A name and its value stand close enough to be read as a line. */
  :host([hall]) hs-register-file {
    max-width: 560px;
  }
  /* In the corner; the first row of tabs leaves it room. */
  .size {
    position: absolute;
    inset: 2px 0 auto auto;
    width: 26px;
    min-height: 26px;
    padding: 0;
  }
  .bar {
    border-bottom: 1px solid var(--line);
    margin-bottom: 10px;
    position: sticky;
    top: -12px;
    background: var(--panel);
    z-index: 1;
    padding-top: 2px;
  }
  [role='tablist'] {
    min-width: 0;
    margin-inline-start: -4px;
  }
  [role='tablist']::before {
    content: '';
    float: inline-end;
    width: 28px;
    height: 30px;
  }
  [role='tab'] {
    border: 0;
    border-bottom: 3px solid transparent;
    border-radius: 0;
    background: none;
    padding: 2px 4px;
    color: var(--mute);
    min-height: 26px;
    font-size: 0.88em;
    white-space: nowrap;
    flex: none;
  }
  [role='tab'][aria-selected='true'] {
    color: var(--ink);
    border-color: var(--ink);
    font-weight: 650;
  }
  [role='tab']:focus-visible {
    outline-offset: -2px;
  }
  .all {
    display: none;
    position: relative;
    flex: none;
    width: 26px;
    height: 26px;
    place-items: center;
    border: 1px solid var(--strong-line);
    border-radius: 6px;
  }
  .all:hover {
    background: var(--sunken);
  }
  .all:focus-within {
    outline: 2px solid var(--focus);
  }
  select {
    ${unseenMenu}
  }
  @media (max-width: 1400px), (max-height: 820px) {
    .bar {
      display: flex;
      align-items: center;
      gap: 4px;
    }
    :host(:not([hall])) .bar {
      padding-inline-end: 30px;
    }
    [role='tablist']::before {
      display: none;
    }
    [role='tablist'] {
      display: flex;
      flex: 1;
      overflow-x: auto;
      scrollbar-width: none;
      padding-inline-end: 18px;
      mask-image: linear-gradient(to right, #000 calc(100% - 18px), transparent);
    }
    .all {
      display: grid;
    }
  }
`;
