// Writes SVG: the few shapes that a page is made of. Everything that comes from the page is escaped here and nowhere else.

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly text: string;
  /** Where its baseline begins. */
  readonly x: number;
  readonly y: number;
  /** How wide the page set it, so that another font takes the same room; undefined where that was not asked. */
  readonly width: number | undefined;
  readonly family: string;
  readonly size: number;
  readonly weight: string;
  readonly style: string;
  readonly colour: string;
}

interface Stroke {
  readonly width: number;
  readonly colour: string;
  /** A border style of CSS. */
  readonly dash: string;
}

const ESCAPES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};

/** Text as it may stand in XML; characters that XML cannot have are left out. */
export function escapeXml(text: string): string {
  return text.replaceAll(/(?![\t\n\r])\p{Cc}/gu, '').replaceAll(/[&<>"]/g, found => ESCAPES[found] ?? '');
}

const number = (value: number): string => String(Math.round(value * 100) / 100);
const dashes = ({dash, width}: Stroke): string =>
  dash === 'dashed'
    ? ` stroke-dasharray="${number(width * 3)} ${number(width * 2)}"`
    : dash === 'dotted'
      ? ` stroke-dasharray="${number(width)}"`
      : '';

export class SvgWriter {
  readonly #parts: string[];
  readonly #names: string;
  #clips = 0;

  /** Begins a picture of this size in CSS pixels; `names` begins the names inside it, so that pictures can stand in one file. */
  constructor(width: number, height: number, title: string, names = '') {
    this.#names = names;
    const size = `width="${number(width)}" height="${number(height)}" viewBox="0 0 ${number(width)} ${number(height)}"`;
    this.#parts = [`<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img"><title>${escapeXml(title)}</title>`];
  }

  rectangle(box: Box, fill: string, radius: number): void {
    this.#parts.push(
      `<rect ${this.#box(box)}${radius > 0 ? ` rx="${number(radius)}"` : ''} fill="${escapeXml(fill)}"/>`,
    );
  }

  /** A border that is the same on all sides, inside the box as CSS draws it. */
  frame({x, y, width, height}: Box, stroke: Stroke, radius: number): void {
    const half = stroke.width / 2;
    const inner = {
      x: x + half,
      y: y + half,
      width: Math.max(0, width - stroke.width),
      height: Math.max(0, height - stroke.width),
    };
    this.#parts.push(
      `<rect ${this.#box(inner)}${radius > 0 ? ` rx="${number(Math.max(0, radius - half))}"` : ''} fill="none" stroke="${escapeXml(stroke.colour)}" stroke-width="${number(stroke.width)}"${dashes(stroke)}/>`,
    );
  }

  /** One side of a border. */
  edge({x, y, width, height}: Box, stroke: Stroke & {readonly side: 'bottom' | 'left' | 'right' | 'top'}): void {
    const thick = stroke.width;
    const {side} = stroke;
    const bar =
      side === 'top' || side === 'bottom'
        ? {x, y: side === 'top' ? y : y + height - thick, width, height: thick}
        : {x: side === 'left' ? x : x + width - thick, y, width: thick, height};
    if (stroke.dash === 'solid') return this.rectangle(bar, stroke.colour, 0);
    const lies = side === 'top' || side === 'bottom';
    const middle = lies ? bar.y + thick / 2 : bar.x + thick / 2;
    const ends = lies
      ? `x1="${number(x)}" x2="${number(x + width)}" y1="${number(middle)}" y2="${number(middle)}"`
      : `x1="${number(middle)}" x2="${number(middle)}" y1="${number(y)}" y2="${number(y + height)}"`;
    this.#parts.push(
      `<line ${ends} stroke="${escapeXml(stroke.colour)}" stroke-width="${number(thick)}"${dashes(stroke)}/>`,
    );
    return undefined;
  }

  text({text, x, y, width, family, size, weight, style, colour}: Line): void {
    const fit =
      width === undefined || text.length < 2 ? '' : ` textLength="${number(width)}" lengthAdjust="spacingAndGlyphs"`;
    const slant = style === 'normal' ? '' : ` font-style="${escapeXml(style)}"`;
    this.#parts.push(
      `<text x="${number(x)}" y="${number(y)}"${fit} font-family="${escapeXml(family)}" font-size="${number(size)}" font-weight="${escapeXml(weight)}"${slant} fill="${escapeXml(colour)}" xml:space="preserve">${escapeXml(text)}</text>`,
    );
  }

  image(box: Box, address: string): void {
    this.#parts.push(`<image ${this.#box(box)} preserveAspectRatio="none" href="${escapeXml(address)}"/>`);
  }

  /** What `paint` draws, as a group. */
  group(attributes: Readonly<Record<string, string>>, paint: () => void): void {
    const list = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
    this.#parts.push(`<g${list.join('')}>`);
    paint();
    this.#parts.push('</g>');
  }

  /** What `paint` draws, as far as it lies in the box. */
  clipped(box: Box, paint: () => void): void {
    this.#clips += 1;
    const id = `${this.#names}clip-${this.#clips}`;
    this.#parts.push(`<clipPath id="${id}"><rect ${this.#box(box)}/></clipPath>`);
    this.group({'clip-path': `url(#${id})`}, paint);
  }

  /** SVG that is well-formed already. */
  raw(svg: string): void {
    this.#parts.push(svg);
  }

  finish(): string {
    return `${this.#parts.join('\n')}\n</svg>\n`;
  }

  #box({x, y, width, height}: Box): string {
    return `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;
  }
}
