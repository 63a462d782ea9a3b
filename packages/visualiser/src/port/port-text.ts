// The port's diff as rows of a page and as text for a clipboard, from the same lines.

import type {PortText} from './port-client.js';

export type PortLine = PortText['lines'][number];

export type PortRow =
  | {
      readonly kind: 'line';
      readonly line: PortLine;
      readonly before: number | undefined;
      readonly after: number | undefined;
    }
  /** So many unchanged lines are left out. */
  | {readonly kind: 'gap'; readonly lines: number};

const SIGNS = {common: ' ', removed: '-', added: '+'} as const;
/** Unchanged lines that are shown around a change. */
const AROUND = 3;

/** Every line with its numbers in the two texts; 'changes': of what did not change only the lines around. */
export function portRows(lines: readonly PortLine[], shown: 'everything' | 'changes'): readonly PortRow[] {
  const near = nearChanges(lines);
  const rows: PortRow[] = [];
  let [before, after, left] = [0, 0, 0];
  const closeGap = (): void => {
    if (left > 0) rows.push({kind: 'gap', lines: left});
    left = 0;
  };
  for (const [at, line] of lines.entries()) {
    if (line.kind !== 'added') before++;
    if (line.kind !== 'removed') after++;
    if (shown === 'changes' && near[at] !== 1) {
      left++;
      continue;
    }
    closeGap();
    rows.push({
      kind: 'line',
      line,
      before: line.kind === 'added' ? undefined : before,
      after: line.kind === 'removed' ? undefined : after,
    });
  }
  closeGap();
  return rows;
}

function nearChanges(lines: readonly PortLine[]): Uint8Array {
  const near = new Uint8Array(lines.length);
  for (const [at, {kind}] of lines.entries())
    if (kind !== 'common') near.fill(1, Math.max(0, at - AROUND), Math.min(lines.length, at + AROUND + 1));
  return near;
}

/** The whole diff, as `hyperscope guests diff` prints its lines. */
export function portAsText({original, port, lines}: PortText): string {
  return [`--- ${original}`, `+++ ${port}`, ...lines.map(({kind, text}) => `${SIGNS[kind]}${text}`), ''].join('\n');
}

export const signOf = ({kind}: PortLine): string => SIGNS[kind];

/** 'CLI ×3, MOV CR3' */
export const countedWords = (counted: readonly (readonly [string, number])[]): string =>
  counted.map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ');
