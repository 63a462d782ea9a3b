// Pictures one after the other in one SVG file: each is shown for its time by CSS keyframes. There is no script in it, so it
// plays as an <img> too. Who prefers reduced motion sees the first picture still, and starts it by a click where the file is
// open by itself; for everybody else a click stops it.

import {escapeXml} from './svg-writer.js';

export interface AnimatedFrame {
  /** A whole SVG file of the common size; the names inside begin with something of its own. */
  readonly svg: string;
  /** What a screen reader says of it. */
  readonly sentence: string;
}

export interface AnimatedPicture {
  readonly title: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** How long each is shown. */
  readonly seconds: number;
  readonly frames: readonly AnimatedFrame[];
  /** Colours of what stands below: the page, its words, the part that has been played. */
  readonly colours: {readonly ground: string; readonly ink: string; readonly played: string};
}

/** Room below the pictures for how far they are. */
const FOOT = 34;

const percent = (share: number): string => `${(share * 100).toFixed(4)}%`;

/** A picture is visible for its share of the round, the first one at the beginning of it. */
function keyframes(count: number, seconds: number): string {
  const round = count * seconds;
  return `.f{animation:show ${round}s step-end infinite}
.played{transform-origin:0 0;animation:play ${round}s linear infinite}
@keyframes show{0%{visibility:visible}${percent(1 / count)}{visibility:hidden}100%{visibility:hidden}}
@keyframes play{from{transform:scaleX(0)}to{transform:scaleX(1)}}
svg:focus{outline:none}
svg:focus .f,svg:focus .played{animation-play-state:paused}
.still{display:none}
@media(prefers-reduced-motion:reduce){.f,.played{animation-play-state:paused}
svg:focus .f,svg:focus .played{animation-play-state:running}
.still{display:inline}.moving,svg:focus .still{display:none}}
@media print{.f{animation:none}}`;
}

/** One file. @throws Error where there is no picture. */
export function animatedPicture({title, width, height, seconds, frames, colours}: AnimatedPicture): string {
  if (frames.length === 0) throw new Error('an animated picture without pictures');
  const round = frames.length * seconds;
  const bodies = frames.map(({svg, sentence}, at) => {
    const inner = svg.replace(/^<\?xml[^>]*\?>\s*/, '');
    // What knows no animation shows the first.
    const standing = at === 0 ? '' : ' visibility="hidden"';
    return `<g class="f f${at}"${standing} style="animation-delay:${at * seconds - (at === 0 ? 0 : round)}s" aria-label="${escapeXml(sentence)}">${inner}</g>`;
  });
  const told = frames.map(({sentence}, at) => `${at + 1}. ${sentence}`).join('\n');
  const line = `x="16" y="${height + 23}" font-family="system-ui, sans-serif" font-size="15" fill="${escapeXml(colours.ink)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + FOOT}" viewBox="0 0 ${width} ${height + FOOT}" role="img" tabindex="0">
<title>${escapeXml(title)}</title>
<desc>${escapeXml(told)}</desc>
<style>${keyframes(frames.length, seconds)}</style>
<rect width="${width}" height="${height + FOOT}" fill="${escapeXml(colours.ground)}"/>
${bodies.join('\n')}
<rect y="${height}" width="${width}" height="5" fill="${escapeXml(colours.ink)}" fill-opacity="0.15"/>
<rect class="played" y="${height}" width="${width}" height="5" fill="${escapeXml(colours.played)}"/>
<text class="moving" ${line}>${frames.length} steps, ${seconds} s each. Click: stop; click beside it: on.</text>
<text class="still" ${line}>Still, as you prefer: click to play, click beside it to stop.</text>
</svg>
`;
}
