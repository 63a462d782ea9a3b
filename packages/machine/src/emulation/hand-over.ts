// What a hypervisor's emulator leaves to the hypervisor: instructions that it answers by itself when they exit, such as CPUID,
// HLT or MOV to CR0. The emulated processor asks at the places where a real one asks its VMX or SVM unit, after the faults
// that come first; for everything else there is nothing around it.

import type {Instruction, Intercept} from '@hyperscope/isa';
import type {VirtualizationUnit} from '../cpu/core.js';
import type {VmExitInformation} from '../observer.js';

/** Whether the emulator's owner takes the instruction. `args`: what the meaning of the instruction gives with the question. */
export type HandOver = (
  intercept: Intercept,
  args: readonly bigint[],
  instruction: Instruction,
) => 'hand over' | 'carry out';

/** Says nothing: the owner knows what it took. */
const HANDED_OVER: VmExitInformation = {
  reason: 0,
  qualification: 0n,
  guestRip: 0n,
  instructionLength: 0,
  instructionInformation: 0,
  interruptionInformation: 0,
  interruptionErrorCode: 0,
  idtVectoringInformation: 0,
  idtVectoringErrorCode: 0,
  guestLinearAddress: 0n,
  guestPhysicalAddress: 0,
  checks: [],
};

/** The unit of an emulated processor; an instruction that is handed over ends as trouble of kind 'vm-exit'. */
export function handOverUnit(handOver: HandOver, feature: 'vmx' | 'svm'): VirtualizationUnit {
  return {
    feature,
    intercept: (_core, instruction, intercept, args) =>
      handOver(intercept, args, instruction) === 'hand over' ? HANDED_OVER : undefined,
    interceptException: () => undefined,
    translate: () => HANDED_OVER,
    usesEpt: () => false,
    tripleFault: () => undefined,
    exit: () => undefined,
    visibleCr0: core => core.registers.get('CR0'),
    visibleCr4: core => core.registers.get('CR4'),
  };
}
