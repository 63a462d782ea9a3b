// From a wish to a file: the guest is run, each moment drawn, and a picture or a page made of them.

import {animatedPicture} from '../export/animated-picture.js';
import {FRAME, drawFrame, drawRings} from './draw-stop.js';
import {handoutPage} from './handout-page.js';
import type {Walk} from './walk.js';

export interface MadeWalk {
  readonly kind: 'handout' | 'picture';
  readonly file: Blob;
  /** `hyperscope-d6-popf-handout.html` */
  readonly name: string;
  readonly stops: number;
}

export interface DrawingSurroundings {
  readonly progress: (done: number, of: number, what: string) => void;
  readonly signal: AbortSignal;
}

const fileName = (walk: Walk, ending: string): string =>
  `hyperscope-${walk.title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60)}${ending}`;

/** Draws every stop in turn; the page stays alive in between. */
async function drawn(
  walk: Walk,
  {progress, signal}: DrawingSurroundings,
  draw: (at: number) => Promise<string>,
): Promise<readonly string[]> {
  const pictures: string[] = [];
  for (const [at, stop] of walk.stops.entries()) {
    signal.throwIfAborted();
    progress(at, walk.stops.length, `drawing: ${stop.title}`);
    pictures.push(await draw(at));
    await new Promise(resolve => setTimeout(resolve));
  }
  return pictures;
}

/** A page to print. */
export async function makeHandout(walk: Walk, around: DrawingSurroundings): Promise<MadeWalk> {
  const rings = await drawn(walk, around, async at => {
    const stop = walk.stops[at];
    return stop === undefined ? '' : drawRings(stop.picture, 'paper', `s${at + 1}-`);
  });
  const file = new Blob([handoutPage(walk, rings)], {type: 'text/html;charset=utf-8'});
  return {kind: 'handout', file, name: fileName(walk, '-handout.html'), stops: walk.stops.length};
}

/** An animated picture in the theme of the page, each stop for so many seconds. */
export async function makePicture(walk: Walk, seconds: number, around: DrawingSurroundings): Promise<MadeWalk> {
  const frames = await drawn(walk, around, async at => drawFrame(walk, at, 'page', `f${at + 1}-`));
  const style = getComputedStyle(document.documentElement);
  const colour = (token: string): string => style.getPropertyValue(token).trim();
  const svg = animatedPicture({
    title: walk.title,
    ...FRAME,
    seconds,
    frames: frames.map((picture, at) => {
      const stop = walk.stops[at];
      return {svg: picture, sentence: `${stop?.title ?? ''}: ${stop?.moment.why.sentences[0] ?? ''}`};
    }),
    colours: {ground: colour('--panel'), ink: colour('--ink'), played: colour('--focus')},
  });
  const file = new Blob([svg], {type: 'image/svg+xml'});
  return {kind: 'picture', file, name: fileName(walk, '.svg'), stops: walk.stops.length};
}
