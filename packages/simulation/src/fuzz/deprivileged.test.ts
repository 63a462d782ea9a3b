// Random programs outside ring 0, where everything sensitive traps, and the same in ring 0: registers, memory and the end must be
// equal. Popek and Goldberg's equivalence property, by experiment. In translation it holds on an ordinary processor.

import {MODERN_INTEL, withFeature} from '@hyperscope/machine';
import {keysOf} from '@hyperscope/base';
import {RING_LAYOUTS} from '@hyperscope/vmm';
import {expect, test} from 'vitest';
import {differences} from './compare-outcomes.js';
import {DeprivilegedTarget} from './deprivileged-target.js';
import {FUZZ_MODES} from './fuzz-image.js';
import type {FuzzMode} from './fuzz-image.js';
import {ProgramGenerator, choiceOf} from './program-generator.js';
import {SimulatedProcessor} from './simulated-processor.js';

const PROGRAMS = 15;
const ADDED = ['sse42', 'cx16', 'popcnt'] as const;
const PROFILE = ADDED.reduce((profile, feature) => withFeature(profile, feature, 'on'), MODERN_INTEL);
const STRICT = ['modern-intel', ...ADDED.map(feature => `+${feature}`), '+strict'].join(',');

const ORDINARY = ['modern-intel', ...ADDED.map(feature => `+${feature}`)].join(',');

/** Runs programs of a mode on a target and on the processor alone. */
function expectNoDifference(mode: FuzzMode, target: DeprivilegedTarget, wanted = PROGRAMS): void {
  const reference = new SimulatedProcessor(PROFILE);
  const generator = new ProgramGenerator(mode, 17, reference, choiceOf(mode, reference, new Set()));
  let programs = 0;
  for (let number = 0; programs < wanted; number++) {
    const generated = generator.generate(number);
    if (generated === undefined) continue;
    programs++;
    expect(differences(mode, generated.simulated, target.run(generated.program), 0), `program ${number}`).toEqual([]);
  }
}

test.each(keysOf(FUZZ_MODES).flatMap(mode => RING_LAYOUTS.map(rings => [mode, rings] as const)))(
  'a guest leaves the same in %s as without a hypervisor, under %s',
  {timeout: 300_000},
  (mode, rings) => expectNoDifference(mode, new DeprivilegedTarget(STRICT, rings)),
);

/** Those in ring 0. User code is not translated: what reads a selector there sees the VMM's, as under trap-and-emulate. */
const KERNEL_MODES = keysOf(FUZZ_MODES).filter(mode => FUZZ_MODES[mode].cpl === 0);

test.each(KERNEL_MODES)(
  'a guest leaves the same in %s as without a hypervisor, in translation',
  {timeout: 300_000},
  mode => expectNoDifference(mode, new DeprivilegedTarget(ORDINARY, '0/1/3', 'binary-translation'), 60),
);
