// The look of the code: lines of equal height, the current one, chips. In a narrow panel the bytes give way first.

import {css} from 'lit';

export const codeViewStyles = css`
  :host {
    container-type: inline-size;
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .bar {
    display: flex;
    gap: 2px;
    margin-bottom: 6px;
    align-items: center;
  }
  .bar button {
    border: 0;
    border-bottom: 2px solid transparent;
    border-radius: 0;
    padding: 3px 8px;
    background: none;
    color: var(--mute);
  }
  .bar button[aria-pressed='true'] {
    color: var(--ink);
    border-color: var(--ink);
    font-weight: 650;
  }
  .lines {
    overflow: auto;
    /* Lines come and go above the current one, which is kept in sight from here. */
    overflow-anchor: none;
    min-height: 0;
    flex: 1;
    font-family: var(--mono);
    font-size: var(--code);
    --line-height: calc(max(1.45em, 18.5px) + 4px);
  }
  .ruler {
    position: absolute;
    visibility: hidden;
    width: 0;
    height: var(--line-height);
  }
  /* All lines are equally high, with chips and without; the ruler says how high. */
  .line {
    height: var(--line-height);
    display: grid;
    grid-template-columns: 12px minmax(4ch, max-content) 9ch minmax(max-content, 1fr) max-content;
    gap: 0 7px;
    align-items: center;
    padding: 2px 6px 2px 4px;
    border-radius: 4px;
    white-space: pre;
    min-width: min-content;
  }
  .line.bytes-off {
    grid-template-columns: 14px max-content minmax(16ch, 1fr) max-content;
  }
  .where,
  .bytes {
    color: var(--mute);
  }
  .bytes {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .current {
    background: var(--hit);
    color: var(--hit-ink);
    box-shadow: inset 3px 0 0 var(--who);
  }
  .current .where,
  .current .bytes {
    color: inherit;
  }
  .gutter {
    display: block;
    width: 12px;
    height: 14px;
    line-height: 14px;
    border-radius: 7px;
    cursor: pointer;
  }
  .gutter:hover {
    box-shadow: inset 0 0 0 1.5px var(--bad);
  }
  .gutter.set {
    background: var(--bad);
  }
  .gutter.set .pointer {
    fill: var(--panel);
  }
  .pointer {
    width: 12px;
    height: 12px;
    fill: var(--who);
  }
  .left {
    background: none;
    color: inherit;
    box-shadow:
      inset 3px 0 0 var(--who),
      inset 0 0 0 1px var(--strong-line);
  }
  .left .pointer {
    fill: none;
    stroke: var(--who);
    stroke-width: 1.6;
  }
  .comment {
    color: var(--mute);
  }
  .current .comment {
    color: inherit;
  }
  .chips {
    display: flex;
    gap: 4px;
    position: sticky;
    inset-inline-end: 2px;
    /* A long instruction fades out under what is said of it. */
    --under: var(--panel);
    background: var(--under);
    box-shadow: -6px 0 5px var(--under);
  }
  .chips:empty {
    display: none;
  }
  .current .chips {
    --under: var(--hit);
  }
  .left .chips {
    --under: var(--panel);
  }
  .bytes {
    font-size: 0.92em;
  }
  /* The bytes of the current instruction stand below the code: the text and what is said of it come first. */
  @container (max-width: 360px) {
    .bytes {
      display: none;
    }
    .line {
      grid-template-columns: 12px max-content minmax(max-content, 1fr) max-content;
      gap: 0 6px;
    }
    .chips {
      gap: 3px;
    }
    .chip {
      padding: 0 5px;
    }
  }
  .chip {
    font: 650 11px/1.5 var(--sans);
    padding: 0 7px;
    border-radius: 9px;
    border: 1px solid currentColor;
    cursor: help;
  }
  .chip.exits {
    background: var(--hypervisor-tint);
    color: var(--hypervisor-ink);
  }
  .chip.privileged {
    background: var(--vmm-tint);
    color: var(--vmm-ink);
  }
  .chip.system-call,
  .chip.IOPL-sensitive {
    background: var(--device-tint);
    color: var(--device-ink);
  }
  .chip.stealth {
    background: var(--stealth-tint);
    color: var(--stealth-ink);
    border-style: dashed;
  }
`;
