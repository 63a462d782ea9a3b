// The arrangement of the lab: code, stage, inspector, and the timeline below; two columns on a small projector. How it is
// arranged while presenting stands in present-styles.ts.

import {css} from 'lit';

export const labStyles = css`
  :host {
    display: grid;
    height: 100dvh;
    overflow: hidden;
    grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr);
    background: var(--line);
    gap: 1px;
  }
  hs-toolbar,
  .panel,
  footer {
    background: var(--panel);
  }
  .notice {
    display: flex;
    gap: 12px;
    align-items: center;
    background: var(--hit);
    color: var(--hit-ink);
    padding: 6px 16px;
  }
  .notice p {
    margin: 0;
    flex: 1;
  }
  main {
    display: grid;
    grid-template-columns: minmax(330px, 23%) minmax(0, 1fr) minmax(350px, 27.5%);
    gap: 1px;
    min-height: 0;
  }
  /* Positioned, so that text for screen readers only is clipped with the rest. */
  .panel {
    position: relative;
    contain: layout paint style;
    padding: 10px 14px;
    min-width: 0;
    min-height: 0;
    overflow: auto;
  }
  .left {
    display: flex;
    flex-direction: column;
    gap: 10px;
  }
  .left .code {
    flex: 1 1 auto;
    min-height: 160px;
    display: flex;
    flex-direction: column;
  }
  .left hs-code-view {
    flex: 1;
    min-height: 0;
  }
  .left hs-source-editor {
    flex: 1;
  }
  .encoding {
    flex: none;
    max-height: 40%;
    overflow: auto;
    margin-block: -4px;
  }
  .encoding summary {
    cursor: pointer;
    font-size: 0.9em;
    min-height: 24px;
  }
  /* Whose code it is where that is not the guest of the top bar, and whether it was changed. */
  .whose {
    margin-inline: auto 8px;
    align-self: center;
    font-weight: 650;
    font-size: 0.9em;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .edited {
    color: var(--hypervisor-ink);
  }
  .edit {
    margin-inline-start: auto;
    min-height: 26px;
    padding: 1px 12px;
  }
  .whose + .edit {
    margin-inline-start: 0;
  }
  .left:has(hs-console:nth-of-type(3)) hs-console {
    --console-height: 5.8em;
  }
  .left hs-console {
    flex: none;
  }
  /* The editor has room for a line with its bytes; its lists may reach over the edge of the panel. */
  main.editing {
    grid-template-columns: minmax(480px, 37%) minmax(0, 1fr) minmax(340px, 22%);
  }
  .editing .left {
    contain: none;
    overflow: hidden;
    z-index: 1;
  }
  .editing .left .exits {
    display: none;
  }
  .left .exits {
    flex: none;
    overflow: auto;
    max-height: 34%;
  }
  .middle {
    display: flex;
    flex-direction: column;
    gap: 8px;
  }
  .middle .stage {
    flex: none;
  }
  /* What happened has the room that the stage leaves, and scrolls by itself. */
  .story {
    flex: 1 1 0;
    min-height: 0;
    display: flex;
    flex-direction: column;
    gap: 8px;
  }
  .story .why {
    flex: 0 1 auto;
    min-height: 90px;
    display: flex;
    flex-direction: column;
  }
  .story > :not(.why) {
    flex: none;
  }
  .story > .card {
    flex: 0 1 auto;
    min-height: 28px;
    overflow: auto;
  }
  .card summary {
    cursor: pointer;
    font-weight: 650;
    min-height: 24px;
  }
  h2 {
    font-size: 0.786em;
    letter-spacing: 0.06em;
    text-transform: uppercase;
    color: var(--mute);
    margin: 0 0 6px;
    font-weight: 650;
  }
  footer {
    position: relative;
    padding: 7px 14px 3px;
    display: grid;
    gap: 5px;
    min-width: 0;
  }
  footer hs-cost-note {
    margin-inline-start: auto;
    min-width: 0;
  }
  .busy {
    margin: 0;
    padding: 3px 12px;
    background: var(--hit);
    color: var(--hit-ink);
    border-radius: 6px;
    font-variant-numeric: tabular-nums;
  }
  .record {
    color: var(--mute);
    font-size: 0.9em;
    font-variant-numeric: tabular-nums;
  }
  main.center {
    display: grid;
    grid-template: 1fr / 1fr;
    place-items: center;
    text-align: center;
    padding: 40px;
  }
  .failed {
    max-width: 60ch;
    text-align: start;
    border-inline-start: 5px solid var(--bad);
    padding: 4px 18px;
  }
  .spinner {
    width: 34px;
    height: 34px;
    border-radius: 50%;
    border: 4px solid var(--line);
    border-top-color: var(--hypervisor);
    animation: turn 0.9s linear infinite;
    margin: 0 auto 12px;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  .outcome {
    margin: 0;
    padding: 6px 12px;
    background: var(--sunken);
    border-radius: 6px;
  }
  :host([dropping])::after {
    content: 'Drop it here: a boot sector, a multiboot kernel, a 64-bit ELF file, or assembly';
    position: fixed;
    inset: 12px;
    z-index: 9;
    display: grid;
    place-items: center;
    border: 4px dashed var(--focus);
    border-radius: 12px;
    background: var(--panel);
    opacity: 0.94;
    color: var(--ink);
    font-size: 1.6em;
    text-align: center;
    pointer-events: none;
  }
  @media (min-width: 1200px) {
    .middle {
      padding: 12px 22px;
    }
  }
  @media (min-width: 1800px) {
    :host {
      --size: 15.5px;
      --code: 13.5px;
    }
  }
  @media (max-width: 1329px) {
    .record:not([role]) {
      display: none;
    }
  }
  @media (max-height: 900px) {
    .left .exits {
      display: none;
    }
    .middle h2,
    .left .code h2 {
      position: absolute;
      clip-path: inset(50%);
    }
    :host {
      --stage-height: 38vh;
    }
  }
  @media (max-height: 800px) {
    :host {
      --stage-height: 29vh;
    }
    .panel {
      padding-block: 8px;
    }
    .middle {
      gap: 6px;
    }
    /* With the real run beside it the story needs the room more than the stage does. */
    .middle:has(hs-beside) {
      --stage-height: 27vh;
      --strip-display: none;
    }
  }
  @media (max-height: 740px) {
    :host {
      --stage-height: 27vh;
      --strip-display: none;
    }
  }
  @media (max-width: 1199px) {
    main:not(.center) {
      grid-template-columns: 330px minmax(0, 1fr);
      grid-template-rows: minmax(0, 1.25fr) minmax(0, 1fr);
    }
    .panel {
      padding-inline: 10px;
    }
    .middle {
      padding-inline: 12px;
    }
    .left {
      gap: 6px;
    }
    .encoding {
      margin-block: -2px;
    }
    /* Under the names of the lanes, beside the axis. */
    footer hs-cost-note {
      position: absolute;
      inset: auto auto 1px 8px;
      width: 126px;
    }
    main.editing:not(.center) {
      grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr);
      grid-template-rows: minmax(0, 1fr);
    }
    .editing .right {
      display: none;
    }
    .middle {
      grid-column: 2;
      grid-row: 1 / 3;
    }
    main.editing .middle {
      grid-row: 1;
    }
    .right {
      grid-column: 1;
    }
    .left .exits,
    main:not(.editing) .left hs-console[empty] {
      display: none;
    }
    /* The newest line, and the cursor below it. */
    main:not(.editing) .left hs-console {
      --console-height: 3.4em;
      --console-least: 0;
      --console-padding: 2px 10px;
      --console-name: none;
    }
  }
  /* A tablet held upright: the stage across both columns. */
  @media (min-width: 760px) and (max-width: 959px) and (min-height: 800px) {
    :host {
      --stage-height: 21vh;
      --strip-display: none;
    }
    .middle h2,
    .left .code h2 {
      position: absolute;
      clip-path: inset(50%);
    }
    main:not(.center, .editing, .lesson) {
      grid-template: minmax(0, 2fr) minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr);
    }
    main:not(.editing, .lesson) .middle {
      grid-column: 1 / 3;
      grid-row: 1;
    }
    main:not(.editing, .lesson) .right {
      grid-column: 2;
    }
  }
  /* A small window, or a large one at 200 %: the page scrolls, and the transport stays at hand. */
  @media (max-width: 759px), (max-height: 599px) {
    :host(:not([presenting])) {
      height: auto;
      min-height: 100dvh;
      overflow: visible;
      --stage-height: 70vh;
    }
    :host(:not([presenting])) main:not(.center) {
      display: flex;
      flex-direction: column;
    }
    :host(:not([presenting])) .panel {
      overflow: visible;
      contain: none;
    }
    :host(:not([presenting])) .middle {
      order: -1;
    }
    :host(:not([presenting])) :is(.story, .story > *) {
      flex: none;
    }
    :host(:not([presenting])) .left :is(.exits, hs-console) {
      display: block;
    }
    :host(:not([presenting])) .left hs-code-view {
      max-height: 60vh;
    }
    :host(:not([presenting])) .left hs-source-editor {
      flex: none;
      height: 70vh;
    }
    :host(:not([presenting])) footer hs-cost-note {
      position: static;
      width: auto;
    }
    :host(:not([presenting])) footer {
      position: sticky;
      bottom: 0;
      z-index: 2;
      border-top: 1px solid var(--line);
    }
    :host(:not([presenting])) hs-timeline {
      display: none;
    }
  }
  @media (max-height: 449px) {
    :host(:not([presenting])) footer {
      position: static;
    }
  }
  /* Inside somebody else's page: the panels that it asked for, side by side. */
  :host([embed]:not([presenting])) {
    height: 100dvh;
    min-height: 0;
    overflow: hidden;
    grid-template-rows: auto minmax(0, 1fr) auto;
    --stage-height: calc(100dvh - 210px);
    --strip-display: none;
    --size: 14px;
    --code: 12.5px;
  }
  :host([embed]:not([presenting])) main:not(.center) {
    display: flex;
    flex-direction: row;
  }
  :host([embed]:not([presenting])) .panel {
    overflow: auto;
    contain: layout paint style;
    padding: 8px 12px;
  }
  :host([embed]:not([presenting])) footer {
    position: static;
    padding-block: 4px;
  }
  :host([embed~='timeline']:not([presenting])) hs-timeline {
    display: block;
  }
  :host([embed]) hs-cost-note {
    display: none;
  }
  .whole {
    position: fixed;
    inset: auto 12px 6px auto;
    z-index: 3;
    color: var(--ink);
    background: var(--panel);
    font-size: 0.9em;
    padding: 4px 6px;
  }
  :host([embed~='timeline']) .whole {
    inset: auto 12px 122px auto;
  }
  :host([embed]) main.comparing ~ .whole {
    inset: auto 12px 6px auto;
  }
  :host([embed~='stage'][embed~='why']:not([presenting])) .middle {
    flex-direction: row;
    align-items: start;
  }
  :host([embed~='stage'][embed~='why']:not([presenting])) .middle > .stage {
    flex: 1.5 1 0;
    min-width: 0;
  }
  :host([embed~='stage'][embed~='why']:not([presenting])) .middle > .story {
    align-self: stretch;
    overflow: auto;
  }
  :host([embed]) main:not(.center) > .panel {
    flex: 1 1 0;
  }
  :host([embed]) main:not(.center) > .middle {
    flex: 1.6 1 0;
    order: 0;
  }
  :host([embed]) :is(.left .exits, .middle h2),
  :host([embed]:not([embed~='code'], [embed~='console'])) .left,
  :host([embed]:not([embed~='code'])) .left .code,
  :host([embed]:not([embed~='console'])) .left hs-console,
  :host([embed]:not([embed~='stage'], [embed~='why'])) .middle,
  :host([embed]:not([embed~='stage'])) .stage,
  :host([embed]:not([embed~='why'])) .story,
  :host([embed]:not([embed~='inspector'])) .right,
  :host([embed]:not([embed~='timeline'])) hs-timeline {
    display: none;
  }
  @media (max-width: 759px) {
    :host([embed]:not([presenting])) main:not(.center),
    :host([embed~='stage'][embed~='why']:not([presenting])) .middle {
      flex-direction: column;
    }
  }
  main.comparing:not(.center) {
    display: grid;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
    grid-row: 3 / 5;
    min-height: 0;
  }
`;
