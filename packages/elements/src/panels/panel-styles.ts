// What the panels of the inspector have in common: a line of tools, tables that scroll by themselves, and what changed.

import {css} from 'lit';

export const panelStyles = css`
  p {
    margin: 0 0 8px;
  }
  h3 {
    margin-top: 14px;
  }
  h3:first-child {
    margin-top: 0;
  }
  .scroll {
    overflow-x: auto;
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    align-items: center;
    margin-bottom: 8px;
  }
  .tools button,
  .small {
    min-height: 28px;
    padding: 2px 9px;
  }
  td,
  th {
    padding: 3px 8px 3px 0;
    vertical-align: baseline;
    border-top: 1px solid var(--line);
  }
  thead th {
    border-top: 0;
    white-space: nowrap;
  }
  :is(td, th):last-child {
    padding-right: 0;
  }
  td.mono {
    overflow-wrap: anywhere;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .words {
    color: var(--mute);
    font-size: 0.9em;
  }
  .changed {
    background: var(--hit);
    color: var(--hit-ink);
  }
  .changed .words {
    color: inherit;
  }
  .tag {
    display: inline-block;
    font: 600 0.8em/1.5 var(--sans);
    padding: 0 5px;
    border: 1px solid var(--strong-line);
    border-radius: 4px;
    margin-inline-end: 3px;
  }
  .bad {
    color: var(--bad);
    font-weight: 650;
  }
`;
