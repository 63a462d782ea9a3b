// The status flags that arithmetic leaves behind.

import {evenParity} from '@hyperscope/isa';
import type {FlagRule} from '@hyperscope/isa';

const CF = 1,
  PF = 4,
  AF = 0x10,
  ZF = 0x40,
  SF = 0x80,
  OF = 0x800;
const STATUS = CF | PF | AF | ZF | SF | OF;

/**
 * RFLAGS (its low half) with the six status flags as a rule sets them (SDM vol. 1, "Status Flags"). INC and DEC leave CF
 * alone. Only the top bits and the lowest byte decide, so the work is done on numbers: BigInt costs in this hot path.
 */
export function applyFlagRule(
  rule: FlagRule,
  flags: number,
  a: bigint,
  b: bigint,
  result: bigint,
  width: number,
): number {
  const isWide = width > 32;
  const top = isWide ? width - 33 : width - 1;
  const x = isWide ? Number(a >> 32n) : Number(a);
  const y = isWide ? Number(b >> 32n) : Number(b);
  const r = isWide ? Number(result >> 32n) : Number(result);
  const low = isWide ? Number(result & 0xffn) : r & 0xff;
  let set = (result === 0n ? ZF : 0) | (((r >>> top) & 1) === 1 ? SF : 0) | (evenParity(low) === 1 ? PF : 0);
  if (rule !== 'logic') {
    const isSubtraction = rule === 'sub' || rule === 'sbb' || rule === 'dec';
    // Carries out of each bit position; for a subtraction, borrows into it.
    const carries = isSubtraction ? (~x & y) | ((~x | y) & r) : (x & y) | ((x | y) & ~r);
    const overflow = isSubtraction ? (x ^ y) & (x ^ r) : (x ^ r) & (y ^ r);
    const nibble = isWide ? Number((a ^ b ^ result) & 0x10n) : (x ^ y ^ r) & 0x10;
    set |= ((carries >>> top) & 1 ? CF : 0) | ((overflow >>> top) & 1 ? OF : 0) | nibble;
  }
  const kept = rule === 'inc' || rule === 'dec' ? STATUS & ~CF : STATUS;
  return (flags & ~kept) | (set & kept);
}
