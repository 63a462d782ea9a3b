// VM entry: VMLAUNCH and VMRESUME. Checks first, then the guest's state, then an event if one is to be injected.
// SDM vol. 3C, "VM Entries"; the order of the basic checks: "Basic VM-Entry Checks".

import {bit, bits, hex, keysOf} from '@hyperscope/base';
import type {Core, DeliverableEvent, EventType} from '../cpu/core.js';
import {EVENT_TYPES} from '../cpu/core.js';
import {check, fault, shown} from '../cpu/faults.js';
import type {Check} from '../observer.js';
import {capabilitiesOf} from './capabilities.js';
import type {Controls} from './controls.js';
import {entryChecks} from './entry-checks.js';
import {EntryContext} from './entry-context.js';
import {loadGuestState} from './guest-state.js';
import {pendingMonitorTrapExit, startTiming} from './guest-timing.js';
import {loadHostState} from './host-state.js';
import {loadMsrList} from './msr-lists.js';
import {loadGuestPdptes} from './pointer-table-entries.js';
import {currentVmcs, fail, failInvalid} from './outcome.js';
import {exitGuest} from './vm-exit.js';
import {enterGuestTranslations, leaveGuestTranslations} from './translations.js';
import type {Vmcs} from './vmcs.js';

const BASIC = 'SDM vol. 3C, "Basic VM-Entry Checks"';
const BLOCKING_BY_MOV_SS = 2n;
const FAILURE = 0x8000_0000;
const INVALID_GUEST_STATE = 33;
const MSR_LOADING = 34;
/** Qualification of exit reason 33 where the VMCS link pointer is at fault. */
const LINK_POINTER = 4n;
const POINTER_TABLE_ENTRIES = 2n;
const OTHER_EVENT = 7n;
const ENABLED_BREAKPOINT = 1n << 12n;
const SINGLE_STEP = 1n << 14n;
const HALTED = 1n;

export type EntryInstruction = 'VMLAUNCH' | 'VMRESUME';

/** Carries out a VM entry, or fails in one of its three ways. RIP tells where it ended: guest, next instruction, or host. */
export function enterGuest(core: Core, how: EntryInstruction): void {
  const vmcs = currentVmcs(core);
  if (vmcs === undefined)
    return failInvalid(
      core,
      how,
      [],
      [check('there is a current VMCS', false, [shown('CURRENT_VMCS', core.registers.get('CURRENT_VMCS'))], BASIC)],
    );
  const operands = [['VMCS', hex(vmcs.address)]] as const;
  if ((core.registers.get('INTERRUPT_SHADOW') & BLOCKING_BY_MOV_SS) !== 0n) {
    return fail(core, how, 26, operands, [check('events are not blocked by MOV SS', false, [], BASIC)]);
  }
  const wanted = how === 'VMLAUNCH' ? 'clear' : 'launched';
  if (vmcs.launchState !== wanted) {
    return fail(core, how, how === 'VMLAUNCH' ? 4 : 5, operands, [
      check(`the launch state of the current VMCS is ${wanted}`, false, [['launch state', vmcs.launchState]], BASIC),
    ]);
  }
  const context = new EntryContext(core, vmcs, capabilitiesOf(core.profile));
  const failed = entryChecks(context, 'failures');
  if (failed.controls.length > 0) return fail(core, how, 7, operands, [...failed.controls, ...failed.host]);
  if (failed.host.length > 0) return fail(core, how, 8, operands, failed.host);
  if (failed.guest.length > 0)
    return lateFailure(core, context.controls, INVALID_GUEST_STATE, qualificationOf(failed.guest), failed.guest);
  commitEntry(core, how, context.controls);
}

function qualificationOf(failed: readonly Check[]): bigint {
  const first = failed[0]?.rule ?? '';
  if (first.includes('link pointer')) return LINK_POINTER;
  return first.includes('PDPTE') ? POINTER_TABLE_ENTRIES : 0n;
}

function commitEntry(core: Core, how: EntryInstruction, controls: Controls): void {
  const {vmcs} = controls;
  loadGuestState(core, controls);
  loadGuestPdptes(core, controls);
  core.registers.set('VMX_OPERATION', 2n);
  enterGuestTranslations(core, controls);
  const bad = loadMsrList(core, vmcs.get('VM_ENTRY_MSR_LOAD_ADDRESS'), vmcs.get('VM_ENTRY_MSR_LOAD_COUNT'));
  if (bad !== undefined) {
    const checks = [
      check(
        'every entry of the VM-entry MSR-load list can be loaded',
        false,
        [['entry', String(bad)]],
        'SDM vol. 3C, "Loading MSRs"',
      ),
    ];
    return lateFailure(core, controls, MSR_LOADING, BigInt(bad), checks);
  }
  if (how === 'VMLAUNCH') vmcs.launchState = 'launched';
  if (injectsMonitorTrap(vmcs)) return enterPendingMonitorTrap(core, how, controls);
  const event = injectedEvent(vmcs);
  startTiming(core, controls, event === undefined ? 'nothing' : 'an event');
  if (core.observed)
    core.emit({kind: 'vm-entry', how, vmcs: vmcs.address, guestRip: vmcs.get('GUEST_RIP'), injected: event?.vector});
  if (event === undefined) return deliverPendingDebug(core, vmcs);
  // An NMI that is injected blocks the next one, as one that came by itself would.
  if (event.type === 'NMI') core.registers.set('NMI_BLOCKING', 1n);
  core.deliverEvent(event);
}

/** Interruption type 7 with vector 0: a monitor-trap-flag exit is pending, whatever the control says, so the guest gets no turn. */
const injectsMonitorTrap = (vmcs: Vmcs): boolean => {
  const information = vmcs.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  return bit(information, 31) && bits(information, 10, 8) === OTHER_EVENT;
};
function enterPendingMonitorTrap(core: Core, how: EntryInstruction, controls: Controls): void {
  const {vmcs} = controls;
  startTiming(core, controls, 'nothing');
  if (core.observed)
    core.emit({kind: 'vm-entry', how, vmcs: vmcs.address, guestRip: vmcs.get('GUEST_RIP'), injected: undefined});
  exitGuest(core, pendingMonitorTrapExit(core));
}

/** Too late for VMfail: the processor leaves as by a VM exit, but saves nothing (SDM vol. 3C, "VM-Entry Failures During or After Loading Guest State"). */
function lateFailure(
  core: Core,
  controls: Controls,
  reason: number,
  qualification: bigint,
  checks: readonly Check[],
): void {
  const {vmcs} = controls;
  vmcs.set('EXIT_REASON', BigInt(FAILURE + reason));
  vmcs.set('EXIT_QUALIFICATION', qualification);
  loadHostState(core, controls);
  core.registers.set('VMX_OPERATION', 1n);
  leaveGuestTranslations(core, controls);
  if (core.observed) core.emit({kind: 'vm-entry-failure', reason, qualification, checks});
}

/** A debug trap that the last exit found pending, or that the hypervisor made so; blocking by MOV SS holds it back. */
function deliverPendingDebug(core: Core, vmcs: Vmcs): void {
  const pending = vmcs.get('GUEST_PENDING_DEBUG_EXCEPTIONS');
  const isDue = (pending & (ENABLED_BREAKPOINT | SINGLE_STEP)) !== 0n && core.registers.get('ACTIVITY') <= HALTED;
  if (!isDue || (core.registers.get('INTERRUPT_SHADOW') & BLOCKING_BY_MOV_SS) !== 0n) return;
  const why = check(
    'no debug exception is pending in the guest-state area',
    false,
    [['GUEST_PENDING_DEBUG_EXCEPTIONS', hex(pending)]],
    'SDM vol. 3C, "Delivery of Pending Debug Exceptions after VM Entry"',
  );
  core.raise({...fault('#DB', undefined, [why]), debugStatus: pending & (SINGLE_STEP | 0xfn)});
  if (core.registers.get('VMX_OPERATION') === 2n) core.registers.set('ACTIVITY', 0n);
}

function injectedEvent(vmcs: Vmcs): DeliverableEvent | undefined {
  const information = vmcs.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  if (!bit(information, 31)) return undefined;
  const number = Number(bits(information, 10, 8));
  const type: EventType = keysOf(EVENT_TYPES).find(name => EVENT_TYPES[name] === number) ?? 'hardware-exception';
  const software = number >= EVENT_TYPES['software-interrupt'];
  const rip = vmcs.get('GUEST_RIP');
  return {
    type,
    vector: Number(bits(information, 7, 0)),
    errorCode: bit(information, 11) ? Number(vmcs.get('VM_ENTRY_EXCEPTION_ERROR_CODE')) : undefined,
    returnRip: software ? rip + vmcs.get('VM_ENTRY_INSTRUCTION_LENGTH') : rip,
  };
}
