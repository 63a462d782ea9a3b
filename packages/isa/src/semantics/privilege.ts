// The checks of privilege that instructions share. Each is the first thing that its instruction does: a privilege fault
// outranks a VM exit (SDM vol. 3C, "Relative Priority of Faults and VM Exits").

import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';

/** #GP(0) unless CPL is 0: what makes an instruction privileged. */
export function requireCpl0(m: Microcode): void {
  m.faultIf(m.cpl.isNot(0n), '#GP', 0n);
}

/** Bits of CR4. */
const VME = 0,
  PVI = 1;

/**
 * Whether a program without the right to change IF has VIF to change instead: CR4.VME in virtual-8086 mode, CR4.PVI at CPL 3
 * elsewhere. SDM vol. 3B, "Virtual Interrupt Support", "Protected-Mode Virtual Interrupts".
 */
export function hasVirtualInterruptFlag(m: Microcode): Value {
  const cr4 = m.state('CR4');
  const inProtectedMode = cr4.bit(PVI).and(m.cpl.is(3n));
  if (m.instruction.codeSize === 64) return inProtectedMode;
  return m.vm.and(cr4.bit(VME)).or(m.vm.not().and(inProtectedMode));
}

/** Virtual-8086 mode with IOPL below 3: where PUSHF, POPF, INT n and IRET are sensitive to IOPL. */
export const lacksIoplInVirtual8086 = (m: Microcode): Value => m.vm.and(m.iopl.below(3n));

/**
 * #GP(0) in virtual-8086 mode with IOPL below 3: PUSHF, POPF, INT n, IRET. Everywhere else they do not fault. CR4.VME lets
 * those pass that have 16-bit operands: `unlessVme`.
 */
export function requireIoplInVirtual8086(m: Microcode, unlessVme: 'unless VME' | 'always' = 'always'): void {
  if (m.instruction.codeSize === 64) return;
  const lacks = lacksIoplInVirtual8086(m);
  m.faultIf(unlessVme === 'always' ? lacks : lacks.and(m.state('CR4').bit(VME).not()), '#GP', 0n);
}

/** #GP(0) when CR4.UMIP is set and CPL is not 0: SGDT, SIDT, SLDT, SMSW, STR. */
export function forbidByUmip(m: Microcode): void {
  m.faultIf(m.state('UMIP', 1).and(m.cpl.isNot(0n)), '#GP', 0n);
}

/** #UD, always. */
export function undefinedOpcode(m: Microcode): void {
  m.faultIf(m.constant(1n, 1), '#UD');
}
