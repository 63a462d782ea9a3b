// PAUSE-loop exiting: a guest that spins at CPL 0 waits for somebody whom only the hypervisor can let run. Two times tell a
// loop from a single PAUSE: PLE_Gap (longer between two PAUSEs: not the same loop) and PLE_Window (a loop may last that long).
// SDM vol. 3C, "Changes to Instruction Behavior in VMX Non-Root Operation", PAUSE. Both count time-stamp-counter cycles.

import {hex} from '@hyperscope/base';
import {check} from '../cpu/faults.js';
import {CONDITIONAL, primaryCheck, secondaryCheck} from './intercept-context.js';
import type {InterceptDecision, InterceptRule} from './intercept-context.js';

export const interceptPause: InterceptRule = intercepted => {
  const {core, controls} = intercepted;
  const asked = primaryCheck(controls, 'PAUSE exiting');
  if (asked.holds) return {reason: 'PAUSE', checks: [asked]};
  if (!controls.secondary('PAUSE-loop exiting') || core.registers.get('CPL') !== 0n) return undefined;
  return pauseInLoop(intercepted);
};

const pauseInLoop: InterceptRule = ({core, controls}): InterceptDecision | undefined => {
  const {vmcs} = controls;
  const now = core.registers.get('TSC');
  const gap = vmcs.get('PLE_GAP');
  const window = vmcs.get('PLE_WINDOW');
  const {first, last} = vmcs.pauseLoop;
  const sinceLast = now - last;
  if (last === 0n || sinceLast > gap) {
    vmcs.pauseLoop = {first: now, last: now};
    return undefined;
  }
  if (now - first <= window) {
    vmcs.pauseLoop = {first, last: now};
    return undefined;
  }
  const checks = [
    secondaryCheck(controls, 'PAUSE-loop exiting'),
    check(
      'the last PAUSE is no longer ago than PLE_Gap',
      true,
      [
        ['cycles since', hex(sinceLast)],
        ['PLE_Gap', hex(gap)],
      ],
      CONDITIONAL,
    ),
    check(
      'the first PAUSE of the loop is longer ago than PLE_Window',
      true,
      [
        ['cycles since', hex(now - first)],
        ['PLE_Window', hex(window)],
      ],
      CONDITIONAL,
    ),
  ];
  return {reason: 'PAUSE', checks};
};
