// Popek and Goldberg's Theorem 1, switched on and off: the same VMM, the same guests, two processors. On the strict one every
// sensitive instruction traps, and every case passes in both ring layouts. On the ordinary one the cases that rely on an
// instruction that does not trap go wrong, each exactly as listed; and if one of them passed, this test would fail.

import {describe, expect, test} from 'vitest';
import {CONFORMANCE_CASES} from '../src/conformance/cases.js';
import type {ConformanceCase} from '../src/conformance/conformance-case.js';
import {brokenPromises, runCaseOnTechnique} from '../src/conformance/run-case.js';
import {STEALTH_FAILURES} from '../src/conformance/stealth-failures.js';
import type {TechniqueOptions} from '../src/technique.js';
import {RING_LAYOUTS} from '../src/trap-and-emulate/rings.js';
import type {RingLayout} from '../src/trap-and-emulate/rings.js';
import {TrapAndEmulateRun} from '../src/trap-and-emulate/trap-and-emulate-run.js';

function broken(testCase: ConformanceCase, profile: string, rings: RingLayout): readonly string[] {
  const technique = {
    id: 'trap-and-emulate',
    title: 'Trap and emulate',
    summary: '',
    start: (options: TechniqueOptions) => new TrapAndEmulateRun({...options, profile, rings}),
  };
  return brokenPromises(testCase, runCaseOnTechnique(technique, testCase));
}

describe.each(RING_LAYOUTS)('rings %s', rings => {
  test.each(CONFORMANCE_CASES)('where everything sensitive traps, $mode mode: $title', testCase => {
    expect(broken(testCase, 'westmere,+strict', rings)).toEqual([]);
  });

  test.each(CONFORMANCE_CASES)('on an ordinary processor, $mode mode: $title', testCase => {
    const known = STEALTH_FAILURES[rings].find(({title}) => title === testCase.title);
    expect(broken(testCase, 'westmere', rings)).toEqual(known?.broken ?? []);
  });

  test('every listed failure is a case', () => {
    const titles = CONFORMANCE_CASES.map(({title}) => title);
    for (const {title} of STEALTH_FAILURES[rings]) expect(titles).toContain(title);
  });
});
