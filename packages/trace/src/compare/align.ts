// Lays two lists beside each other so that as many entries as possible match: equal beginnings and ends first, then the
// longest common subsequence of what is left between them.

/** Pairs of indexes, in order; an entry without partner has undefined beside it. */
export type Pair = readonly [a: number | undefined, b: number | undefined];

/** The most table entries for the middle part; beyond that it is paired without looking at the entries. */
const MOST_CELLS = 4_000_000;

/** Pairs two stretches of so many entries, without knowing them. */
export type Blindly = (a: number, b: number) => readonly Pair[];

export function align(a: readonly string[], b: readonly string[], blindly: Blindly = oneByOne): readonly Pair[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail++;
  const pairs: Pair[] = Array.from({length: start}, (_, i) => [i, i] as const);
  const middleA = a.slice(start, a.length - tail);
  const middleB = b.slice(start, b.length - tail);
  const middle =
    middleA.length * middleB.length > MOST_CELLS
      ? blindly(middleA.length, middleB.length)
      : commonSubsequence(middleA, middleB);
  for (const [i, j] of middle)
    pairs.push([i === undefined ? undefined : i + start, j === undefined ? undefined : j + start]);
  for (let i = tail; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

function oneByOne(a: number, b: number): readonly Pair[] {
  return Array.from({length: Math.max(a, b)}, (_, i) => [i < a ? i : undefined, i < b ? i : undefined] as const);
}

function commonSubsequence(a: readonly string[], b: readonly string[]): readonly Pair[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) pairs.push([i++, j++]);
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) pairs.push([i++, undefined]);
    else pairs.push([undefined, j++]);
  }
  return pairs;
}
