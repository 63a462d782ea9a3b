// The look of the top bar.

import {css} from 'lit';

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
  select {
    min-height: 32px;
    padding: 0 8px;
    max-width: 19em;
  }
  .pick {
    display: flex;
    align-items: center;
    gap: 6px;
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
    select {
      max-width: 8.6em;
    }
    .theme select {
      max-width: 4.8em;
    }
    .pick select {
      max-width: 8.4em;
    }
    .kvm small {
      display: none;
    }
    .brand {
      font-size: 1.1em;
    }
    .pick .word {
      display: none;
    }
    button {
      padding-inline: 8px;
    }
  }
  /* With many machines the bar keeps to one line as long as it can. */
  @media (min-width: 1200px) and (max-width: 1740px) {
    select {
      max-width: 10em;
    }
    .theme select {
      max-width: 6em;
    }
    header {
      gap: 8px;
    }
    .word {
      display: none;
    }
  }
`;
