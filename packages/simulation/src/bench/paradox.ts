// The paradox of 2005: the first hardware for virtualization was slower than software. Each workload runs natively, under binary
// translation, under VT-x with shadow page tables, and with EPT, on one generation of processors after the other.

import {assertExists} from '@hyperscope/base';
import {RIVALS} from './generations.js';
import type {Generation, Rival} from './generations.js';
import {WORKLOADS, runWorkload} from './workload-run.js';
import type {WorkloadId, WorkloadRun} from './workload-run.js';

/** Machines whose cycles differ by less than this share are even. */
export const EVEN = 0.05;

export interface RivalRun extends Pick<WorkloadRun, 'cycles' | 'exits'> {
  readonly technique: Rival;
  /** Cycles divided by the native ones. */
  readonly ratio: number;
  /** Exits for each thousand instructions that the guest has natively. */
  readonly exitsPerThousand: number;
}

export interface ParadoxCell {
  readonly workload: WorkloadId;
  readonly generation: Generation;
  readonly native: Pick<WorkloadRun, 'cycles' | 'instructions'>;
  readonly rivals: readonly RivalRun[];
  /** The one with the fewest cycles, and those that are even with it. */
  readonly winners: readonly Rival[];
}

/** What a machine runs on: software is the same for all generations, and follows each write to a page table as in 2006. */
export function runOn(
  generation: Generation,
  technique: Rival | 'bare',
  workload: WorkloadId,
  {costModel = generation.costModel, edits}: {readonly costModel?: string; readonly edits?: number | undefined} = {},
): WorkloadRun {
  const profile = technique === 'vtx-ept' ? generation.withEpt : generation.profile;
  return runWorkload(workload, {
    technique,
    profile: assertExists(profile, `${technique} is on ${generation.title}`),
    costModel,
    leafTables: technique === 'vtx-shadow' ? 'trapped' : undefined,
    edits,
  });
}

export const rivalsOn = (generation: Generation): readonly Rival[] =>
  RIVALS.filter(technique => technique !== 'vtx-ept' || generation.withEpt !== undefined);

/** A cell for each workload of each generation, as they are done. @throws UserError as `runBench` does. */
export function* paradox(
  generations: readonly Generation[],
  workloads: readonly WorkloadId[] = WORKLOADS.map(({id}) => id),
): Generator<ParadoxCell> {
  for (const generation of generations)
    for (const workload of workloads) {
      const native = runOn(generation, 'bare', workload);
      const rivals = rivalsOn(generation).map((technique): RivalRun => {
        const {cycles, exits} = runOn(generation, technique, workload);
        const exitsPerThousand = (1000 * exits) / native.instructions;
        return {technique, cycles, exits, ratio: cycles / native.cycles, exitsPerThousand};
      });
      const {cycles, instructions} = native;
      yield {workload, generation, native: {cycles, instructions}, rivals, winners: winnersOf(rivals)};
    }
}

function winnersOf(rivals: readonly RivalRun[]): readonly Rival[] {
  const least = Math.min(...rivals.map(({cycles}) => cycles));
  return rivals.filter(({cycles}) => cycles <= least * (1 + EVEN)).map(({technique}) => technique);
}
