// The conformance suite under binary translation, on an ordinary processor.

import {describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES} from '../conformance/cases.js';
import {brokenPromises, runCaseOnTechnique} from '../conformance/run-case.js';
import type {TechniqueOptions} from '../technique.js';
import {startBinaryTranslation} from './binary-translation-run.js';

describe.each(['compiled', 'reference'] as const)('%s', executor => {
  const technique = {
    id: 'binary-translation',
    title: 'Binary translation',
    summary: '',
    start: (options: TechniqueOptions) => startBinaryTranslation({...options, executor}),
  };
  test.each(CONFORMANCE_CASES)('$mode mode: $title', testCase => {
    expect(brokenPromises(testCase, runCaseOnTechnique(technique, testCase))).toEqual([]);
  });
});
