// The checks of privilege that instructions share. Each is the first thing that its instruction does: a privilege fault
// outranks a VM exit (SDM vol. 3C, "Relative Priority of Faults and VM Exits").

import type {Microcode} from '../microcode/microcode.js';

/** #GP(0) unless CPL is 0: what makes an instruction privileged. */
export function requireCpl0(m: Microcode): void {
  m.faultIf(m.cpl.isNot(0n), '#GP', 0n);
}

/** #GP(0) when CPL > IOPL: CLI and STI. In real mode CPL is 0; in virtual-8086 mode it is 3. */
export function requireIoPrivilege(m: Microcode): void {
  m.faultIf(m.cpl.above(m.iopl), '#GP', 0n);
}

/** #GP(0) in virtual-8086 mode with IOPL below 3: PUSHF, POPF, INT n, IRET. Everywhere else they do not fault. */
export function requireIoplInVirtual8086(m: Microcode): void {
  if (m.instruction.codeSize !== 64) m.faultIf(m.vm.and(m.iopl.below(3n)), '#GP', 0n);
}

/** #GP(0) when CR4.UMIP is set and CPL is not 0: SGDT, SIDT, SLDT, SMSW, STR. */
export function forbidByUmip(m: Microcode): void {
  m.faultIf(m.state('UMIP', 1).and(m.cpl.isNot(0n)), '#GP', 0n);
}

/** #UD, always. */
export function undefinedOpcode(m: Microcode): void {
  m.faultIf(m.constant(1n, 1), '#UD');
}
