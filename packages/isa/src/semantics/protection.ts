// What instructions about other segments' rights mean. They ask without loading, so a wrong selector clears ZF and nothing
// faults. SDM vol. 3A, "Privilege Levels", "Pointer Validation".

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import {operandAt, twoOperands, writeWhere} from './operand-access.js';

/** ARPL: the RPL of the first selector is raised to that of the second; one that is high enough is not written. */
export const ARPL: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const selector = m.read(to, 16),
    rpl = m.read(from, 16).and(3n);
  const isHighEnough = selector.and(3n).below(rpl).not();
  m.setFlag('ZF', 0n, isHighEnough);
  m.finishIf(isHighEnough);
  m.write(to, selector.and(0xfffcn).or(rpl));
  m.setFlag('ZF', 1n);
};

export const LAR: Semantics = (i, m) => askDescriptor(i, m, HELPERS.readAccessRights);
export const LSL: Semantics = (i, m) => askDescriptor(i, m, HELPERS.readSegmentLimit);

/** Bit 32 of the helper's answer says whether there is one. */
function askDescriptor(i: Instruction, m: Microcode, helper: Helper): void {
  const [to, from] = twoOperands(i);
  const answer = m.call(helper, m.read(from, 16));
  const visible = answer.bit(32);
  const value = answer.truncate(i.width === 16 ? 16 : 32);
  writeWhere(m, to, visible, i.width === 64 ? value.zeroExtend(64) : value);
  m.setFlag('ZF', visible);
}

export const VERR: Semantics = (i, m) => m.setFlag('ZF', m.call(HELPERS.verifyRead, m.read(operandAt(i, 0), 16)));
export const VERW: Semantics = (i, m) => m.setFlag('ZF', m.call(HELPERS.verifyWrite, m.read(operandAt(i, 0), 16)));
