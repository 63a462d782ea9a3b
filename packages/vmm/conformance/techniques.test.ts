// The conformance suite on every technique of the simulated machine. packages/kvm runs the same list on /dev/kvm.

import {beforeAll, describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES, TECHNIQUES, brokenPromises, runCaseOnTechnique} from '../src/index.js';
import type {Technique} from '../src/index.js';

beforeAll(() => {
  process.stderr.write(`[vmm] conformance runs on ${TECHNIQUES.map(({id}) => id).join(', ')}\n`);
});

/** Where every sensitive instruction traps: what trap-and-emulate does elsewhere, popek-goldberg.test.ts tells. */
const STRICT = 'westmere,+strict';
const SUBJECTS: readonly Technique[] = TECHNIQUES.map(technique => ({
  ...technique,
  start: options =>
    technique.start({...options, profile: technique.id === 'trap-and-emulate' ? STRICT : options.profile}),
}));

describe.each(SUBJECTS)('$id', technique => {
  test.each(CONFORMANCE_CASES)('$mode mode: $title', testCase => {
    expect(brokenPromises(testCase, runCaseOnTechnique(technique, testCase))).toEqual([]);
  });
});

describe.each(SUBJECTS)('$id, every instruction walked by the reference tier', technique => {
  const walked: Technique = {...technique, start: options => technique.start({...options, executor: 'reference'})};
  test.each(CONFORMANCE_CASES)('$mode mode: $title', testCase => {
    expect(brokenPromises(testCase, runCaseOnTechnique(walked, testCase))).toEqual([]);
  });
});

describe('vtx-ept with the interrupt controllers in the kernel', () => {
  const technique = TECHNIQUES.find(({id}) => id === 'vtx-ept');
  test.each(CONFORMANCE_CASES.filter(({devices}) => devices !== undefined))('$mode mode: $title', testCase => {
    const result = technique === undefined ? undefined : runCaseOnTechnique(technique, testCase, 'kernel');
    expect(result === undefined ? ['no technique'] : brokenPromises(testCase, result)).toEqual([]);
  });
});

test('no two cases have the same title', () => {
  const titles = CONFORMANCE_CASES.map(each => `${each.mode}: ${each.title}`);
  expect(new Set(titles).size).toBe(titles.length);
});
