// Where RDRAND and RDSEED get their numbers: a function of the machine's seed and of how far the run has come. There is
// nothing to record, a step back gives the same number again, and two runs with one seed are the same run.

import {INSTRUCTIONS} from './cell-indexes.js';
import type {Processor} from './processor.js';

const GOLDEN = 0x9e37_79b9_7f4a_7c15n;
/** The two instructions draw from different streams. */
const STREAMS = {RDRAND: 0n, RDSEED: 0x5eedn << 48n} as const;

/** 64 bits: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), counted by instructions. */
export function randomNumber(cpu: Processor, source: keyof typeof STREAMS): bigint {
  const count = (cpu.registers.cells[INSTRUCTIONS] ?? 0n) + 1n;
  const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
  let z = u64(cpu.entropySeed + STREAMS[source] + count * GOLDEN);
  z = u64((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = u64((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return z ^ (z >> 31n);
}
