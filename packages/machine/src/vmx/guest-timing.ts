// The two ways in which time alone ends a guest's turn: the VMX-preemption timer, and the monitor trap flag, which lets it
// execute one instruction. SDM vol. 3C, "VMX-Preemption Timer", "Monitor Trap Flag".
//
// Both count from the VM entry. What they count with lies in the part of the VMCS that belongs to the processor, so that a
// record which goes back takes them with it.

import {hex} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {VmExitInformation} from '../observer.js';
import type {Controls} from './controls.js';
import {exitInformation} from './exit-information.js';
import {PREEMPTION_TIMER_RATE} from './preemption-rate.js';

const RATE = BigInt(PREEMPTION_TIMER_RATE);
const TIMER_SOURCE = 'SDM vol. 3C, "VMX-Preemption Timer"';
const TRAP_SOURCE = 'SDM vol. 3C, "Monitor Trap Flag"';

/** At VM entry. `injected`: an event was injected, so that its delivery is the one thing that the trap flag allows. */
export function startTiming(core: Core, controls: Controls, injected: 'an event' | 'nothing'): void {
  if (controls.preemptionTimer) controls.vmcs.entryTimeStamp = core.registers.get('TSC');
  if (controls.secondary('PAUSE-loop exiting')) controls.vmcs.pauseLoop = {first: 0n, last: 0n};
  if (controls.monitorTrap) controls.vmcs.boundariesSinceEntry = injected === 'an event' ? 1 : 0;
}

/** Whether the guest has had its one instruction. */
export const monitorTrapIsDue = (controls: Controls): boolean =>
  controls.monitorTrap && controls.vmcs.boundariesSinceEntry > 0;

/** Asked at each boundary between instructions, the one right after the VM entry included. */
export function timingExit(core: Core, controls: Controls): VmExitInformation | undefined {
  const trap = controls.monitorTrap ? monitorTrapExit(core, controls) : undefined;
  return trap ?? (controls.preemptionTimer ? preemptionExit(core, controls) : undefined);
}

export function monitorTrapExit(core: Core, controls: Controls): VmExitInformation | undefined {
  const {vmcs} = controls;
  if (!monitorTrapIsDue(controls)) {
    vmcs.boundariesSinceEntry += 1;
    return undefined;
  }
  const word = [['primary processor-based controls', hex(controls.primaryWord)]] as const;
  const checks = [
    check('monitor trap flag = 1', true, word, TRAP_SOURCE),
    check('one instruction (or one delivery) has ended since the VM entry', true, [], TRAP_SOURCE),
  ];
  return exitInformation('MONITOR_TRAP_FLAG', core.registers.get('RIP'), checks);
}

/** The one that VM entry can inject, for a hypervisor that had to withdraw it. SDM vol. 3C, "Injection of Pending MTF VM Exits". */
export function pendingMonitorTrapExit(core: Core): VmExitInformation {
  const checks = [
    check('the VM entry injected a pending monitor-trap-flag exit (type 7, vector 0)', true, [], TRAP_SOURCE),
  ];
  return exitInformation('MONITOR_TRAP_FLAG', core.registers.get('RIP'), checks);
}

/** What is left of the timer's value; 0 when it has expired. */
export function preemptionTimerValue(core: Core, {vmcs}: Controls): bigint {
  const elapsed = (core.registers.get('TSC') >> RATE) - (vmcs.entryTimeStamp >> RATE);
  const start = vmcs.get('VMX_PREEMPTION_TIMER_VALUE');
  return elapsed >= start ? 0n : start - elapsed;
}

/** Cycles until the timer expires; undefined where it does not run. It counts on while the guest is halted. */
export function cyclesUntilPreemption(core: Core, controls: Controls): number | undefined {
  if (!controls.preemptionTimer) return undefined;
  const ticks = (controls.vmcs.entryTimeStamp >> RATE) + controls.vmcs.get('VMX_PREEMPTION_TIMER_VALUE');
  const left = (ticks << RATE) - core.registers.get('TSC');
  return left < 0n ? 0 : Number(left);
}

function preemptionExit(core: Core, controls: Controls): VmExitInformation | undefined {
  if (preemptionTimerValue(core, controls) !== 0n) return undefined;
  const checks = [
    check('activate VMX-preemption timer = 1', true, [['pin-based controls', hex(controls.pinWord)]], TIMER_SOURCE),
    check(
      'the timer has counted down to 0',
      true,
      [
        ['value at VM entry', hex(controls.vmcs.get('VMX_PREEMPTION_TIMER_VALUE'))],
        ['cycles since', hex(core.registers.get('TSC') - controls.vmcs.entryTimeStamp)],
      ],
      TIMER_SOURCE,
    ),
  ];
  return exitInformation('VMX_PREEMPTION_TIMER_EXPIRED', core.registers.get('RIP'), checks);
}
