// For tests that need /dev/kvm: `describe.skipIf(skipKvmTests())`. Where there is none they are skipped and the reason is
// printed; with REQUIRE_KVM=1 the absence is an error, so that a machine that should have KVM cannot pass by skipping.

import {UserError} from '@hyperscope/base';
import {whyMissing} from './availability.js';

/** Whether to skip. @throws UserError where REQUIRE_KVM=1 forbids it. */
export function skipKvmTests(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const missing = whyMissing();
  if (missing === undefined) return false;
  if (env['REQUIRE_KVM'] === '1') {
    throw new UserError(missing.code, `REQUIRE_KVM=1, but there is no KVM: ${missing.message}`);
  }
  process.stderr.write(`[kvm] tests skipped: ${missing.message} (${missing.code})\n`);
  return true;
}
