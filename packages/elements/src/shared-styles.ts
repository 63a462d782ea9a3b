// What all elements share: the box, focus rings, headings, code type, and text for screen readers only.

import {css} from 'lit';

export const sharedStyles = css`
  :host {
    display: block;
    color: var(--ink);
    font: var(--size)/1.45 var(--sans);
    box-sizing: border-box;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  .mono {
    font-family: var(--mono);
    font-size: var(--code);
    font-variant-ligatures: none;
  }
  .mute {
    color: var(--mute);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    padding: 0;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
    border: 0;
  }
  h3 {
    font-size: 0.786em;
    letter-spacing: 0.06em;
    text-transform: uppercase;
    color: var(--mute);
    margin: 0 0 6px;
    font-weight: 650;
  }
  button {
    font: inherit;
    color: inherit;
    background: var(--panel);
    border: 1px solid var(--strong-line);
    border-radius: var(--radius);
    padding: 5px 11px;
    min-height: 30px;
    cursor: pointer;
  }
  select {
    font: inherit;
    color: inherit;
    background: var(--panel);
    border: 1px solid var(--strong-line);
    border-radius: var(--radius);
    min-height: 30px;
    padding: 4px 8px;
    text-overflow: ellipsis;
  }
  button:hover:not(:disabled) {
    background: var(--sunken);
    border-color: var(--ink);
  }
  button:disabled {
    color: var(--mute);
    border-color: var(--line);
    cursor: default;
  }
  .empty {
    color: var(--mute);
    padding: 14px 4px;
    margin: 0;
  }
  table {
    border-collapse: collapse;
    width: 100%;
  }
  th {
    text-align: start;
    font-weight: 600;
    color: var(--mute);
    font-size: 0.857em;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
    }
  }
`;
