// What the instructions under "Miscellaneous Instructions" (SDM vol. 1) and the fences mean.

import type {Semantics} from '../opcodes/form.js';
import {effectiveSegment} from '../interpretations/prefixes.js';
import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import {HELPERS} from '../microcode/helpers.js';
import {memoryOperand, operandAt} from './operand-access.js';
import {undefinedOpcode} from './privilege.js';
import {requireMonitoredCoprocessor, requireNoPendingException} from './vector-checks.js';

/** LEA: an address is computed and nothing is read. */
export const LEA: Semantics = (i, m) => {
  const {offset} = m.address(memoryOperand(i, 1));
  m.write(operandAt(i, 0), i.width === 64 ? offset : offset.truncate(i.width));
};

/** NOP. A memory operand is not read. */
export const NOP: Semantics = () => {};

/** PAUSE: nothing, but a hypervisor can ask for it, to find guests that spin. */
export const PAUSE: Semantics = (_, m) => m.intercept('PAUSE');

/** WAIT: the x87 exceptions that wait are told now. */
export const WAIT: Semantics = (_, m) => {
  requireMonitoredCoprocessor(m);
  requireNoPendingException(m);
};

/** XLATB: AL ← [rBX + AL]. */
export const XLATB: Semantics = (i, m) => {
  const segment = effectiveSegment(i.prefixes, i.codeSize) ?? 'DS';
  const offset = m.gpr('RBX', i.addressSize).add(m.gpr('RAX', 8).zeroExtend(i.addressSize)).zeroExtend(64);
  m.setGpr('RAX', m.load({segment, offset}, 8));
};

/** CPUID: at every privilege level. Under VT-x it always exits; without, nothing traps it. */
export const CPUID: Semantics = (_, m) => {
  m.intercept('CPUID');
  m.invoke(HELPERS.cpuid, m.gpr('RAX', 32), m.gpr('RCX', 32));
};

/** UD0, UD1, UD2. */
export const UNDEFINED: Semantics = (_, m) => undefinedOpcode(m);

/** PREFETCHh, PREFETCH, PREFETCHW: hints. They do not read, so they cannot fault. */
export const PREFETCH: Semantics = () => {};

/** CLFLUSH, CLFLUSHOPT, CLWB: checked like a load of one byte (SDM vol. 2), and there is no cache to flush. */
export const FLUSH_LINE: Semantics = (i, m) => {
  m.load(m.address(memoryOperand(i, 0)), 8);
};

export const RDRAND: Semantics = (i, m) => randomNumber(i, m, 'RDRAND', HELPERS.readRandom);
export const RDSEED: Semantics = (i, m) => randomNumber(i, m, 'RDSEED', HELPERS.readSeed);

/** CF says that there was a number: always, here. The other flags are cleared. */
function randomNumber(i: Instruction, m: Microcode, intercept: Intercept, source: Helper): void {
  m.intercept(intercept);
  m.write(operandAt(i, 0), m.call(source).truncate(i.width));
  m.setFlag('CF', 1n);
  for (const flag of ['OF', 'SF', 'ZF', 'AF', 'PF'] as const) m.setFlag(flag, 0n);
}

/** LFENCE, MFENCE, SFENCE: memory is in order here, so there is nothing to wait for. */
export const FENCE: Semantics = () => {};
