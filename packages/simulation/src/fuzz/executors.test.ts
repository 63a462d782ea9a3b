// The compiled tier against the reference executor, on programs of the fuzzer: no KVM is needed for this.

import {MODERN_INTEL, withFeature} from '@hyperscope/machine';
import {expect, test} from 'vitest';
import {differences} from './compare-outcomes.js';
import {CompiledTarget} from './compiled-target.js';
import {FUZZ_MODES} from './fuzz-image.js';
import {ProgramGenerator, choiceOf} from './program-generator.js';
import {SimulatedProcessor} from './simulated-processor.js';
import {keysOf} from '@hyperscope/base';

const INSTRUCTIONS = 26_000;
const PROFILE = (['sse42', 'cx16', 'popcnt'] as const).reduce(
  (profile, feature) => withFeature(profile, feature, 'on'),
  MODERN_INTEL,
);

test.each(keysOf(FUZZ_MODES))(
  'the compiled tier leaves what the reference executor leaves, undefined flags included (%s)',
  {timeout: 300_000},
  mode => {
    const reference = new SimulatedProcessor(PROFILE);
    const compiled = new CompiledTarget(PROFILE);
    const choice = choiceOf(mode, reference, new Set());
    const generator = new ProgramGenerator(mode, 11, reference, choice);
    const executed = new Set<string>();
    let instructions = 0;
    let ranAhead = 0;
    for (let number = 0; instructions < INSTRUCTIONS; number++) {
      const generated = generator.generate(number);
      if (generated === undefined) continue;
      instructions += generated.instructions;
      for (const {encoding, syntax} of generated.forms) executed.add(`${encoding} ${syntax}`);
      const found = differences(mode, generated.simulated, compiled.run(generated.program), 0);
      ranAhead += compiled.ranAhead;
      expect(found, `program ${number}`).toEqual([]);
    }
    expect(ranAhead).toBeGreaterThan(INSTRUCTIONS / 4);
    // Lines that end a program are drawn seldom.
    expect(executed.size).toBeGreaterThan(choice.eligible.length * 0.98);
  },
);
