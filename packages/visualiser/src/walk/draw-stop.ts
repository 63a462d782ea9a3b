// Draws a moment of a walk: by the stage itself, put where nobody sees it, and read back as SVG. So a handout and an animated
// picture show what the lab shows, and nothing is drawn twice.

import {RingStage, stageSentence, type StagePicture} from '@hyperscope/elements';
import {css, html, nothing, render, type TemplateResult} from 'lit';
import {inlineSvg} from '../export/inline-svg.js';
import {svgPicture} from '../export/svg-picture.js';
import {inline, markdown} from '../scenario/markdown-view.js';
import type {Walk, WalkStop} from './walk.js';

/** The size of a frame of an animated picture, in CSS pixels: that of an old projector. */
export const FRAME = {width: 1024, height: 768} as const;
/** The sizes of its sentences: what is long is set smaller. */
const TYPE = {largest: 24, least: 11} as const;

/** Whether the picture keeps the theme of the page, or is for paper. */
export type Ground = 'page' | 'paper';

const frameStyles = css`
  .frame {
    box-sizing: border-box;
    width: ${FRAME.width}px;
    height: ${FRAME.height}px;
    padding: 12px 24px;
    overflow: hidden;
    background: var(--panel);
    color: var(--ink);
    font: ${TYPE.largest}px/1.28 var(--sans);
    --strip-display: none;
    --stage-height: 380px;
    --size: 20px;
  }
  .where {
    display: flex;
    gap: 18px;
    font-size: 17px;
    color: var(--mute);
  }
  .where :first-child {
    flex: 1;
  }
  h1 {
    font-size: 28px;
    line-height: 1.2;
    margin: 2px 0 6px;
  }
  .said {
    margin: 8px 0 6px;
  }
  .said :is(p, ul, ol, pre) {
    margin: 0 0 0.3em;
  }
  code {
    font-family: var(--mono);
    font-size: 0.9em;
  }
  .decided {
    border: 2px solid var(--strong-line);
    border-radius: 7px;
    padding: 4px 12px;
    font-weight: 700;
  }
`;

/** Puts something on the page where it is laid out and not seen, and takes it away again. */
async function outOfSight<T>(ground: Ground, content: TemplateResult, read: (root: ShadowRoot) => T): Promise<T> {
  const host = document.createElement('div');
  host.style.cssText = `position: fixed; inset: 0 auto auto -20000px; width: ${FRAME.width}px; pointer-events: none`;
  host.inert = true;
  host.ariaHidden = 'true';
  host.toggleAttribute('data-paper', ground === 'paper');
  const root = host.attachShadow({mode: 'open'});
  if (frameStyles.styleSheet !== undefined) root.adoptedStyleSheets = [frameStyles.styleSheet];
  document.body.append(host);
  try {
    render(content, root);
    for (const stage of root.querySelectorAll('hs-ring-stage'))
      if (stage instanceof RingStage) await stage.updateComplete;
    return read(root);
  } finally {
    host.remove();
  }
}

/** The rings of a moment as an <svg>, with the sentence that says the same. `names` begins the names inside it. */
export async function drawRings(picture: StagePicture, ground: Ground, names: string): Promise<string> {
  // On a page its half is as far away as a screen in a hall.
  const content = html`<hs-ring-stage .picture=${picture} hall></hs-ring-stage>`;
  return outOfSight(ground, content, root => {
    const drawn = root.querySelector('hs-ring-stage')?.shadowRoot?.querySelector('svg');
    if (!(drawn instanceof SVGSVGElement)) throw new Error('the stage has drawn nothing');
    const {width, height} = drawn.viewBox.baseVal;
    const element = new DOMParser().parseFromString(
      inlineSvg(drawn, {x: 0, y: 0, width, height}, names),
      'image/svg+xml',
    ).documentElement;
    element.setAttribute('role', 'img');
    element.setAttribute('aria-label', stageSentence(picture));
    return new XMLSerializer().serializeToString(element);
  });
}

/** A whole moment as a picture of its own: where it is, the stage, what happened and what decided. */
export async function drawFrame(walk: Walk, at: number, ground: Ground, names: string): Promise<string> {
  const stop = walk.stops[at];
  if (stop === undefined) throw new Error(`the walk has no stop ${at}`);
  return outOfSight(ground, frame(walk, stop, at), root => {
    const element = root.querySelector('.frame');
    if (!(element instanceof HTMLElement)) throw new Error('the frame was not drawn');
    for (let size = TYPE.largest; element.scrollHeight > FRAME.height && size > TYPE.least; size--)
      element.style.fontSize = `${size}px`;
    return svgPicture(element, `${at + 1} of ${walk.stops.length}: ${stop.title}`, names).svg;
  });
}

function frame(walk: Walk, stop: WalkStop, at: number): TemplateResult {
  const {why, index} = stop.moment;
  const decided = why.checks.find(check => check.decided);
  return html`<div class="frame">
    <div class="where">
      <span>${walk.title}</span><span>${stop.machine}</span><span>step ${index}</span
      ><span>${at + 1} / ${walk.stops.length}</span>
    </div>
    <h1>${inline(stop.title)}</h1>
    <hs-ring-stage .picture=${stop.picture} model=${stop.model} hall></hs-ring-stage>
    <div class="said">${stop.text === '' ? html`<p>${why.sentences[0] ?? ''}</p>` : markdown(stop.text)}</div>
    ${decided === undefined ? nothing : html`<div class="decided">${decided.holds ? '✓' : '✗'} ${decided.text}</div>`}
  </div>`;
}
