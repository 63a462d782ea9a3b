// The half of the paradox that runs in a worker: workloads on simulated machines, one at a time.

import {UserError, assertExists} from '@hyperscope/base';
import {EVEN, GENERATIONS, RIVALS, WORKLOADS, costFigures, rivalsOn, runOn} from '@hyperscope/simulation';
import type {
  GenerationEntry,
  WorkloadClient,
  WorkloadEntry,
  WorkloadRequest,
  WorkloadResult,
} from './workload-client.js';

const figureOf = (costModel: string, option: string): number =>
  assertExists(
    costFigures(costModel).figures.find(figure => figure.option === option),
    `a figure ${option}`,
  ).cycles;

export class WorkloadLab implements WorkloadClient {
  generations(): readonly GenerationEntry[] {
    return GENERATIONS.map(generation => ({
      id: generation.costModel,
      title: generation.title,
      roundTrip: generation.roundTrip,
      vmmStep: figureOf(generation.costModel, 'vmm-step'),
      walkReference: figureOf(generation.costModel, 'walk-reference'),
      machines: rivalsOn(generation),
    }));
  }

  workloads(): readonly WorkloadEntry[] {
    return WORKLOADS.map(({id, title, what}) => ({id, title, what}));
  }

  even(): number {
    return EVEN;
  }

  run({generation: id, technique, workload, costs}: WorkloadRequest): WorkloadResult {
    const generation = GENERATIONS.find(({costModel}) => costModel === id);
    const machine = (['bare', ...RIVALS] as const).find(each => each === technique);
    const work = WORKLOADS.find(each => each.id === workload)?.id;
    if (generation === undefined || machine === undefined || work === undefined)
      throw new UserError('unknown-workload', `There is no ${workload} on ${technique} of ${id}.`);
    return runOn(generation, machine, work, {costModel: [id, ...costs].join(',')});
  }
}
