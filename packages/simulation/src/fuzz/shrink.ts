// Makes a program that shows a difference as short as it can be while it still shows one.

import type {FuzzProgram} from './fuzz-program.js';

const NOP = 0x90;
const MOST_ROUNDS = 6;

/** The shortest program found: instructions taken out or made NOPs, registers made 0. `differs` decides, and is called often. */
export function shrink(program: FuzzProgram, differs: (candidate: FuzzProgram) => boolean): FuzzProgram {
  let best = program;
  const accept = (candidate: FuzzProgram): boolean => {
    if (!differs(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = best;
    // Halves first, then ever smaller runs, the last instruction alone.
    for (let size = best.pieces.length >> 1; size >= 1; size >>= 1) {
      for (let at = best.pieces.length - size; at >= 0; at -= size) dropOrBlank(best, at, size, accept);
    }
    if (best === before) break;
  }
  return simplifyRegisters(best, accept, () => best);
}

function dropOrBlank(
  program: FuzzProgram,
  at: number,
  size: number,
  accept: (candidate: FuzzProgram) => boolean,
): void {
  const {pieces} = program;
  if (accept({...program, pieces: [...pieces.slice(0, at), ...pieces.slice(at + size)]})) return;
  // Where addresses matter (a branch leads over it), what is in between may still be nothing.
  if (size > 1 || pieces[at]?.every(byte => byte === NOP) === true) return;
  accept({...program, pieces: pieces.map((piece, i) => (i === at ? new Uint8Array(piece.length).fill(NOP) : piece))});
}

function simplifyRegisters(
  program: FuzzProgram,
  accept: (candidate: FuzzProgram) => boolean,
  best: () => FuzzProgram,
): FuzzProgram {
  for (const cell of Object.keys(program.registers)) {
    if (cell === 'RSP') continue;
    accept({...best(), registers: {...best().registers, [cell]: cell === 'RFLAGS' ? 2n : 0n}});
  }
  return best();
}
