// VM exit: why it happened goes into the VMCS, the guest's state follows, then the host's state is loaded.
// SDM vol. 3C, "VM Exits".

import {EVENT_TYPES} from '../cpu/core.js';
import type {Core} from '../cpu/core.js';
import type {VmExitInformation} from '../observer.js';
import {Controls} from './controls.js';
import {saveGuestState} from './guest-state.js';
import {preemptionTimerValue} from './guest-timing.js';
import {loadHostState} from './host-state.js';
import {loadMsrList, storeMsrList} from './msr-lists.js';
import {loadPdptesFromMemory, saveGuestPdptes} from './pointer-table-entries.js';
import {currentVmcs} from './outcome.js';
import {leaveGuestTranslations} from './translations.js';
import {assertExists} from '@hyperscope/base';
import type {Vmcs} from './vmcs.js';

const VALID = 1n << 31n;
const ABORT_SAVING_MSRS = 1;
const ABORT_LOADING_MSRS = 4;
const SHUTDOWN = 2n;
/** The one exit that follows an instruction like a trap: a single step of the same instruction is pending then. */
const TPR_THRESHOLD = 43;
const SINGLE_STEP = 1n << 14n;

export function exitGuest(core: Core, exit: VmExitInformation): void {
  const vmcs = assertExists(currentVmcs(core), 'a VM exit without a current VMCS');
  if (core.observed) core.emit({kind: 'vm-exit', exit});
  const controls = new Controls(vmcs);
  recordExit(vmcs, exit);
  if (controls.exit('save VMX-preemption timer value'))
    vmcs.set('VMX_PREEMPTION_TIMER_VALUE', preemptionTimerValue(core, controls));
  saveGuestState(core, controls, exit.guestRip);
  if (exit.reason === TPR_THRESHOLD && core.registers.flag('TF'))
    vmcs.set('GUEST_PENDING_DEBUG_EXCEPTIONS', SINGLE_STEP);
  saveGuestPdptes(core, controls);
  if (storeMsrList(core, vmcs.get('VM_EXIT_MSR_STORE_ADDRESS'), vmcs.get('VM_EXIT_MSR_STORE_COUNT')) !== undefined)
    return abort(core, vmcs, ABORT_SAVING_MSRS);
  const blocking = blockingByNmi(controls, exit);
  if (blocking !== undefined) core.registers.set('NMI_BLOCKING', blocking);
  loadHostState(core, controls);
  loadPdptesFromMemory(core);
  core.registers.set('VMX_OPERATION', 1n);
  leaveGuestTranslations(core, controls);
  if (loadMsrList(core, vmcs.get('VM_EXIT_MSR_LOAD_ADDRESS'), vmcs.get('VM_EXIT_MSR_LOAD_COUNT')) !== undefined)
    abort(core, vmcs, ABORT_LOADING_MSRS);
}

/** An exit by an NMI leaves the host with NMIs blocked; a guest's blocking of its virtual NMIs is its own. Else: as it was. */
function blockingByNmi(controls: Controls, exit: VmExitInformation): bigint | undefined {
  const isNmi = exit.reason === 0 && ((exit.interruptionInformation >> 8) & 7) === EVENT_TYPES.NMI;
  if (isNmi) return 1n;
  return controls.pin('virtual NMIs') ? 0n : undefined;
}

/** SDM vol. 3C, "Recording VM-Exit Information and Updating VM-Entry Control Fields". */
function recordExit(vmcs: Vmcs, exit: VmExitInformation): void {
  vmcs.set('EXIT_REASON', BigInt(exit.reason));
  vmcs.set('EXIT_QUALIFICATION', exit.qualification);
  vmcs.set('VM_EXIT_INSTRUCTION_LENGTH', BigInt(exit.instructionLength));
  vmcs.set('VM_EXIT_INSTRUCTION_INFORMATION', BigInt(exit.instructionInformation));
  vmcs.set('VM_EXIT_INTERRUPTION_INFORMATION', BigInt(exit.interruptionInformation));
  vmcs.set('VM_EXIT_INTERRUPTION_ERROR_CODE', BigInt(exit.interruptionErrorCode));
  vmcs.set('IDT_VECTORING_INFORMATION', BigInt(exit.idtVectoringInformation));
  vmcs.set('IDT_VECTORING_ERROR_CODE', BigInt(exit.idtVectoringErrorCode));
  vmcs.set('GUEST_LINEAR_ADDRESS', exit.guestLinearAddress);
  vmcs.set('GUEST_PHYSICAL_ADDRESS', BigInt(exit.guestPhysicalAddress));
  // An event is injected once: the exit withdraws the request.
  vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', vmcs.get('VM_ENTRY_INTERRUPTION_INFORMATION') & ~VALID);
}

/** SDM vol. 3C, "VMX Aborts": the processor notes why and shuts down. */
function abort(core: Core, vmcs: Vmcs, reason: number): void {
  vmcs.abortIndicator = reason;
  core.registers.set('ACTIVITY', SHUTDOWN);
}
