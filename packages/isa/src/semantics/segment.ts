// What loads of far pointers mean. SDM vol. 1, "Segment Register Instructions".

import {assertExists} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
import {HELPERS} from '../microcode/helpers.js';
import {SEGMENT_REGISTERS} from '../registers/cells.js';
import {memoryOperand, operandAt, segmentNumber} from './operand-access.js';

/** LDS, LES, LSS, LFS, LGS: the offset into a general register, the selector above it into the segment register. */
export const LOAD_FAR_POINTER: Semantics = (i, m) => {
  const register = assertExists(
    SEGMENT_REGISTERS.find(name => i.mnemonic === `L${name}`),
    i.mnemonic,
  );
  const {segment, offset} = m.address(memoryOperand(i, 1));
  const value = m.load({segment, offset}, i.width);
  const selector = m.load({segment, offset: offset.add(BigInt(i.width / 8))}, 16);
  m.invoke(HELPERS.loadSegment, segmentNumber(m, register), selector);
  m.write(operandAt(i, 0), value);
};
