// VMRUN and #VMEXIT: the two directions of the world switch. APM vol. 2, "VMRUN", "#VMEXIT".

import {assert} from '@hyperscope/base';
import {SVM_EXIT} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import type {Trouble} from '../cpu/trouble.js';
import type {VmExitInformation} from '../observer.js';
import {SvmControls} from './controls.js';
import {vmrunChecks} from './entry-checks.js';
import {svmExit} from './exit.js';
import {loadGuestState, saveGuestState} from './guest-state.js';
import {loadHostState, saveHostState} from './host-state.js';
import {exitIntInfo, injectedEvent} from './injection.js';
import {enterGuestTranslations, leaveGuestTranslations} from './translations.js';
import {vmcbAt} from './vmcb-address.js';
import {Vmcb} from './vmcb.js';

const GUEST = 2n;
const HOST = 1n;
const EVENT_VALID = 1n << 31n;
const V_IRQ = 1n << 8n;
const V_TPR = 0xffn;
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
  const controls = new SvmControls(vmcb);
  // RIP holds the next instruction's address already.
  saveHostState(core, core.registers.get('RIP'));
  core.registers.set('CURRENT_VMCB', address);
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
  enterGuestTranslations(core, vmcb);
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
  if (code !== SVM_EXIT.INVALID) saveGuestState(core, new SvmControls(vmcb), exit.guestRip);
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
  const tellsNext = core.features.nrips && exit.instructionLength > 0;
  vmcb.set('NRIP', tellsNext ? exit.guestRip + BigInt(exit.instructionLength) : 0n);
}

/** MOV to CR8 under V_INTR_MASKING. */
export function setVirtualTaskPriority(core: Core, priority: bigint): void {
  const vmcb = currentVmcb(core);
  vmcb.set('VIRTUAL_INTERRUPT', (vmcb.get('VIRTUAL_INTERRUPT') & ~V_TPR) | priority);
}

/** The virtual interrupt has been taken: the processor clears V_IRQ. */
export function acknowledgeVirtualInterrupt(core: Core): void {
  const vmcb = currentVmcb(core);
  vmcb.set('VIRTUAL_INTERRUPT', vmcb.get('VIRTUAL_INTERRUPT') & ~V_IRQ);
}
