// For tests: a `describe` that needs /dev/kvm. Where there is none it skips and says why, once; with REQUIRE_KVM=1 the
// absence is a failure, so that a machine that should have KVM cannot pass by skipping.

import {describe, test} from 'vitest';
import {whyMissing} from './availability.js';

const missing = whyMissing();
if (missing !== undefined) process.stderr.write(`[kvm] tests skipped: ${missing.message} (${missing.code})\n`);

/** describe() on machines with KVM. */
export function describeKvm(name: string, body: () => void): void {
  if (missing === undefined) {
    describe(name, body);
  } else if (process.env['REQUIRE_KVM'] === '1') {
    describe(name, () => {
      test('needs KVM, and REQUIRE_KVM=1 forbids to skip', () => { throw new Error(missing.message); });
    });
  } else {
    describe.skip(`${name} (skipped: ${missing.code})`, body);
  }
}
