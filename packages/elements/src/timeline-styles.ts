// The look of the timeline: names, track, and what lies over the canvas: playhead, selection, the tip of a mark.

import {css} from 'lit';

export const timelineStyles = css`
  .frame {
    display: grid;
    grid-template-columns: 118px 1fr;
  }
  .names {
    position: relative;
    font-size: 12.5px;
  }
  .names div {
    position: absolute;
    inset-inline: 0;
    display: flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
    line-height: 1;
  }
  .names svg {
    width: 12px;
    height: 12px;
    flex: none;
  }
  .track {
    position: relative;
    touch-action: none;
    cursor: ew-resize;
    min-width: 0;
    overflow: hidden;
    border-radius: 4px;
  }
  canvas {
    display: block;
    width: 100%;
  }
  /* Over the canvas, so that moving them paints nothing anew. */
  .playhead,
  .selection {
    position: absolute;
    top: 0;
    inset-inline-start: 0;
    pointer-events: none;
    will-change: transform;
  }
  .playhead svg {
    display: block;
    width: 12px;
    margin-inline-start: -6px;
    fill: var(--ink);
    overflow: visible;
  }
  .selection {
    bottom: 14px;
    background: color-mix(in srgb, var(--focus) 20%, transparent);
    border-inline: 2px solid var(--focus);
    box-sizing: border-box;
  }
  .tip {
    position: absolute;
    top: 0;
    transform: translateX(10px);
    background: var(--ink);
    color: var(--panel);
    border-radius: 5px;
    padding: 2px 8px;
    font-size: 12px;
    pointer-events: none;
    white-space: nowrap;
    z-index: 1;
  }
  .tip.left {
    transform: translateX(calc(-100% - 10px));
  }
  hs-timeline-map {
    grid-column: 2;
  }
`;
