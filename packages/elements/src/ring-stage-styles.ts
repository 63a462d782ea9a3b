// The look of the stage. Sizes follow the stage's own width, so that a projector's last row can read it.

import {css} from 'lit';

export const ringStageStyles = css`
  :host {
    container-type: inline-size;
  }
  /* As wide as its height allows, so that what lies on it is placed and sized by the picture itself. */
  .stage {
    position: relative;
    container-type: inline-size;
    width: min(100%, calc(var(--stage-height, 44vh) * 1000 / 402));
    margin: 0 auto;
  }
  .stage > svg {
    display: block;
    width: 100%;
    height: auto;
  }
  text {
    font-family: var(--sans);
    fill: var(--ink);
    text-anchor: middle;
  }
  .side {
    font-size: calc(19px * var(--stage-type, 1));
    font-weight: 700;
  }
  .ring {
    font-size: calc(18px * var(--stage-type, 1));
    font-weight: 650;
  }
  .role {
    font-size: calc(16.5px * var(--stage-type, 1));
  }
  .thin {
    font-size: calc(14px * var(--stage-type, 1));
    fill: var(--mute);
  }
  .band {
    stroke-width: 1.5;
  }
  .band.role-here {
    stroke-width: 3.5;
  }
  .leg {
    fill: none;
    stroke-width: 1.6;
    stroke-dasharray: 3 6;
  }
  .leg.done {
    stroke-dasharray: none;
    stroke-width: 2.4;
    opacity: 0.75;
  }
  .leg.now {
    stroke-dasharray: none;
    stroke-width: 5;
  }
  .leg-name {
    font-size: calc(14.5px * var(--stage-type, 1));
    fill: var(--mute);
    paint-order: stroke;
    stroke: var(--panel);
    stroke-width: 5px;
  }
  .leg-name.now {
    font-weight: 700;
    fill: var(--ink);
    font-size: calc(16.5px * var(--stage-type, 1));
  }
  .token {
    transition: transform 420ms cubic-bezier(0.3, 0.7, 0.2, 1);
  }
  .halo {
    fill: none;
    stroke-width: 3;
    opacity: 0.55;
  }
  .ghost {
    opacity: 0.35;
  }
  /* As wide as the room between the rings, so that a reason has few lines. */
  .card {
    position: absolute;
    left: 50%;
    top: 54%;
    transform: translate(-50%, -50%);
    width: 25%;
    text-align: center;
    background: var(--panel);
    border: 2px solid var(--strong-line);
    border-radius: 10px;
    padding: 0.5em 0.4em;
    font-size: clamp(11px, var(--card-type, 1.75cqw), 24px);
    line-height: 1.25;
    box-shadow: var(--shadow);
    overflow-wrap: anywhere;
  }
  .card.quiet {
    width: 19%;
    border: 0;
    box-shadow: none;
    color: var(--mute);
    background: none;
  }
  .card :is(b, .reason, .cost) {
    display: block;
  }
  .alone .card {
    left: 84%;
    width: 27%;
  }
  .alone .card.quiet {
    display: none;
  }
  .card .cost {
    font-variant-numeric: tabular-nums;
    color: var(--mute);
  }
  .card .model {
    font-size: 0.9em;
  }
  /* Little room between the rings: the reason is left to the sentence below. Less: the card stands below the rings. */
  @container (max-width: 520px) {
    .both .card .reason {
      display: none;
    }
  }
  @container (max-width: 400px) {
    .stage .card {
      position: static;
      transform: none;
      width: auto;
      margin-top: 4px;
    }
  }
  /* In a hall: 26 units of a picture that is 930 px wide are 24 px. */
  :host([hall]) :is(.side, .ring, .role, .leg-name, .leg-name.now) {
    font-size: 26px;
  }
  :host([hall]) .role:not(:has(.ring)) {
    transform: translateY(6px);
  }
  :host([hall]) .card {
    font-size: clamp(24px, 2.6cqw, 40px);
    top: 56%;
    padding: 0.3em;
  }
  :host([hall]) .both .card {
    width: 22.4%;
  }
  :host([hall]) :is(.reason, .whose, .whose-side, .thin, .leg-name.idle, .both .kind) {
    display: none;
  }
  :host([hall]) .card .model {
    font-size: 1em;
  }
  :host([hall]) :is(table, th) {
    font-size: clamp(24px, 2.4cqw, 34px);
  }
  :host([hall]) tbody th {
    width: 6.6em;
  }
  :host([hall]) :is(th, td) {
    padding: 1px 4px;
  }
  :host([hall]) .strip {
    font-size: clamp(24px, 1.7cqw, 30px);
  }
  table {
    margin-top: 6px;
    table-layout: fixed;
    font-size: clamp(12px, 1.6cqw, 26px);
  }
  th {
    font-size: 0.85em;
    padding: 1px 8px;
  }
  thead th {
    text-align: center;
  }
  tbody th {
    width: 13em;
  }
  .corner {
    border: 0;
    background: none;
  }
  tbody td {
    border: 1px solid var(--line);
    text-align: center;
    padding: 3px 4px;
    color: var(--mute);
    background: var(--sunken);
  }
  tbody td.here {
    font-weight: 750;
    color: var(--here-ink);
    background: var(--here-tint);
    box-shadow: inset 0 0 0 3px var(--here);
  }
  td svg {
    display: inline-block;
    width: 0.95em;
    height: 0.95em;
    vertical-align: -0.1em;
    margin-inline-end: 0.35em;
  }
  @container (max-width: 820px) {
    .stage > svg {
      --stage-type: 1.12;
    }
  }
  @container (max-width: 520px) {
    .stage > svg {
      --stage-type: 1.3;
    }
    :host(:not([hall])) .role {
      transform: translateY(4px);
    }
  }
  /* A picture too small for words of that size has none: the table below says them. */
  @container (max-width: 860px) {
    :host([hall]) :is(text, .card) {
      display: none;
    }
  }
  .strip {
    display: var(--strip-display, flex);
    flex-wrap: wrap;
    align-items: baseline;
    gap: 4px 20px;
    margin: 6px 0 0;
    padding: 4px 12px;
    background: var(--sunken);
    border-radius: 6px;
    font-family: var(--mono);
    font-size: clamp(11px, 1.35cqw, 20px);
  }
  /* Beside one set of rings there is room for it. */
  @container (min-width: 620px) {
    :host(:not([hall])) .alone {
      position: relative;
    }
    :host(:not([hall])) .alone .strip {
      position: absolute;
      inset: 12% auto auto 0;
      max-width: 29%;
      margin: 0;
      padding: 8px 12px;
      flex-direction: column;
      gap: 6px;
    }
    :host(:not([hall])) .alone .strip div {
      flex-wrap: wrap;
      gap: 0 0.6em;
    }
  }
  .strip div {
    display: flex;
    align-items: baseline;
    gap: 0.6em;
  }
  .strip dt {
    color: var(--mute);
  }
  .strip dd {
    margin: 0;
  }
`;
