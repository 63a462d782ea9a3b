// Exits after which the hypervisor completes the guest's instruction in its stead, and skips it.

import type {VmExitInformation} from '@hyperscope/machine';

/**
 * Exceptions, EPT violations and misconfigurations, and exits between instructions are not among them: there the
 * instruction runs again, or had not begun. SDM vol. 3C, "Information for VM Exits Due to Instruction Execution".
 */
const RUNS_AGAIN: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 7, 8, 9, 37, 48, 49, 52]);

/** Whether the instruction that left the guest is complete when the guest goes on. */
export function completesInstruction(exit: VmExitInformation): boolean {
  // SVM tells a length with instruction intercepts only.
  if (exit.svm !== undefined) return exit.instructionLength > 0;
  return exit.instructionLength > 0 && !RUNS_AGAIN.has(exit.reason & 0xffff);
}
