// All checks of a VM entry after the basic ones, in the manual's three groups, each with its own way to fail.
// SDM vol. 3C, "Checks on VMX Controls and Host-State Area", "Checking and Loading Guest State".

import type {Check} from '../observer.js';
import {CheckList} from './check-list.js';
import type {CheckDetail} from './check-list.js';
import {checkControls} from './entry-checks-controls.js';
import {checkGuestState} from './entry-checks-guest.js';
import {checkHostState} from './entry-checks-host.js';
import type {EntryContext} from './entry-context.js';

export interface EntryChecks {
  readonly controls: readonly Check[];
  readonly host: readonly Check[];
  readonly guest: readonly Check[];
}

/** Makes every check; with 'failures', gives only those that do not hold. */
export function entryChecks(context: EntryContext, detail: CheckDetail): EntryChecks {
  const controls = new CheckList('SDM vol. 3C, "Checks on VMX Controls"', detail);
  const host = new CheckList('SDM vol. 3C, "Checks on VMX Controls and Host-State Area"', detail);
  const guest = new CheckList('SDM vol. 3C, "Checks on the Guest State Area"', detail);
  checkControls(context, controls);
  checkHostState(context, host);
  checkGuestState(context, guest);
  return {controls: controls.checks, host: host.checks, guest: guest.checks};
}
