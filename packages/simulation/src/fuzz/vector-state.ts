// Programs with vector instructions set every XMM and MMX register before the first of them, and store them all behind the
// last: what a host left in them does not count, and what the program did to them does.

import {encodeLittle} from './little-endian.js';
import {FUZZ_LAYOUT} from './fuzz-image.js';
import type {ProgramDraft} from './program-draft.js';

/** In the window, on ordinary pages. */
const SOURCE = FUZZ_LAYOUT.window + 0x1_0000;
const DESTINATION = SOURCE + 0x1000;
const XMM_REGISTERS = 16;
const MMX_REGISTERS = 8;

/** [disp32] in 64-bit code. */
const absolute = (register: number, address: number): readonly number[] => [
  ((register & 7) << 3) | 4,
  0x25,
  ...encodeLittle(BigInt(address), 4),
];

type Opcode = 'load' | 'store';
const OPCODES: Readonly<Record<Opcode, number>> = {load: 0x6f, store: 0x7f};

/** MOVDQU and MOVQ of all registers, from or to a place of each. */
export function moveVectors(draft: ProgramDraft, direction: Opcode): void {
  const start = direction === 'load' ? SOURCE : DESTINATION;
  const opcode = OPCODES[direction];
  for (let register = 0; register < XMM_REGISTERS; register++) {
    const rex = register < 8 ? [] : [0x44];
    draft.emit(Uint8Array.from([0xf3, ...rex, 0x0f, opcode, ...absolute(register, start + 16 * register)]));
  }
  for (let register = 0; register < MMX_REGISTERS; register++)
    draft.emit(Uint8Array.from([0x0f, opcode, ...absolute(register, start + 0x200 + 8 * register)]));
}
