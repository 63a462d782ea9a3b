// Many samples in a few numbers, and a histogram of powers of two in four steps each.

export interface Summary {
  readonly samples: number;
  /** Nanoseconds each. */
  readonly minimum: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly maximum: number;
  /** Samples by size: the lower bound of each class in nanoseconds, four classes to a factor of two; empty ends left out. */
  readonly histogram: readonly {readonly from: number; readonly count: number}[];
}

const CLASSES = 4;
const classOf = (value: number): number => Math.floor(Math.log2(Math.max(1, value)) * CLASSES);

/** @throws RangeError for no samples at all. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no samples to summarize');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
  const [minimum, maximum] = [at(0), at(1)];
  const [first, last] = [classOf(minimum), classOf(maximum)];
  const counts = Array.from({length: last - first + 1}, () => 0);
  for (const value of sorted) counts[classOf(value) - first] = (counts[classOf(value) - first] ?? 0) + 1;
  return {
    samples: sorted.length,
    minimum,
    median: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    maximum,
    histogram: counts.map((count, index) => ({from: 2 ** ((first + index) / CLASSES), count})),
  };
}
