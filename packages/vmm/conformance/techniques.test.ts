// The conformance suite on every technique of the simulated machine. packages/kvm runs the same list on /dev/kvm.

import {beforeAll, describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES, PC_TECHNIQUES, TECHNIQUES, brokenPromises, runCaseOnTechnique} from '../src/index.js';
import type {ConformanceCase, Technique} from '../src/index.js';

beforeAll(() => {
  process.stderr.write(`[vmm] conformance runs on ${PC_TECHNIQUES.map(({id}) => id).join(', ')}\n`);
});

/** Where every sensitive instruction traps: what trap-and-emulate does elsewhere, popek-goldberg.test.ts tells. */
const STRICT = 'westmere,+strict';
const SUBJECTS: readonly Technique[] = PC_TECHNIQUES.map(technique => ({
  ...technique,
  start: options =>
    technique.start({...options, profile: technique.id === 'trap-and-emulate' ? STRICT : options.profile}),
}));

const keeps = (technique: Technique, testCase: ConformanceCase): boolean =>
  testCase.impossible?.[technique.id] === undefined;

describe.each(SUBJECTS)('$id', technique => {
  test.each(CONFORMANCE_CASES.filter(each => keeps(technique, each)))('$mode mode: $title', testCase => {
    expect(brokenPromises(testCase, runCaseOnTechnique(technique, testCase))).toEqual([]);
  });
});

describe('what a technique cannot keep, for the reason that the case gives, is broken indeed', () => {
  const impossible = SUBJECTS.flatMap(technique =>
    CONFORMANCE_CASES.flatMap(testCase => {
      const reason = testCase.impossible?.[technique.id];
      return reason === undefined ? [] : [{technique, testCase, id: technique.id, title: testCase.title, reason}];
    }),
  );
  test.each(impossible)('$id: $title, because $reason', ({technique, testCase}) => {
    expect(brokenPromises(testCase, runCaseOnTechnique(technique, testCase))).not.toEqual([]);
  });
});

describe('vtx-shadow on a processor that has virtual NMIs', () => {
  const technique = TECHNIQUES.find(({id}) => id === 'vtx-shadow');
  const onWestmere: Technique | undefined =
    technique === undefined
      ? undefined
      : {...technique, start: options => technique.start({...options, profile: 'westmere'})};
  test.each(CONFORMANCE_CASES)('$mode mode: $title', testCase => {
    const result = onWestmere === undefined ? undefined : runCaseOnTechnique(onWestmere, testCase);
    expect(result === undefined ? ['no technique'] : brokenPromises(testCase, result)).toEqual([]);
  });
});

// A control program's machine is trap-and-emulate's, several times: once is enough.
const WALKED = SUBJECTS.filter(({id}) => id !== 'control-program');

describe.each(WALKED)('$id, every instruction walked by the reference tier', technique => {
  const walked: Technique = {...technique, start: options => technique.start({...options, executor: 'reference'})};
  test.each(CONFORMANCE_CASES.filter(each => keeps(technique, each)))('$mode mode: $title', testCase => {
    expect(brokenPromises(testCase, runCaseOnTechnique(walked, testCase))).toEqual([]);
  });
});

describe.each(['vtx-ept', 'vtx-shadow'])('%s with the interrupt controllers in the kernel', id => {
  const technique = TECHNIQUES.find(each => each.id === id);
  const cases = CONFORMANCE_CASES.filter(
    ({devices, impossible}) => devices !== undefined && impossible?.[id] === undefined,
  );
  test.each(cases)('$mode mode: $title', testCase => {
    const result = technique === undefined ? undefined : runCaseOnTechnique(technique, testCase, 'kernel');
    expect(result === undefined ? ['no technique'] : brokenPromises(testCase, result)).toEqual([]);
  });
});

test('no two cases have the same title', () => {
  const titles = CONFORMANCE_CASES.map(each => `${each.mode}: ${each.title}`);
  expect(new Set(titles).size).toBe(titles.length);
});
