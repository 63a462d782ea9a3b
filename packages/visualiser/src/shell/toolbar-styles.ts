// The look of the top bar.

import {css} from 'lit';
import {unseenMenu} from '../views/unseen-menu.js';

export const toolbarStyles = css`
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    padding: 8px 16px;
  }
  .brand {
    font-weight: 750;
    font-size: 1.22em;
    letter-spacing: -0.01em;
    margin: 0;
  }
  .brand b {
    color: var(--hypervisor-ink);
  }
  .space {
    flex: 1;
  }
  /* As wide as what is chosen. */
  select {
    min-height: 32px;
    padding: 0 6px;
    min-width: 0;
    field-sizing: content;
    text-overflow: ellipsis;
  }
  .pick {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
  }
  .pick[hidden] {
    display: none;
  }
  .icon {
    position: relative;
    display: grid;
    place-items: center;
    flex: none;
    width: 34px;
    height: 32px;
    padding: 0;
    border: 1px solid var(--strong-line);
    border-radius: var(--radius);
  }
  .icon:hover {
    background: var(--sunken);
    border-color: var(--ink);
  }
  .icon:focus-within {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  .icon select {
    ${unseenMenu}
  }
  .named {
    display: flex;
    align-items: center;
    gap: 7px;
  }

  .kvm {
    display: flex;
    align-items: center;
    gap: 8px;
    border: 2px solid var(--device);
    color: var(--device-ink);
    background: var(--device-tint);
    font-weight: 650;
  }
  .kvm:hover:not(:disabled) {
    background: var(--device-tint);
    border-color: var(--device-ink);
  }
  .kvm small {
    font-weight: 500;
  }
  @media (max-width: 1199px) {
    header {
      padding: 6px 8px;
      gap: 6px 5px;
    }
    header > button {
      flex: none;
    }
    .pick {
      flex: 0 1 auto;
    }
    .pick select {
      max-width: 100%;
    }
    .kvm small {
      display: none;
    }
    .brand {
      font-size: 1.1em;
    }
    .pick .word,
    .named .word {
      display: none;
    }
    button {
      padding-inline: 8px;
    }
  }
  /* With many machines the bar keeps to one line as long as it can. */
  @media (max-width: 959px) {
    .brand {
      position: absolute;
      clip-path: inset(50%);
    }
  }
  @media (min-width: 760px) {
    header {
      flex-wrap: nowrap;
    }
  }
  @media (min-width: 1200px) and (max-width: 1740px) {
    header {
      gap: 8px;
    }
    .pick .word {
      display: none;
    }
  }
`;
