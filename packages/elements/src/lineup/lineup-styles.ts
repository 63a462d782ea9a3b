// The rows of a comparison: name, picture, who runs, counts; one line through all pictures where the playhead is.

import {css} from 'lit';

export const lineupStyles = css`
  .lanes {
    --columns: minmax(9.6em, 12em) minmax(120px, 1fr) minmax(8.4em, 12em) 5em 5.4em 6.4em;
    display: grid;
    gap: 1px;
  }
  .head,
  .lane {
    display: grid;
    grid-template-columns: var(--columns);
    gap: 12px;
    align-items: center;
    padding: 1px 10px;
  }
  .head {
    border-inline-start: 4px solid transparent;
    color: var(--mute);
    font-weight: 600;
  }
  .head > * {
    font-size: 0.857em;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .lane {
    border: 1px solid transparent;
    border-inline-start: 4px solid transparent;
    border-radius: 6px;
    cursor: pointer;
    min-height: 42px;
  }
  .lane:hover {
    background: var(--sunken);
  }
  .lane[aria-checked='true'] {
    background: var(--sunken);
    border-color: var(--strong-line);
    border-inline-start-color: var(--ink);
  }
  .lane.waiting,
  .lane.absent {
    color: var(--mute);
  }
  .name {
    display: grid;
    line-height: 1.2;
  }
  .name b {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .verdict {
    font-size: 0.9em;
    color: var(--mute);
  }
  .verdict.right {
    color: var(--good);
  }
  .verdict.wrong,
  .verdict.state-differs {
    color: var(--bad);
    font-weight: 650;
  }
  .word {
    grid-column: 2 / -1;
  }
  .strip {
    position: relative;
    height: 36px;
    cursor: ew-resize;
    touch-action: pan-y;
  }
  .strip svg {
    width: 100%;
    height: 100%;
    display: block;
    background: var(--sunken);
    border-radius: 3px;
  }
  .lane[aria-checked='true'] .strip svg {
    background: var(--panel);
  }
  .strip::after {
    content: '';
    position: absolute;
    inset: -5px auto -5px calc(var(--at) * 100%);
    width: 2px;
    margin-inline-start: -1px;
    background: var(--ink);
    pointer-events: none;
  }
  .who {
    display: grid;
    grid-template-columns: 18px 1fr;
    align-items: center;
    font-weight: 600;
    line-height: 1.15;
  }
  .who small {
    grid-column: 2;
  }
  small {
    white-space: nowrap;
    display: block;
    font-weight: 400;
    color: var(--mute);
    font-size: 0.857em;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
    line-height: 1.15;
  }
  .scrub {
    display: grid;
    grid-template-columns: minmax(9.6em, 12em) minmax(120px, 1fr) minmax(8.4em, 12em) 5em 5.4em 6.4em;
    gap: 12px;
    align-items: center;
    padding: 3px 10px;
    border-inline-start: 4px solid transparent;
    color: var(--mute);
  }
  .scrub input {
    width: 100%;
    margin: 0;
    accent-color: var(--ink);
  }
  .scrub output {
    font-variant-numeric: tabular-nums;
    color: var(--ink);
    white-space: nowrap;
  }
  @media (max-width: 1100px) {
    .lanes {
      --columns: minmax(8.8em, 9.6em) minmax(100px, 1fr) minmax(8em, 9.4em) 3.2em 5.6em;
    }
    .scrub {
      grid-template-columns: minmax(8.8em, 9.6em) minmax(100px, 1fr) minmax(8em, 9.4em) 3.2em 5.6em;
    }
    .head > :nth-child(5),
    .lane.compared > :nth-child(5) {
      display: none;
    }
  }
`;
