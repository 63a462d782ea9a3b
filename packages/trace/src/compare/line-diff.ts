// Two texts as a unified diff: hunks of lines that only one of them has, with a few common lines around.

import {align} from './align.js';

export interface DiffLine {
  readonly kind: 'common' | 'removed' | 'added';
  readonly text: string;
}

export interface DiffHunk {
  /** First line and number of lines in each text, from 1. */
  readonly before: readonly [start: number, count: number];
  readonly after: readonly [start: number, count: number];
  readonly lines: readonly DiffLine[];
}

/** Of each line of either text what became of it, in order; where lines are replaced the removed ones come first. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const lines: DiffLine[] = [];
  let added: DiffLine[] = [];
  for (const [a, b] of align(before, after)) {
    if (a !== undefined && b === undefined) lines.push({kind: 'removed', text: before[a] ?? ''});
    else if (a === undefined && b !== undefined) added.push({kind: 'added', text: after[b] ?? ''});
    else {
      lines.push(...added, {kind: 'common', text: before[a ?? 0] ?? ''});
      added = [];
    }
  }
  return [...lines, ...added];
}

/** The hunks of a diff, each with up to `context` common lines at its ends. Hunks that would touch are one. */
export function diffHunks(lines: readonly DiffLine[], context = 3): readonly DiffHunk[] {
  const shown = new Set<number>();
  lines.forEach(({kind}, index) => {
    if (kind === 'common') return;
    for (let near = index - context; near <= index + context; near++) shown.add(near);
  });
  const hunks: {before: [number, number]; after: [number, number]; lines: DiffLine[]}[] = [];
  let [beforeLine, afterLine, wasShown] = [1, 1, false];
  lines.forEach((line, index) => {
    const isShown = shown.has(index);
    if (isShown && !wasShown) hunks.push({before: [beforeLine, 0], after: [afterLine, 0], lines: []});
    wasShown = isShown;
    const hunk = isShown ? hunks.at(-1) : undefined;
    hunk?.lines.push(line);
    if (line.kind !== 'added') {
      beforeLine++;
      if (hunk !== undefined) hunk.before[1]++;
    }
    if (line.kind !== 'removed') {
      afterLine++;
      if (hunk !== undefined) hunk.after[1]++;
    }
  });
  return hunks;
}
