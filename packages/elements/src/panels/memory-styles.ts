// The look of the memory view: a grid of bytes that stays readable from afar.

import {css} from 'lit';

export const memoryStyles = css`
  table {
    width: auto;
    font: var(--code)/1.5 var(--mono);
    border-collapse: separate;
    border-spacing: 0;
  }
  th,
  td {
    padding: 0 2px;
    border: 0;
    min-width: 24px;
    height: 24px;
    text-align: center;
    vertical-align: middle;
    cursor: pointer;
    border-radius: 3px;
  }
  th {
    font: inherit;
    padding: 0 6px;
    cursor: default;
  }
  td.eighth {
    min-width: 30px;
    padding-inline-end: 8px;
  }
  td:hover {
    background: var(--sunken);
  }
  td.changed {
    font-weight: 700;
  }
  /* Written, with the value that it held. */
  .rewritten {
    background: var(--sunken);
    font-weight: 700;
    box-shadow: inset 0 0 0 1px var(--strong-line);
  }
  td.mark {
    text-decoration: underline 2px;
    text-underline-offset: 3px;
  }
  td.selected {
    outline: 2px solid var(--focus);
    outline-offset: -2px;
  }
  td.text {
    text-align: start;
    white-space: pre;
    cursor: default;
    padding: 0 0 0 6px;
    border-inline-start: 1px solid var(--line);
    border-radius: 0;
  }
  td.text:hover {
    background: none;
  }
  .below {
    margin-top: 8px;
    font-size: 0.92em;
  }
  .set {
    white-space: nowrap;
  }
  select {
    background: var(--sunken);
    border-radius: 5px;
    min-height: 24px;
    padding: revert;
  }
  .detail {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--sunken);
    padding: 6px 8px;
    margin-bottom: 8px;
  }
  .detail p {
    margin: 0 0 4px;
  }
  .detail dl {
    margin: 0 0 4px;
  }
  dl {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 14px;
    margin: 0 0 8px;
  }
  dl > div {
    display: flex;
    gap: 5px;
  }
  dt {
    color: var(--mute);
  }
  .writer p {
    margin-bottom: 4px;
  }
  /* A row of eight bytes with its characters fits the narrow column of a small projector. */
  @media (max-width: 1199px) {
    td {
      min-width: 20px;
      padding: 0 1px;
    }
    td.eighth {
      min-width: 23px;
      padding-inline-end: 4px;
    }
    th {
      padding: 0 3px;
    }
    td.text {
      padding-inline-start: 4px;
    }
    .detail dl {
      display: none;
    }
  }
  dd {
    margin: 0;
    font-family: var(--mono);
    font-size: var(--code);
  }
`;
