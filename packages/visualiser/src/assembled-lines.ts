// The assembler's map, line by line: what an editor writes beside each line of the text.

import type {AssembledText} from './lab-client.js';

/** More bytes of a line than this are counted, not shown. */
const MOST_BYTES = 16;

interface Stretch {
  readonly line: number;
  readonly address: bigint;
  /** In the bytes of the whole program. */
  readonly offset: number;
  readonly length: number;
  readonly kind: string;
}

/** The stretches of each line as one: a `times` or a macro makes several of a line. Space in .bss has no bytes. */
export function linesOfText(stretches: readonly Stretch[], program: Uint8Array): AssembledText['lines'] {
  const byLine = new Map<number, Stretch[]>();
  for (const stretch of stretches) {
    const known = byLine.get(stretch.line);
    if (known === undefined) byLine.set(stretch.line, [stretch]);
    else known.push(stretch);
  }
  return [...byLine].flatMap(([line, made]) => {
    const [first] = made;
    if (first === undefined) return [];
    const bytes: number[] = [];
    for (const {kind, offset, length} of made) {
      if (bytes.length >= MOST_BYTES) break;
      if (kind !== 'reserved') bytes.push(...program.slice(offset, offset + Math.min(length, MOST_BYTES)));
    }
    const length = made.reduce((sum, stretch) => sum + stretch.length, 0);
    return [{line, address: first.address, bytes: Uint8Array.from(bytes.slice(0, MOST_BYTES)), length}];
  });
}
