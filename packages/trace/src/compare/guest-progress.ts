// How far a guest has come, counted by what it does itself: the beginnings of its instructions, in the order of time. The same
// list comes out of bare metal, a hypervisor and a translation of the guest's code, but for the interrupts.

import type {VmExitInformation} from '@hyperscope/machine';
import {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import type {GuestView} from './guest-registers.js';
import {deliversInterrupt} from './interrupt-delivery.js';

export interface GuestInstruction {
  readonly rip: bigint;
  /** The state in which it is next. */
  readonly step: number;
  /** Whether an interrupt came since the instruction before: what follows is the handler's. */
  readonly afterInterrupt: boolean;
}

/** External interrupt, NMI, and windows for them: not the doing of the instruction that they overtake. */
const FROM_OUTSIDE: ReadonlySet<number> = new Set([1, 7, 8]);
/** Under SVM: INTR, NMI, SMI, INIT and the virtual interrupt. */
const isFromOutside = ({reason, svm}: VmExitInformation): boolean =>
  svm === undefined ? FROM_OUTSIDE.has(reason & 0xffff) : svm.code >= 0x60 && svm.code <= 0x64;

/**
 * Each instruction that the guest began, also one that left it or faulted. One that begins again, because it faulted or repeats
 * itself, appears once. A record of real KVM has those that it was single-stepped through.
 */
export function guestInstructions(record: RunRecord, view: GuestView): readonly GuestInstruction[] {
  const found: GuestInstruction[] = [];
  const ripAt = ripReader(record, view);
  let afterInterrupt = false;
  const begin = (rip: bigint, step: number): void => {
    if (found.at(-1)?.rip === rip && !afterInterrupt) return;
    found.push({rip, step, afterInterrupt});
    afterInterrupt = false;
  };
  for (let step = 0; step < record.length; step++) {
    // Of several virtual machines the first is followed.
    if (record.columns.machine(step) !== 0) continue;
    const isGuest = record.columns.who(step).startsWith('guest');
    if (isGuest && beginsInstruction(record, step)) begin(ripAt(step), step);
    else if (!isGuest) for (const rip of emulated(record, step)) begin(rip, step);
    if (reachesGuest(record, step)) afterInterrupt = true;
  }
  return found;
}

function beginsInstruction(record: RunRecord, step: number): boolean {
  switch (record.columns.kind(step)) {
    case 'instruction':
      // A step of no length found the processor halted.
      return record.columns.instructionLength(step) > 0;
    case 'kvm-step':
      return true;
    case 'delivery':
      return record
        .eventsOf(step)
        .some(event => event.kind === 'exception' || (event.kind === 'vm-exit' && !isFromOutside(event.exit)));
    case 'host-action':
    case 'kvm-exit':
      return false;
  }
}

/** What a hypervisor carried out one after the other, without going back to the guest in between. */
function emulated(record: RunRecord, step: number): readonly bigint[] {
  return record.eventsOf(step).flatMap(event => (event.kind === 'emulation' ? [event.rip] : []));
}

/** Whether an interrupt came to the guest itself: by the processor on bare metal, else because the hypervisor said so. */
function reachesGuest(record: RunRecord, step: number): boolean {
  if (record.header.technique === 'bare') return deliversInterrupt(record, step);
  return record.eventsOf(step).some(event => event.kind === 'injection' && event.decision === 'injected');
}

/** Translated code runs at other addresses than the guest's: there the view tells which of its instructions is meant. */
function ripReader(record: RunRecord, view: GuestView): (step: number) => bigint {
  if (record.header.technique !== 'binary-translation') return step => record.columns.rip(step);
  const playhead = new Playhead(record);
  return step => {
    if (record.columns.who(step) === 'guest-user') return record.columns.rip(step);
    playhead.seek(step);
    return view(playhead)('RIP') ?? record.columns.rip(step);
  };
}
