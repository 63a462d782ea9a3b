// Where the browser put the lines of a text, and in which type: asked character by character, because only the browser knows
// where it broke them.

import type {Line} from './svg-writer.js';

interface Metrics {
  /** Share of the content area of a line that lies above the baseline. */
  readonly ascent: number;
}

const metrics = new Map<string, Metrics>();

/** How a font divides a line, measured once. */
function metricsOf(font: string): Metrics {
  const known = metrics.get(font);
  if (known !== undefined) return known;
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return {ascent: 0.8};
  context.font = font;
  const {fontBoundingBoxAscent: above, fontBoundingBoxDescent: below} = context.measureText('x');
  const measured = {ascent: above / (above + below)};
  metrics.set(font, measured);
  return measured;
}

function transformed(text: string, style: CSSStyleDeclaration): string {
  return style.textTransform === 'uppercase' ? text.toUpperCase() : text;
}

/** The lines of a text node, in the coordinates of the window; none of a text that is not seen. */
export function textLines(node: Text): readonly Line[] {
  const parent = node.parentElement ?? (node.parentNode instanceof ShadowRoot ? node.parentNode.host : null);
  if (parent === null || node.data.trim() === '') return [];
  const style = getComputedStyle(parent);
  if (style.visibility !== 'visible') return [];
  const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const {ascent} = metricsOf(font);
  const range = document.createRange();
  const lines: {text: string; rect: DOMRect; right: number}[] = [];
  let at = 0;
  for (const character of node.data) {
    range.setStart(node, at);
    range.setEnd(node, at + character.length);
    at += character.length;
    const rect = range.getClientRects()[0];
    // White space that the browser took away has no box.
    if (rect === undefined || rect.width === 0) continue;
    const line = lines.at(-1);
    if (line !== undefined && Math.abs(line.rect.top - rect.top) < 2 && rect.left >= line.right - 1) {
      line.text += character;
      line.right = rect.right;
    } else lines.push({text: character, rect, right: rect.right});
  }
  return lines
    .filter(({text}) => text.trim() !== '')
    .map(({text, rect, right}) => ({
      text: transformed(text.replaceAll(/[\n\t]/g, ' '), style),
      x: rect.left,
      y: rect.top + rect.height * ascent,
      width: right - rect.left,
      family: style.fontFamily,
      size: parseFloat(style.fontSize),
      weight: style.fontWeight,
      style: style.fontStyle,
      colour: style.color,
    }));
}
