// What an exit is called, whichever unit made it: VT-x numbers its reasons, SVM has exit codes.

import {exitReasonName, exitReasonTitle} from '../vmx/exit-reasons.js';
import {svmExitCode} from '../svm/exit-codes.js';

/** What there is to know about an exit's name. `svm` is there for exits of SVM. */
export interface ExitIdentity {
  readonly reason: number;
  readonly svm?: {readonly code: number} | undefined;
}

/** A VM entry that failed, as an exit: VT-x by its reason, SVM (a negative one) by VMEXIT_INVALID. */
export function entryFailure(reason: number): ExitIdentity {
  return reason < 0 ? {reason, svm: {code: reason}} : {reason};
}

/** `IO_INSTRUCTION`; `VMEXIT_IOIO` under SVM. */
export function vmExitName(exit: ExitIdentity): string {
  return exit.svm === undefined ? exitReasonName(exit.reason & 0xffff) : svmExitCode(exit.svm.code).name;
}

/** `I/O instruction` */
export function exitTitle(exit: ExitIdentity): string {
  return exit.svm === undefined ? exitReasonTitle(exit.reason & 0xffff) : svmExitCode(exit.svm.code).title;
}

/** `30` for VT-x, `7Bh` for SVM, as the manuals write them; `−1` for VMEXIT_INVALID. */
export function exitNumber(exit: ExitIdentity): string {
  if (exit.svm === undefined) return String(exit.reason & 0xffff);
  return exit.svm.code < 0 ? `−${-exit.svm.code}` : `${exit.svm.code.toString(16).toUpperCase()}h`;
}
