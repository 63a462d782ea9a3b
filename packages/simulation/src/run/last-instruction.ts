// The instruction that the guest was at when its run ended: where, which bytes, and what they mean.

import {hex, hexBytes} from '@hyperscope/base';
import {decode, disassemble} from '@hyperscope/isa';
import {codeAddress, codeSizeOf} from '@hyperscope/trace';
import type {CellSource, GuestMemory} from '@hyperscope/trace';

const LONGEST = 15;

/** `at 0x7c05: cc (int3)`; an instruction whose bytes cannot be read or decoded is told by what is there. */
export function lastInstruction(cells: CellSource, memory: GuestMemory): string {
  const rip = cells('RIP') ?? 0n;
  const linear = codeAddress(cells, rip);
  const place =
    linear === rip ? hex(rip) : `CS:RIP ${hex(cells('CS.selector') ?? 0n)}:${hex(rip)} (linear ${hex(linear)})`;
  const bytes = memory.readLinear(cells, linear, LONGEST);
  if (bytes === undefined) return `at ${place}, where no memory is mapped`;
  const decoded = decode(bytes, codeSizeOf(cells));
  if (decoded.kind !== 'instruction') return `at ${place}: ${hexBytes(bytes)} (no instruction that is known)`;
  return `at ${place}: ${hexBytes(decoded.instruction.bytes)} (${disassemble(decoded.instruction, rip)})`;
}
