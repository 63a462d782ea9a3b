// What if x86 had trapped? The same instructions on a processor for which Popek and Goldberg's premise holds: whatever is
// sensitive gives #GP(0) outside ring 0. Which those are is `classify`'s answer, not a list. System calls are left alone:
// they hand control to the system already.

import type {Instruction} from '../instruction.js';
import {recordMicrocode} from '../microcode/microcode.js';
import type {Microcode} from '../microcode/microcode.js';
import {requireCpl0} from '../semantics/privilege.js';
import {classify} from './classify.js';
import type {Classification} from './classify.js';

/** Whether an instruction is sensitive and not privileged in every state: with any IOPL, UMIP, TSD and PCE. */
function mustTrap(c: Classification): boolean {
  return c.sensitive && !c.systemCall && !(c.privileged && c.privilegedWhen === undefined);
}

/** `recordMicrocode` for the strict processor: a sensitive instruction begins with the check that CPL is 0. */
export function recordStrictMicrocode(instruction: Instruction): Microcode {
  const plain = recordMicrocode(instruction);
  return mustTrap(classify(plain)) ? recordMicrocode(instruction, requireCpl0) : plain;
}
