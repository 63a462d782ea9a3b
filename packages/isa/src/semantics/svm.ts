// What SVM instructions mean. APM vol. 3, "System Instruction Reference". Each needs EFER.SVME and protected mode, else #UD;
// then CPL 0, else #GP(0); then the guest's own hypervisor may want it. Their operand is rAX, of the address size.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {requireCpl0, undefinedOpcode} from './privilege.js';

const SVME = 12;

/** The checks that all SVM instructions share, except VMMCALL. */
function beginSvm(i: Instruction, m: Microcode, intercept: Intercept): void {
  const disabled = m.state('EFER').bit(SVME).not();
  m.faultIf(i.codeSize === 64 ? disabled : disabled.or(m.state('PE', 1).not()).or(m.vm), '#UD');
  requireCpl0(m);
  m.intercept(intercept);
}

/** rAX at the width of the address size. */
function address(i: Instruction, m: Microcode): Value {
  const value = m.gpr('RAX', i.addressSize);
  return i.addressSize === 64 ? value : value.zeroExtend(64);
}

export const VMRUN: Semantics = (i, m) => {
  beginSvm(i, m, 'VMRUN');
  m.invoke(HELPERS.vmrun, address(i, m));
};

export const VMLOAD: Semantics = (i, m) => {
  beginSvm(i, m, 'VMLOAD');
  m.invoke(HELPERS.vmload, address(i, m));
};

export const VMSAVE: Semantics = (i, m) => {
  beginSvm(i, m, 'VMSAVE');
  m.invoke(HELPERS.vmsave, address(i, m));
};

/** VMMCALL: a guest's call to its hypervisor, at every CPL; where nobody asked for it, it is undefined. */
export const VMMCALL: Semantics = (_, m) => {
  m.faultIf(m.state('EFER').bit(SVME).not(), '#UD');
  m.intercept('VMMCALL');
  undefinedOpcode(m);
};

export const STGI: Semantics = (i, m) => {
  beginSvm(i, m, 'STGI');
  m.invoke(HELPERS.setGlobalInterruptFlag, m.constant(1n, 8));
};

export const CLGI: Semantics = (i, m) => {
  beginSvm(i, m, 'CLGI');
  m.invoke(HELPERS.setGlobalInterruptFlag, m.constant(0n, 8));
};

/** SKINIT: secure launch. It is announced by a CPUID bit of its own, which this machine does not set. */
export const SKINIT: Semantics = (i, m) => {
  beginSvm(i, m, 'SKINIT');
  undefinedOpcode(m);
};

export const INVLPGA: Semantics = (i, m) => {
  beginSvm(i, m, 'INVLPGA');
  m.invoke(HELPERS.invalidatePageOfAsid, address(i, m), m.gpr('RCX', 32).zeroExtend(64));
};
