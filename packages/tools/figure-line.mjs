// One line of a benchmark: a name, and of all times the median, the 95th percentile and the largest, in milliseconds.

export function line(name, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = share =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1).padStart(7);
  return `  ${name.padEnd(40)} ${at(0.5)} ${at(0.95)} ${at(1)}`;
}
