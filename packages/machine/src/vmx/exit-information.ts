// The VM-exit information of one exit, made from what differs; everything that an exit does not define is 0.
// SDM vol. 3C, "VM-Exit Information Fields".

import {exitReasonNumber} from '@hyperscope/isa';
import type {ExitReasonName} from '@hyperscope/isa';
import type {Checks, VmExitInformation} from '../observer.js';

export type ExitDetails = Partial<Omit<VmExitInformation, 'reason' | 'guestRip' | 'checks'>>;

/** `guestRip`: what the guest's RIP field will hold: the instruction itself for fault-like exits. */
export function exitInformation(
  reason: ExitReasonName,
  guestRip: bigint,
  checks: Checks,
  details: ExitDetails = {},
): VmExitInformation {
  return {
    reason: exitReasonNumber(reason),
    qualification: 0n,
    guestRip,
    instructionLength: 0,
    instructionInformation: 0,
    interruptionInformation: 0,
    interruptionErrorCode: 0,
    idtVectoringInformation: 0,
    idtVectoringErrorCode: 0,
    guestLinearAddress: 0n,
    guestPhysicalAddress: 0,
    checks,
    ...details,
  };
}
