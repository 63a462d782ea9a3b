// What EXIT_QUALIFICATION says, by kind of exit. SDM vol. 3C, "Basic VM-Exit Information": the tables of exit qualification.

import {bit, bits} from '@hyperscope/base';
import type {IoExit} from '../hardware.js';

/** I/O instructions. 2:0 bytes − 1 · 3 IN · 4 string · 5 REP · 6 immediate · 31:16 port */
export function decodeIo(qualification: bigint): IoExit {
  const size = Number(bits(qualification, 2, 0)) + 1;
  return {
    bytes: size === 4 ? 4 : size === 2 ? 2 : 1,
    direction: bit(qualification, 3) ? 'in' : 'out',
    form: bit(qualification, 4) ? 'string' : 'plain',
    port: Number(bits(qualification, 31, 16)),
  };
}
