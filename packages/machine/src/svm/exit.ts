// An exit of SVM as a value: EXITCODE, EXITINFO1 and EXITINFO2, and how the processor came to it.
// APM vol. 2, "#VMEXIT"; appendix C, "SVM Intercept Exit Codes".

import type {Checks, VmExitInformation} from '../observer.js';

export interface SvmExitDetails {
  readonly info1?: bigint;
  readonly info2?: bigint;
  /** Bytes of the intercepted instruction: with them NRIP can be told. 0 where no instruction was intercepted. */
  readonly instructionLength?: number;
  /** Guest-physical address of a nested page fault, and the linear address that led to it. */
  readonly guestPhysicalAddress?: number;
  readonly guestLinearAddress?: bigint;
}

/** `guestRip`: where the guest goes on; the instruction itself, because intercepts come before it has done anything. */
export function svmExit(
  code: number,
  guestRip: bigint,
  checks: Checks,
  details: SvmExitDetails = {},
): VmExitInformation {
  return {
    reason: code,
    qualification: 0n,
    guestRip,
    instructionLength: details.instructionLength ?? 0,
    instructionInformation: 0,
    interruptionInformation: 0,
    interruptionErrorCode: 0,
    idtVectoringInformation: 0,
    idtVectoringErrorCode: 0,
    guestLinearAddress: details.guestLinearAddress ?? 0n,
    guestPhysicalAddress: details.guestPhysicalAddress ?? 0,
    checks,
    svm: {code, info1: details.info1 ?? 0n, info2: details.info2 ?? 0n},
  };
}
