// Events that leave the guest: exceptions by the exception bitmap, interrupts by the pin-based controls, the interrupt
// window, triple faults. SDM vol. 3C, "Other Causes of VM Exits"; "Information for VM Exits Due to Vectored Events":
//
//   31 valid · 12 NMI unblocking · 11 error code valid · 10:8 type · 7:0 vector

import {bit, hex} from '@hyperscope/base';
import {exceptionAt} from '@hyperscope/isa';
import {EVENT_TYPES} from '../cpu/core.js';
import type {Core, DeliverableEvent, EventType, TaskSwitch} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {Fault} from '../cpu/trouble.js';
import type {Checks, VmExitInformation} from '../observer.js';
import type {Controls} from './controls.js';
import {exitInformation} from './exit-information.js';
import {monitorTrapExit, monitorTrapIsDue, timingExit} from './guest-timing.js';

const SOURCE = 'SDM vol. 3C, "Other Causes of VM Exits"';
const VALID = 0x8000_0000;
const ERROR_CODE_VALID = 0x800;
const PAGE_FAULT = 14;
const SHUTDOWN = 2n;

const interruptionInformation = (vector: number, type: number, errorCode: number | undefined): number =>
  (VALID | (errorCode === undefined ? 0 : ERROR_CODE_VALID) | (type << 8) | vector) >>> 0;

/** Why a page fault exits: the error code, filtered by mask and match, turns the meaning of bit 14 round. */
function pageFaultChecks(controls: Controls, errorCode: number): Checks | undefined {
  const mask = Number(controls.vmcs.get('PAGE_FAULT_ERROR_CODE_MASK'));
  const match = Number(controls.vmcs.get('PAGE_FAULT_ERROR_CODE_MATCH'));
  const equal = (errorCode & mask) === match;
  const set = bit(controls.exceptionBitmap, PAGE_FAULT);
  if (equal !== set) return undefined;
  const values = [
    ['error code', hex(errorCode)],
    ['mask', hex(mask)],
    ['match', hex(match)],
  ] as const;
  return [
    check(
      `error code AND mask ${equal ? '=' : '≠'} match, so bit 14 of the exception bitmap counts ${equal ? 'as it is' : 'the other way round'}`,
      true,
      values,
      SOURCE,
    ),
    check(
      `bit 14 (#PF) of the exception bitmap = ${set ? 1 : 0}`,
      true,
      [['exception bitmap', hex(controls.exceptionBitmap)]],
      SOURCE,
    ),
  ];
}

function bitmapChecks(controls: Controls, vector: number): Checks | undefined {
  if (!bit(controls.exceptionBitmap, vector)) return undefined;
  const name = exceptionAt(vector)?.name ?? `vector ${vector}`;
  return [
    check(
      `bit ${vector} (${name}) of the exception bitmap = 1`,
      true,
      [['exception bitmap', hex(controls.exceptionBitmap)]],
      SOURCE,
    ),
  ];
}

/** `raisedBy`: the type of an exception that INT1, INT3 or INTO raised; only those define an instruction length. */
export function exceptionExit(
  core: Core,
  controls: Controls,
  fault: Fault,
  raisedBy: EventType = 'hardware-exception',
): VmExitInformation | undefined {
  const checks =
    fault.vector === PAGE_FAULT
      ? pageFaultChecks(controls, fault.errorCode ?? 0)
      : bitmapChecks(controls, fault.vector);
  if (checks === undefined) return undefined;
  // A fault has put RIP back to its instruction; a trap leaves it behind.
  return exitInformation('EXCEPTION_NMI', core.registers.get('RIP'), checks, {
    qualification: fault.address ?? fault.debugStatus ?? 0n,
    interruptionInformation: interruptionInformation(fault.vector, EVENT_TYPES[raisedBy], fault.errorCode),
    interruptionErrorCode: fault.errorCode ?? 0,
  });
}

export function interruptExit(core: Core, controls: Controls, event: DeliverableEvent): VmExitInformation | undefined {
  // The trap flag's exit comes before any interrupt.
  if (monitorTrapIsDue(controls)) return monitorTrapExit(core, controls);
  const nmi = event.type === 'NMI';
  const control = nmi ? 'NMI exiting' : 'external-interrupt exiting';
  if (!controls.pin(control)) return undefined;
  const checks = [check(`${control} = 1`, true, [['pin-based controls', hex(controls.pinWord)]], SOURCE)];
  const acknowledged = nmi || controls.exit('acknowledge interrupt on exit');
  return exitInformation(nmi ? 'EXCEPTION_NMI' : 'EXTERNAL_INTERRUPT', core.registers.get('RIP'), checks, {
    interruptionInformation: acknowledged
      ? interruptionInformation(event.vector, EVENT_TYPES[event.type], undefined)
      : 0,
  });
}

/** Asked before each instruction, so the common answer comes first. */
export function windowExit(core: Core, controls: Controls): VmExitInformation | undefined {
  if (!controls.anyWindow) return undefined;
  const activity = core.registers.get('ACTIVITY');
  // Interrupts do not wake a processor in shutdown, so no window opens; wait-for-SIPI ends by nothing but its name.
  if (activity >= SHUTDOWN) return activity === SHUTDOWN ? timingExit(core, controls) : undefined;
  return timingExit(core, controls) ?? nmiWindowExit(core, controls) ?? interruptWindowExit(core, controls);
}

/** Between instructions at which a virtual NMI could be delivered. SDM vol. 3C, "Other Causes of VM Exits". */
function nmiWindowExit(core: Core, controls: Controls): VmExitInformation | undefined {
  const isOpen = core.registers.get('NMI_BLOCKING') === 0n && core.registers.get('INTERRUPT_SHADOW') === 0n;
  if (!isOpen || !controls.primary('NMI-window exiting')) return undefined;
  const word = ['primary processor-based controls', hex(controls.primaryWord)] as const;
  const checks = [
    check('NMI-window exiting = 1', true, [word], SOURCE),
    check('no blocking by NMI, STI or MOV SS', true, [], SOURCE),
  ];
  return exitInformation('NMI_WINDOW', core.registers.get('RIP'), checks);
}

function interruptWindowExit(core: Core, controls: Controls): VmExitInformation | undefined {
  if (!controls.interruptWindow) return undefined;
  const open = core.registers.flag('IF') && core.registers.get('INTERRUPT_SHADOW') === 0n;
  if (!open) return undefined;
  const checks = [
    check(
      'interrupt-window exiting = 1',
      true,
      [['primary processor-based controls', hex(controls.primaryWord)]],
      SOURCE,
    ),
    check(
      'RFLAGS.IF = 1 and no blocking by STI or MOV SS',
      true,
      [['RFLAGS', hex(core.registers.get('RFLAGS'))]],
      SOURCE,
    ),
  ];
  return exitInformation('INTERRUPT_WINDOW', core.registers.get('RIP'), checks);
}

/** How the switch came about, as bits 31:30 of the qualification tell it. SDM vol. 3C, "Task Switches". */
const TASK_SOURCES = {CALL: 0, IRET: 1, JMP: 2, gate: 3} as const;

/** A task switch always exits: a hypervisor has to do it by hand. */
export function taskSwitchExit(core: Core, {source, selector}: TaskSwitch): VmExitInformation {
  const checks = [check('a task switch always leaves VMX non-root operation', true, [], SOURCE)];
  const qualification = BigInt(selector) | (BigInt(TASK_SOURCES[source]) << 30n);
  const instructionLength = source === 'gate' ? 0 : Number(core.registers.get('RIP') - core.instructionRip);
  return exitInformation('TASK_SWITCH', core.instructionRip, checks, {instructionLength, qualification});
}

export function tripleFaultExit(core: Core): VmExitInformation {
  const checks = [
    check('an exception during the delivery of a double fault always leaves VMX non-root operation', true, [], SOURCE),
  ];
  return exitInformation('TRIPLE_FAULT', core.instructionRip, checks);
}
