// An <svg> of the page as a part of another: what the style sheets said of its shapes is written to the shapes, and the names of
// its markers and gradients are made its own.

import type {Box} from './svg-writer.js';

/** What style sheets say of shapes and texts. */
const PROPERTIES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'font-style',
  'letter-spacing',
  'text-anchor',
  'dominant-baseline',
  'paint-order',
  'marker-start',
  'marker-mid',
  'marker-end',
  'visibility',
] as const;

/** What the properties are where nobody said anything: not worth writing. */
const INITIAL: Readonly<Record<string, string>> = {
  'fill-opacity': '1',
  'stroke-opacity': '1',
  'stroke-dasharray': 'none',
  'stroke-linecap': 'butt',
  'stroke-linejoin': 'miter',
  opacity: '1',
  'font-style': 'normal',
  'letter-spacing': 'normal',
  'text-anchor': 'start',
  'dominant-baseline': 'auto',
  'paint-order': 'normal',
  'marker-start': 'none',
  'marker-mid': 'none',
  'marker-end': 'none',
  visibility: 'visible',
};

const isDrawn = (element: Element): boolean => getComputedStyle(element).display !== 'none';
const isDefinition = (element: Element): boolean => element.closest('defs, marker, clipPath, linearGradient') !== null;

/** Copies shapes with all that is said of them; what is not drawn is left out. */
function copyOf(element: Element, prefix: string): Element {
  const copy = element.cloneNode(false);
  if (!(copy instanceof Element)) throw new Error('the copy of an element is one');
  const style = getComputedStyle(element);
  copy.removeAttribute('class');
  copy.removeAttribute('style');
  for (const name of PROPERTIES) {
    const value = style.getPropertyValue(name);
    if (value === '' || value === INITIAL[name]) copy.removeAttribute(name);
    else copy.setAttribute(name, value.replaceAll(/url\("?[^"#)]*#([^")]+)"?\)/g, `url(#${prefix}$1)`));
  }
  const move = style.transform;
  if (move !== 'none' && !element.hasAttribute('transform')) copy.setAttribute('transform', move);
  for (const name of ['href', 'clip-path', 'mask']) {
    const value = copy.getAttribute(name);
    if (value?.startsWith('#') === true) copy.setAttribute(name, `#${prefix}${value.slice(1)}`);
    else if (value !== null) copy.setAttribute(name, value.replaceAll(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`));
  }
  if (element.id !== '') copy.id = prefix + element.id;
  for (const child of element.childNodes) {
    if (child instanceof Text) copy.append(child.data);
    else if (child instanceof Element && (isDrawn(child) || isDefinition(child))) copy.append(copyOf(child, prefix));
  }
  return copy;
}

/** The text of `svg` at a place in another one; `prefix` makes its names unlike those of others. */
export function inlineSvg(svg: SVGSVGElement, box: Box, prefix: string): string {
  const copy = copyOf(svg, prefix);
  for (const [name, value] of Object.entries({x: box.x, y: box.y, width: box.width, height: box.height}))
    copy.setAttribute(name, String(Math.round(value * 100) / 100));
  for (const name of ['role', 'aria-label', 'aria-hidden', 'tabindex']) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}
