// The look of the dialog that makes a walk.

import {css} from 'lit';

export const walkDialogStyles = css`
  dialog {
    width: min(640px, 92vw);
  }
  fieldset {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 8px 14px;
    flex-basis: 100%;
    display: grid;
    gap: 6px;
  }
  .row {
    display: flex;
    gap: 8px;
    align-items: center;
    flex-wrap: wrap;
  }
  input[type='number'] {
    width: 6em;
  }
  progress {
    flex: 1 1 160px;
    accent-color: var(--focus);
  }
  .what {
    flex: 2 1 200px;
    font-variant-numeric: tabular-nums;
  }
  [role='status'],
  .trouble {
    margin: 12px 0 6px;
  }
  .trouble {
    border-inline-start: 5px solid var(--bad);
    padding: 4px 10px;
  }
  .open {
    color: inherit;
    border: 1px solid var(--strong-line);
    border-radius: var(--radius);
    padding: 5px 11px;
    text-decoration: none;
    font-weight: 650;
  }
  img {
    display: block;
    width: 100%;
    margin-top: 10px;
    border: 1px solid var(--line);
  }
  .close {
    margin-top: 14px;
    justify-content: end;
  }
`;
