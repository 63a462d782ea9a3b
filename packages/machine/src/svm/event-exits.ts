// Events that leave the guest: exceptions by their vector's bit, physical interrupts, the virtual interrupt, shutdown.
// APM vol. 2, "Exception Intercepts", "Interrupt Intercepts", "Virtual Interrupts".

import {hex} from '@hyperscope/base';
import {SVM_EXIT_BASE, exceptionAt, svmInterceptExit} from '@hyperscope/isa';
import type {Core, DeliverableEvent, TaskSwitch} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {Fault} from '../cpu/trouble.js';
import type {VmExitInformation} from '../observer.js';
import type {SvmControls} from './controls.js';
import {svmExit} from './exit.js';
import {hostInterruptFlag} from './host-state.js';
import {interceptCheck} from './intercept-context.js';

const SOURCE = 'APM vol. 2, "Exception Intercepts"';

/** EXITINFO1: the error code; EXITINFO2: the address of a page fault. CR2 is not written. */
export function exceptionExit(core: Core, controls: SvmControls, fault: Fault): VmExitInformation | undefined {
  if (((controls.exceptions >>> fault.vector) & 1) === 0) return undefined;
  const name = exceptionAt(fault.vector)?.name ?? `vector ${fault.vector}`;
  const checks = [
    check(
      `bit ${fault.vector} (${name}) of the exception intercepts = 1`,
      true,
      [['exception intercepts', hex(controls.exceptions)]],
      SOURCE,
    ),
  ];
  // A fault has put RIP back to its instruction; a trap leaves it behind.
  return svmExit(SVM_EXIT_BASE.exception + fault.vector, core.registers.get('RIP'), checks, {
    info1: BigInt(fault.errorCode ?? 0),
    info2: fault.address ?? 0n,
  });
}

/** Whether the flag that masks physical interrupts in this guest lets one through. */
export function physicalInterruptsOpen(core: Core, controls: SvmControls): boolean {
  return controls.virtualMasking ? hostInterruptFlag(core) : core.registers.flag('IF');
}

export function interruptExit(
  core: Core,
  controls: SvmControls,
  event: DeliverableEvent,
): VmExitInformation | undefined {
  const name = event.type === 'NMI' ? 'NMI' : 'INTR';
  if (name === 'INTR' && !physicalInterruptsOpen(core, controls)) return undefined;
  const asked = interceptCheck(controls, name);
  return asked.holds ? svmExit(svmInterceptExit(name), core.registers.get('RIP'), [asked]) : undefined;
}

/** The virtual interrupt is ready: V_IRQ, its priority, the guest's IF, no interrupt shadow. */
export function virtualInterruptReady(core: Core, controls: SvmControls): boolean {
  if (!controls.virtualInterrupt || !controls.virtualPriorityAllows) return false;
  return core.registers.flag('IF') && core.registers.get('INTERRUPT_SHADOW') === 0n;
}

/** With the VINTR intercept a virtual interrupt leaves the guest instead: that is how a hypervisor waits for a window. */
export function virtualInterruptExit(core: Core, controls: SvmControls): VmExitInformation | undefined {
  if (!virtualInterruptReady(core, controls)) return undefined;
  const asked = interceptCheck(controls, 'VINTR');
  return asked.holds ? svmExit(svmInterceptExit('VINTR'), core.registers.get('RIP'), [asked]) : undefined;
}

const BY_IRET = 1n << 36n;
const BY_JUMP = 1n << 38n;
const HAS_ERROR_CODE = 1n << 44n;

/** EXITINFO1: the selector; EXITINFO2: how it came about, and the error code for the new stack. */
export function taskSwitchExit(core: Core, controls: SvmControls, wanted: TaskSwitch): VmExitInformation | undefined {
  const asked = interceptCheck(controls, 'TASK_SWITCH');
  if (!asked.holds) return undefined;
  const how = wanted.source === 'IRET' ? BY_IRET : wanted.source === 'JMP' ? BY_JUMP : 0n;
  const error = wanted.errorCode === undefined ? 0n : HAS_ERROR_CODE | BigInt(wanted.errorCode);
  const resume = core.registers.flag('RF') ? 1n << 48n : 0n;
  return svmExit(svmInterceptExit('TASK_SWITCH'), core.instructionRip, [asked], {
    info1: BigInt(wanted.selector),
    info2: how | error | resume,
  });
}

/** A triple fault; without the intercept the processor shuts down, guest and all. */
export function shutdownExit(core: Core, controls: SvmControls): VmExitInformation | undefined {
  const asked = interceptCheck(controls, 'SHUTDOWN');
  return asked.holds ? svmExit(svmInterceptExit('SHUTDOWN'), core.instructionRip, [asked]) : undefined;
}
