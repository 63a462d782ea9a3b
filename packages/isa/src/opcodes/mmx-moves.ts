// Moves of MMX registers and EMMS: "MMX Data Transfer Instructions", "MMX State Management Instructions" (SDM vol. 1).

import {EMMS, MOVE_MMX} from '../semantics/vector-moves.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const MMX_MOVES: readonly OpcodeForm[] = [
  op('NP 0F 6F /r', 'MOVQ mm, mm/m64', MOVE_MMX, 'needs mmx'),
  op('NP 0F 7F /r', 'MOVQ mm/m64, mm', MOVE_MMX, 'needs mmx'),
  op('NP 0F 6E /r', 'MOVQ mm, r/m64', MOVE_MMX, 'os64', 'needs mmx'),
  op('NP 0F 7E /r', 'MOVQ r/m64, mm', MOVE_MMX, 'os64', 'needs mmx'),
  op('NP 0F 6E /r', 'MOVD mm, r/m32', MOVE_MMX, 'needs mmx'),
  op('NP 0F 7E /r', 'MOVD r/m32, mm', MOVE_MMX, 'needs mmx'),
  op('NP 0F E7 /r', 'MOVNTQ m64, mm', MOVE_MMX, 'needs sse'),
  op('NP 0F 77', 'EMMS', EMMS, 'needs mmx'),
];
