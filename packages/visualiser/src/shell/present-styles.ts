// The lab while it is presented: no chrome, and no word below 24 px that a hall has to read. By default the stage with its
// reason; on a wide screen beside each other, on an old projector below. Or one panel, which is the panel as it always is,
// magnified so that its smallest words are 24 px high: so it is laid out as it was made to be.

import {css} from 'lit';

export const presentStyles = css`
  :host([presenting]) {
    --size: calc(clamp(24px, 1.4vw, 34px) * var(--panel-zoom));
    --code: calc(clamp(24px, 1.3vw, 32px) * var(--panel-zoom));
    --stage-height: 49vh;
    /* The smallest words of a panel are 10 px high. */
    --magnified: calc(2.4 * var(--panel-zoom));
    --strip-display: none;
    grid-template-rows: auto minmax(0, 1fr);
  }
  :host([presenting]) :is(hs-toolbar, .left, .right, footer, .middle h2, .notice) {
    display: none;
  }
  :host([presenting]) main:not(.center, .comparing) {
    display: block;
    background: var(--panel);
  }
  :host([presenting]) .middle {
    height: 100%;
    padding: 8px 20px;
    display: flex;
    flex-direction: column;
    gap: 8px;
    align-items: stretch;
  }
  :host([presenting]) .story {
    min-height: 0;
    justify-content: start;
  }
  @media (min-aspect-ratio: 3/2) {
    :host([presenting]) {
      --stage-height: 52vh;
    }
  }
  @media (min-width: 1800px) {
    :host([presenting]) {
      --stage-height: 100vh;
      --strip-display: flex;
      --magnified: calc(2.8 * var(--panel-zoom));
    }
    :host([presenting]) .middle {
      padding: 16px 24px;
      display: grid;
      grid-template: minmax(0, 1fr) / minmax(0, 1.15fr) minmax(0, 1fr);
      gap: 24px;
      align-items: center;
    }
    :host([presenting]) .story {
      max-height: 100%;
      justify-content: center;
    }
  }

  /* With a scenario: its text, and beside it the stage over the reason. */
  :host([presenting]) main.lesson:not(.center) {
    display: grid;
    gap: 1px;
    background: var(--line);
    grid-template: minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1.15fr);
    --stage-height: 26vh;
  }
  :host([presenting]) .lesson .scenario {
    grid-row: 1;
    padding: 10px 16px;
  }
  :host([presenting]) main.lesson .middle {
    grid-column: 2;
    grid-row: 1;
    display: flex;
    padding: 8px 14px;
    gap: 8px;
    align-items: stretch;
  }
  @media (min-width: 1800px) {
    :host([presenting]) main.lesson:not(.center) {
      grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
      --stage-height: 42vh;
    }
    :host([presenting]) .lesson .scenario {
      padding: 18px 24px;
    }
    :host([presenting]) main.lesson .middle {
      padding: 14px 20px;
    }
    :host([presenting]) .lesson .story {
      justify-content: start;
    }
  }

  /* One panel. */
  :host([presenting][filling]) main:not(.center, .comparing) {
    display: block;
  }
  :host([presenting][filling]) main > .panel {
    display: none;
    height: 100%;
    padding: 10px 20px;
  }
  :host([filling='code']) main > .left,
  :host([filling='console']) main > .left,
  :host([filling='stage']) main > .middle,
  :host([filling='why']) main > .middle,
  :host([filling='timeline']) main > .middle,
  :host([filling='scenario']) main > .scenario {
    display: flex !important;
    flex-direction: column;
  }
  :host([filling='inspector']) main > .right {
    display: block !important;
  }
  :host([presenting][filling]) main > .middle {
    align-items: stretch;
  }
  :host([presenting]) .edit {
    display: none;
  }
  :host([filling='code']) .left > :not(.code),
  :host([filling='console']) .left > :not(hs-console),
  :host([filling='stage']) .middle > .story,
  :host([filling='why']) .middle > .stage,
  :host([filling='timeline']) .middle > .stage,
  :host(:is([filling='why'], [filling='timeline'])) .story > :not(.why) {
    display: none !important;
  }
  :host(:is([filling='code'], [filling='console'], [filling='inspector'], [filling='timeline'], [filling='why'])) {
    --size: 14px;
    --code: 12.5px;
  }
  :host([filling='code']) .left .code,
  :host([filling='console']) .left hs-console,
  :host([filling='inspector']) hs-inspector,
  :host([filling='why']) .story .why,
  :host([filling='timeline']) hs-timeline {
    zoom: var(--magnified);
  }
  :host([filling='code']) .code {
    flex: 1 1 0;
    min-height: 0;
  }
  :host([filling='console']) .left hs-console {
    flex: 1 1 0;
    min-height: 0;
    --console-height: none;
  }
  :host([filling='why']) .story {
    justify-content: start;
    max-height: none;
    flex: 1 1 0;
  }
  :host([filling='why']) .story .why {
    flex: 1 1 0;
  }
  :host([filling='stage']) .middle > .stage {
    width: calc(100% * max(1, var(--panel-zoom)));
    --stage-height: calc((100vh - 200px) * var(--panel-zoom));
    --strip-display: flex;
    margin: auto 0;
  }
  :host([filling='timeline']) {
    grid-template-rows: auto auto minmax(0, 1fr);
  }
  :host([presenting][filling='timeline']) footer {
    display: block;
    grid-row: 2;
    padding: 14px 20px;
  }
  :host([filling='timeline']) footer > :not(hs-timeline) {
    display: none;
  }
  :host([filling='timeline']) main {
    grid-row: 3;
    --size: clamp(24px, 1.4vw, 34px);
    --code: clamp(24px, 1.3vw, 32px);
  }
  :host([filling='scenario']) .scenario {
    --size: calc(clamp(28px, 2.2vw, 44px) * var(--panel-zoom));
    --code: calc(clamp(26px, 2vw, 40px) * var(--panel-zoom));
  }
  .blackout {
    position: fixed;
    inset: 0;
    background: #000;
    z-index: 10;
  }
  :host([presenting]) main.comparing:not(.center) {
    display: grid;
    grid-row: 2;
  }
`;
