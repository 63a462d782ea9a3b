// The outline of a scenario file: front matter, headings, text, and the fenced blocks that hold what is not text.
//
//   ---                      front matter (YAML)
//   ## A step                heading of level 2: a step; `## Questions` at the end
//   text
//   ```step                  a fenced block with a word of ours behind the fence is YAML (or, for `note` and `program`, text);
//   ```                      every other fence is a part of the text

import type {Problem} from './problem.js';

export const BLOCK_KINDS = [
  'step',
  'predict',
  'break',
  'measure',
  'arrows',
  'question',
  'seeded',
  'note',
  'program',
] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export interface FencedBlock {
  readonly kind: BlockKind;
  readonly text: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
}

export interface Section {
  /** '' before the first heading. */
  readonly title: string;
  /** Of the heading. */
  readonly line: number;
  /** Markdown without our blocks. */
  readonly text: string;
  readonly blocks: readonly FencedBlock[];
}

export interface Outline {
  readonly frontMatter: {readonly text: string; readonly line: number};
  readonly sections: readonly Section[];
  readonly problems: readonly Problem[];
}

const HEADING = /^##\s+(.+?)\s*#*$/;
const FENCE = /^(`{3,}|~{3,})\s*([a-z]*)\b.*$/;

const isOurs = (word: string): word is BlockKind => BLOCK_KINDS.some(kind => kind === word);

class Lines {
  readonly #lines: readonly string[];
  at = 0;

  constructor(text: string) {
    this.#lines = text.split(/\r\n|\n|\r/);
  }
  get next(): string | undefined {
    return this.#lines[this.at];
  }
  /** The number of the next line, from 1. */
  get number(): number {
    return this.at + 1;
  }
  take(): string {
    return this.#lines[this.at++] ?? '';
  }
  /** Everything up to a line for which `isEnd` holds, which is taken as well; undefined where none does. */
  until(isEnd: (line: string) => boolean): string | undefined {
    const end = this.#lines.findIndex((line, index) => index >= this.at && isEnd(line));
    if (end < 0) return undefined;
    const text = this.#lines.slice(this.at, end).join('\n');
    this.at = end + 1;
    return text;
  }
}

/** Takes a file apart. What cannot be read is among the problems. */
export function outlineOf(text: string): Outline {
  const lines = new Lines(text.replace(/^\uFEFF/, ''));
  const problems: Problem[] = [];
  const frontMatter = readFrontMatter(lines, problems);
  const sections: Section[] = [];
  while (lines.next !== undefined) sections.push(readSection(lines, sections.length === 0, problems));
  return {frontMatter, sections, problems};
}

function readFrontMatter(lines: Lines, problems: Problem[]): Outline['frontMatter'] {
  if (lines.next?.trim() !== '---') {
    const advice = 'Begin the file with a line ---, the front matter, and another line ---.';
    problems.push({line: 1, message: 'There is no front matter.', advice});
    return {text: '', line: 1};
  }
  lines.take();
  const line = lines.number;
  const text = lines.until(each => each.trim() === '---');
  if (text === undefined)
    problems.push({line: 1, message: 'The front matter does not end.', advice: 'Write a line --- behind it.'});
  return {text: text ?? '', line};
}

function readSection(lines: Lines, isFirst: boolean, problems: Problem[]): Section {
  const line = lines.number;
  const heading = HEADING.exec(lines.next ?? '');
  if (heading !== null) lines.take();
  const text: string[] = [];
  const blocks: FencedBlock[] = [];
  while (lines.next !== undefined && !HEADING.test(lines.next)) {
    const fence = FENCE.exec(lines.next);
    if (fence === null) text.push(lines.take());
    else readFence(lines, {mark: fence[1] ?? '```', word: fence[2] ?? ''}, {text, blocks, problems});
  }
  return {
    title: heading?.[1] ?? '',
    line: isFirst && heading === null ? 1 : line,
    text: text.join('\n').trim(),
    blocks,
  };
}

function readFence(
  lines: Lines,
  {mark, word}: {readonly mark: string; readonly word: string},
  found: {readonly text: string[]; readonly blocks: FencedBlock[]; readonly problems: Problem[]},
): void {
  const start = lines.number;
  const opening = lines.take();
  const body = lines.until(line => line.trimEnd() === mark);
  if (body === undefined) {
    const advice = `Write a line ${mark} where it ends.`;
    found.problems.push({line: start, message: 'The fenced block that begins here does not end.', advice});
    while (lines.next !== undefined) lines.take();
  } else if (isOurs(word)) found.blocks.push({kind: word, text: body, line: start + 1});
  else found.text.push(opening, ...body.split('\n'), mark);
}
