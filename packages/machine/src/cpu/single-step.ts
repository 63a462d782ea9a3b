// The trap after an instruction that began with RFLAGS.TF set. SDM vol. 3B, "Single-Step Exception Condition".

import type {Instruction} from '@hyperscope/isa';
import {check, fault, shown} from './faults.js';
import type {Processor} from './processor.js';
import type {Fault} from './trouble.js';

const DR6_BS = 1n << 14n;
/** POP SS and MOV to SS hold the trap back for one instruction, as they hold back interrupts. */
const SHADOW_MOV_SS = 2n;

export function singleStepTrap(cpu: Processor, instruction: Instruction): Fault | undefined {
  const {registers} = cpu;
  // INT n clears TF, so it does not trap; an instruction that ended in another world (VM entry) has no TF of ours.
  if (registers.get('INTERRUPT_SHADOW') === SHADOW_MOV_SS || instruction.mnemonic.startsWith('INT')) return undefined;
  // SYSCALL with TF in FMASK takes the trap away (SDM vol. 2, "SYSCALL—Fast System Call").
  if (instruction.mnemonic === 'SYSCALL' && !registers.flag('TF')) return undefined;
  const tf = check(
    'RFLAGS.TF = 0 when the instruction began',
    false,
    [shown('RFLAGS', registers.get('RFLAGS'))],
    'SDM vol. 3B, "Single-Step Exception Condition"',
  );
  return {...fault('#DB', undefined, [tf]), debugStatus: DR6_BS};
}
