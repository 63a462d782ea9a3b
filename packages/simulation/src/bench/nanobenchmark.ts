// Runs a nanobenchmark: a guest that does one operation over and over and times itself with RDTSC, as FrobOS did. The
// time-stamp counter counts the cycles of the cost model, in a guest too, so the guest's own clock and the record's agree.

import {assert} from '@hyperscope/base';
import type {CostModel} from '@hyperscope/machine';
import {runBench} from './bench.js';
import type {Bench} from './bench.js';
import {requireGuest} from '../shipped.js';

export interface Measurement {
  /** Cycles of one operation, without the loop around it; to the tenth. */
  readonly cycles: number;
  readonly rounds: number;
  /** Cycles of the whole loop with the operation, and of the same loop without it. */
  readonly loop: number;
  readonly emptyLoop: number;
  /** The processor's title, and the model that the cycles are from. */
  readonly processor: string;
  readonly costModel: CostModel;
}

/**
 * Runs a guest that ends with the cycles of its loop in RAX, those of the empty loop in RBX, and the rounds in RCX.
 * @throws UserError for a guest that does not exist, and those of `runBench`.
 */
export function measure(guestId: string, bench: Bench): Measurement {
  const run = runBench(requireGuest(guestId), bench);
  const {RAX = -1n, RBX = -1n, RCX = 0n} = run.guestRegisters();
  const [loop, emptyLoop, rounds] = [Number(RAX), Number(RBX), Number(RCX)];
  assert(emptyLoop >= 0 && loop >= emptyLoop && rounds > 0, `${guestId} leaves its times in RAX, RBX and RCX`);
  const {profile, costModel} = run.machine;
  const cycles = Math.round((10 * (loop - emptyLoop)) / rounds) / 10;
  return {cycles, rounds, loop, emptyLoop, processor: profile.title, costModel};
}
