// A panel of the page as one SVG file of plain rectangles, lines and texts, which every drawing program, LaTeX and slides can
// read. The browser has laid the panel out already: what it drew where is asked of it, and written down.

import {inlineSvg} from './inline-svg.js';
import {textLines} from './text-lines.js';
import {SvgWriter, type Box} from './svg-writer.js';

export interface Picture {
  readonly svg: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

const isClear = (colour: string): boolean => colour === 'transparent' || /^rgba\(.*,\s*0\)$|\/\s*0\)$/.test(colour);

/** Whether an element is there for screen readers only, or not at all. */
function isUnseen(element: Element, style: CSSStyleDeclaration): boolean {
  return (
    style.display === 'none' ||
    style.clipPath.startsWith('inset(50%') ||
    element.matches('style, script, template, dialog')
  );
}

/** What an element shows as its children: those of its shadow, and in a slot what was put there. */
function shownChildren(element: Element): readonly Node[] {
  if (element.shadowRoot !== null) return [...element.shadowRoot.childNodes];
  if (element instanceof HTMLSlotElement) {
    const assigned = element.assignedNodes();
    return assigned.length > 0 ? assigned : [...element.childNodes];
  }
  // What is folded away in a <details> has no box, and is left out by that.
  return [...element.childNodes];
}

class PanelPainter {
  readonly #writer: SvgWriter;
  readonly #left: number;
  readonly #top: number;
  readonly #names: string;
  #svgs = 0;

  constructor(writer: SvgWriter, left: number, top: number, names: string) {
    this.#writer = writer;
    this.#names = names;
    this.#left = left;
    this.#top = top;
  }

  paint(node: Node): void {
    if (node instanceof Text) {
      for (const line of textLines(node)) this.#writer.text({...line, x: line.x - this.#left, y: line.y - this.#top});
    } else if (node instanceof Element) this.#paintElement(node);
  }

  #paintElement(element: Element): void {
    const style = getComputedStyle(element);
    if (isUnseen(element, style)) return;
    const box = this.#boxOf(element);
    if (style.visibility === 'visible' && box.width > 0 && box.height > 0) {
      if (element instanceof SVGSVGElement) {
        this.#svgs += 1;
        this.#writer.raw(inlineSvg(element, box, `${this.#names}p${this.#svgs}-`));
        return;
      }
      this.#paintBox(style, box);
      this.#paintContent(element, style, box);
    }
    const clips = style.overflow !== 'visible' && style.display !== 'contents' && style.display !== 'inline';
    const paintChildren = (): void => shownChildren(element).forEach(child => this.paint(child));
    if (Number(style.opacity) < 1) this.#writer.group({opacity: style.opacity}, paintChildren);
    else if (clips) this.#writer.clipped(box, paintChildren);
    else paintChildren();
  }

  #boxOf(element: Element): Box {
    const {left, top, width, height} = element.getBoundingClientRect();
    return {x: left - this.#left, y: top - this.#top, width, height};
  }

  /** Background and borders. */
  #paintBox(style: CSSStyleDeclaration, box: Box): void {
    if (!isClear(style.backgroundColor))
      this.#writer.rectangle(
        box,
        style.backgroundColor,
        Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2),
      );
    const sides = (['top', 'right', 'bottom', 'left'] as const).map(side => ({
      side,
      width:
        style.getPropertyValue(`border-${side}-style`) === 'none'
          ? 0
          : parseFloat(style.getPropertyValue(`border-${side}-width`)),
      colour: style.getPropertyValue(`border-${side}-color`),
      dash: style.getPropertyValue(`border-${side}-style`),
    }));
    const drawn = sides.filter(({width, colour}) => width > 0 && !isClear(colour));
    const [first] = drawn;
    const alike =
      drawn.length === 4 && drawn.every(side => side.width === first?.width && side.colour === first.colour);
    if (alike && first !== undefined)
      this.#writer.frame(box, first, Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2));
    else for (const side of drawn) this.#writer.edge(box, side);
  }

  /** What is inside a canvas or a field: no child says it. */
  #paintContent(element: Element, style: CSSStyleDeclaration, box: Box): void {
    if (element instanceof HTMLCanvasElement) this.#writer.image(box, element.toDataURL('image/png'));
    const said =
      element instanceof HTMLSelectElement
        ? element.selectedOptions[0]?.text
        : element instanceof HTMLInputElement && element.type !== 'checkbox' && element.type !== 'radio'
          ? element.value || element.placeholder
          : undefined;
    if (said === undefined || said === '') return;
    const size = parseFloat(style.fontSize);
    this.#writer.text({
      text: said,
      x:
        box.x +
        parseFloat(style.paddingLeft) +
        parseFloat(style.borderLeftWidth) +
        (element instanceof HTMLSelectElement ? 4 : 0),
      y: box.y + box.height / 2 + size * 0.35,
      width: undefined,
      family: style.fontFamily,
      size,
      weight: style.fontWeight,
      style: style.fontStyle,
      colour: style.color,
    });
  }
}

/**
 * The element as it stands on the page now, what is scrolled out of sight cut off, on the background of panels. `names` begins
 * the names inside it, where several pictures will stand in one file.
 */
export function svgPicture(element: Element, title: string, names = ''): Picture {
  const {left, top, width, height} = element.getBoundingClientRect();
  const background = getComputedStyle(element).getPropertyValue('--panel').trim();
  const writer = new SvgWriter(width, height, title, names);
  writer.rectangle({x: 0, y: 0, width, height}, background === '' ? '#ffffff' : background, 0);
  const painter = new PanelPainter(writer, left, top, names);
  painter.paint(element);
  return {svg: writer.finish(), width, height};
}
