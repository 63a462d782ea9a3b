// How many tests passed: read from what the test runners leave behind, added up, and said in one line.

import {existsSync, readFileSync} from 'node:fs';

export const NONE = {passed: 0, failed: 0, skipped: 0};

export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** Counts of a finished run of a test runner. A runner that failed without a failed test (it crashed) counts as one failure. */
export function settle(counts, status) {
  return status !== 0 && counts.failed === 0 ? {...counts, failed: 1} : counts;
}

/** What vitest-counts.mjs wrote. */
export function fromVitest(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : NONE;
}

/** What Playwright's JSON reporter wrote. A test that passed at the second attempt is not trusted: it failed. */
export function fromPlaywright(path) {
  if (!existsSync(path)) return NONE;
  const {stats, errors} = JSON.parse(readFileSync(path, 'utf8'));
  return {
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky + (errors?.length ?? 0),
    skipped: stats.skipped,
  };
}

/** The last line of `npm test`. */
export function lastLine({passed, failed, skipped}) {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : '');
}
