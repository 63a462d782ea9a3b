// Columns that line up: numbers to the right, words to the left, the last column as long as it wants to be.

import {visibleLength} from './colours.js';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** The lines of a table, with a heading and without trailing spaces. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [columns.map(column => column.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map(row => visibleLength(row[i] ?? ''))));
  return all.map(row =>
    columns
      .map((column, i) => {
        const cell = row[i] ?? '';
        const padding = ' '.repeat(Math.max(0, (widths[i] ?? 0) - visibleLength(cell)));
        return column.align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `text` broken into lines of at most `width` columns, each after `indent`. */
export function wrap(text: string, width: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(part => part !== '')) {
    if (line !== '' && indent.length + visibleLength(line) + 1 + visibleLength(word) > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, indent + line];
}
