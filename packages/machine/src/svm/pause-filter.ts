// PAUSE filter: how many PAUSEs a guest may execute before the intercept counts, because a short wait is none of its hypervisor's
// business. With a threshold, PAUSEs that lie further apart are no loop, and the count begins again.
// APM vol. 2, "Pause Intercept Filtering". Where the count lies: clean-bits.ts.

import {hex, hpa} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import {INTERCEPT_SOURCE, onBit} from './intercept-context.js';
import type {SvmRule} from './intercept-context.js';
import type {Vmcb} from './vmcb.js';

const LEFT = 0x3e0;
const LAST = 0x3e8;

const at = (core: Core, offset: number) => hpa(Number(core.registers.get('VM_HSAVE_PA')) + offset);

/** At VMRUN. */
export function startPauseFilter(core: Core, vmcb: Vmcb): void {
  if (!core.features.pauseFilter) return;
  core.memory.write(at(core, LEFT), 8, vmcb.get('PAUSE_FILTER_COUNT'));
  core.memory.write(at(core, LAST), 8, core.registers.get('TSC'));
}

export const interceptPause: SvmRule = intercepted => {
  const {core, controls} = intercepted;
  const decision = onBit('PAUSE')(intercepted);
  const count = controls.vmcb.get('PAUSE_FILTER_COUNT');
  if (decision === undefined || !core.features.pauseFilter || count === 0n) return decision;
  const left = pausesLeft(core, controls.vmcb) - 1n;
  core.memory.write(at(core, LEFT), 8, left);
  if (left > 0n) return undefined;
  const filtered = check(
    'the PAUSE filter has counted down to 0',
    true,
    [['PAUSE_FILTER_COUNT', hex(count)]],
    INTERCEPT_SOURCE,
  );
  return {...decision, checks: [...decision.checks, filtered]};
};

function pausesLeft(core: Core, vmcb: Vmcb): bigint {
  const now = core.registers.get('TSC');
  const since = now - core.memory.read(at(core, LAST), 8);
  const threshold = core.features.pauseFilterThreshold ? vmcb.get('PAUSE_FILTER_THRESHOLD') : 0n;
  core.memory.write(at(core, LAST), 8, now);
  return threshold !== 0n && since > threshold ? vmcb.get('PAUSE_FILTER_COUNT') : core.memory.read(at(core, LEFT), 8);
}
