// A vCPU that nobody has given registers to: KVM leaves it as a processor is after RESET, at the reset vector.
// SDM vol. 3A, "First Instruction Executed"; Linux, arch/x86/kvm/x86.c: kvm_vcpu_reset.

import type {Host} from './host-context.js';
import type {HostRoutine, HostStep} from '../host/host-program.js';
import {giveVcpu} from './kvm-setup.js';

/** `write`: what KVM_SET_SREGS and KVM_SET_REGS do, with the registers of RESET. */
export const resetRoutine = (write: readonly HostStep<Host>[]): HostRoutine<Host> => ({
  name: 'kvm_vcpu_reset',
  actor: 'hypervisor',
  steps: [...write, giveVcpu],
});
