// The rows of a comparison: name, picture, who runs, counts; one line through all pictures where the playhead is.

import {css} from 'lit';

export const lineupStyles = css`
  .lanes {
    --columns: minmax(120px, 170px) minmax(120px, 1fr) minmax(118px, 170px) 72px 72px 88px;
    display: grid;
    gap: 2px;
  }
  .head,
  .lane {
    display: grid;
    grid-template-columns: var(--columns);
    gap: 12px;
    align-items: center;
    padding: 3px 10px;
  }
  .head {
    font-size: 0.857em;
    color: var(--mute);
    font-weight: 600;
  }
  .lane {
    border: 1px solid transparent;
    border-inline-start: 4px solid transparent;
    border-radius: 6px;
    cursor: pointer;
    min-height: 48px;
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
    gap: 1px;
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
    height: 40px;
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
    inset: -6px auto -6px calc(var(--at) * 100%);
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
    line-height: 1.25;
  }
  .who small {
    grid-column: 2;
  }
  small {
    display: block;
    font-weight: 400;
    color: var(--mute);
    font-size: 0.857em;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
    line-height: 1.25;
  }
  .scrub {
    display: grid;
    grid-template-columns: minmax(120px, 170px) minmax(120px, 1fr) minmax(118px, 170px) 72px 72px 88px;
    gap: 12px;
    align-items: center;
    padding: 4px 10px;
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
      --columns: minmax(96px, 120px) minmax(120px, 1fr) minmax(110px, 130px) 56px 76px;
    }
    .scrub {
      grid-template-columns: minmax(96px, 120px) minmax(120px, 1fr) minmax(110px, 130px) 56px 76px;
    }
    .head > :nth-child(5),
    .lane.compared > :nth-child(5) {
      display: none;
    }
  }
`;
