// VMRUN and #VMEXIT: the two directions of the world switch. APM vol. 2, "VMRUN", "#VMEXIT".

import {assert, hpa} from '@hyperscope/base';
import {SVM_EXIT, SVM_EXIT_BASE, vmcbField} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import type {Trouble} from '../cpu/trouble.js';
import type {VmExitInformation} from '../observer.js';
import {heldVmcb, keepWritten, readVmcb} from './clean-bits.js';
import {SvmControls} from './controls.js';
import {vmrunChecks} from './entry-checks.js';
import {svmExit} from './exit.js';
import {loadGuestState, saveGuestState} from './guest-state.js';
import {loadHostState, saveHostState} from './host-state.js';
import {exitIntInfo, injectedEvent} from './injection.js';
import {startPauseFilter} from './pause-filter.js';
import {enterGuestTranslations, leaveGuestTranslations} from './translations.js';
import {vmcbAt} from './vmcb-address.js';
import {Vmcb} from './vmcb.js';

const GUEST = 2n;
const HOST = 1n;
const EVENT_VALID = 1n << 31n;
const V_IRQ = 1n << 8n;
const V_TPR = 0xffn;
const PAGE_FAULT = 14;
/** BYTES_FETCHED and this many bytes behind it. */
const FETCHED_BYTES = 15;
export const NO_VMCB = 0xffff_ffff_ffff_ffffn;

/** The VMCB of the running guest. */
export function currentVmcb(core: Core): Vmcb {
  const pointer = core.registers.get('CURRENT_VMCB');
  assert(pointer !== NO_VMCB, 'guest mode has a VMCB');
  return new Vmcb(core.memory, Number(pointer));
}

/**
 * Enters the guest. Where a consistency check fails, the host goes on at once with VMEXIT_INVALID; #GP(0) only for an address
 * that cannot be a VMCB's.
 */
export function vmrun(core: Core, address: bigint): Trouble | undefined {
  const vmcb = vmcbAt(core, 'VMRUN', address);
  if (!(vmcb instanceof Vmcb)) return vmcb;
  // RIP holds the next instruction's address already.
  saveHostState(core, core.registers.get('RIP'));
  core.registers.set('CURRENT_VMCB', address);
  const controls = new SvmControls(readVmcb(core, vmcb));
  const failed = vmrunChecks(core, controls);
  if (failed.length > 0) {
    if (core.observed)
      core.emit({kind: 'vm-entry-failure', reason: SVM_EXIT.INVALID, qualification: 0n, checks: failed});
    leaveGuest(core, svmExit(SVM_EXIT.INVALID, vmcb.get('RIP'), failed));
    return undefined;
  }
  loadGuestState(core, controls);
  core.registers.set('VMX_OPERATION', GUEST);
  core.registers.set('GIF', 1n);
  enterGuestTranslations(core, controls.vmcb);
  startPauseFilter(core, controls.vmcb);
  const event = injectedEvent(vmcb);
  if (core.observed)
    core.emit({kind: 'vm-entry', how: 'VMRUN', vmcs: vmcb.address, guestRip: vmcb.get('RIP'), injected: event?.vector});
  if (event !== undefined) core.deliverEvent(event);
  return undefined;
}

/** #VMEXIT. A VMCB that was refused is told so and keeps its guest state. */
export function leaveGuest(core: Core, exit: VmExitInformation): void {
  const vmcb = currentVmcb(core);
  const code = exit.svm?.code ?? SVM_EXIT.INVALID;
  if (core.observed) core.emit({kind: 'vm-exit', exit});
  recordExit(core, vmcb, exit);
  if (code !== SVM_EXIT.INVALID) {
    const {nestedPaging} = new SvmControls(heldVmcb(core, vmcb));
    saveGuestState(core, {vmcb, nestedPaging}, exit.guestRip);
    keepWritten(core, vmcb);
  }
  loadHostState(core);
  core.registers.set('VMX_OPERATION', HOST);
  core.registers.set('GIF', 0n);
  leaveGuestTranslations(core);
}

function recordExit(core: Core, vmcb: Vmcb, exit: VmExitInformation): void {
  vmcb.set('EXITCODE', BigInt(exit.svm?.code ?? SVM_EXIT.INVALID));
  vmcb.set('EXITINFO1', exit.svm?.info1 ?? 0n);
  vmcb.set('EXITINFO2', exit.svm?.info2 ?? 0n);
  vmcb.set('EXITINTINFO', exitIntInfo(exit.idtVectoringInformation));
  vmcb.set('EXITINTINFO_ERROR_CODE', BigInt(exit.idtVectoringErrorCode));
  // An event is injected once: the exit withdraws the request.
  vmcb.set('EVENTINJ', vmcb.get('EVENTINJ') & ~EVENT_VALID);
  if (core.features.decodeAssists) recordInstructionBytes(core, vmcb, exit);
  const tellsNext = core.features.nrips && exit.instructionLength > 0;
  vmcb.set('NRIP', tellsNext ? exit.guestRip + BigInt(exit.instructionLength) : 0n);
}

/**
 * Decode assists: what was fetched of an instruction whose data access faulted, so that a hypervisor need not read the guest's
 * code; 0 bytes for every other exit, and for a fetch that faulted. APM vol. 2, "Decode Assists".
 */
function recordInstructionBytes(core: Core, vmcb: Vmcb, {svm}: VmExitInformation): void {
  const isFault = svm?.code === SVM_EXIT.NPF || svm?.code === SVM_EXIT_BASE.exception + PAGE_FAULT;
  const bytes = isFault ? core.instructionBytes() : [];
  vmcb.set('BYTES_FETCHED', BigInt(bytes.length));
  const first = vmcb.address + vmcbField('BYTES_FETCHED').offset + 1;
  for (let index = 0; index < FETCHED_BYTES; index++)
    core.memory.write(hpa(first + index), 1, BigInt(bytes[index] ?? 0));
}

/** MOV to CR8 under V_INTR_MASKING. */
export function setVirtualTaskPriority(core: Core, priority: bigint): void {
  changeVirtualInterrupt(core, old => (old & ~V_TPR) | priority);
}
/** The virtual interrupt has been taken: the processor clears V_IRQ. */
export function acknowledgeVirtualInterrupt(core: Core): void {
  changeVirtualInterrupt(core, old => old & ~V_IRQ);
}
/** In memory at once, although software can see it after #VMEXIT only. */
function changeVirtualInterrupt(core: Core, change: (old: bigint) => bigint): void {
  const vmcb = currentVmcb(core);
  const held = heldVmcb(core, vmcb);
  held.set('VIRTUAL_INTERRUPT', change(held.get('VIRTUAL_INTERRUPT')));
  if (held !== vmcb) vmcb.set('VIRTUAL_INTERRUPT', held.get('VIRTUAL_INTERRUPT'));
}
