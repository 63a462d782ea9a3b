// Words in colour. Colour never carries a meaning alone: every coloured word says the same in black and white.

const CODES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
  blue: ['34', '39'],
  cyan: ['36', '39'],
} as const;

export type StyleName = keyof typeof CODES;

/** One function a style: text in, text out. */
export type Styles = (style: StyleName, text: string) => string;

export function styles(kind: 'coloured' | 'plain'): Styles {
  if (kind === 'plain') return (_style, text) => text;
  return (style, text) => {
    const [on, off] = CODES[style];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  };
}

// eslint's control-character rule does not apply: this is how a terminal writes.
const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** How many columns `text` takes on a screen. */
export function visibleLength(text: string): number {
  return text.replace(ESCAPE, '').length;
}
