// The conformance suite's programs: the one list that every executor runs, simulated and real.

import {DEVICE_CASES} from './cases-devices.js';
import {LONG_CASES} from './cases-long.js';
import {PROTECTED_CASES} from './cases-protected.js';
import {REAL_CASES} from './cases-real.js';
import {RING_CASES} from './cases-rings.js';
import {VECTOR_CASES} from './cases-vector.js';
import type {ConformanceCase} from './conformance-case.js';

export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...REAL_CASES,
  ...PROTECTED_CASES,
  ...LONG_CASES,
  ...RING_CASES,
  ...VECTOR_CASES,
  ...DEVICE_CASES,
];
