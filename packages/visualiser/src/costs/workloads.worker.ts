// The half of the paradox that runs in a worker: workloads on simulated machines, one at a time.

import {UserError, assertExists} from '@hyperscope/base';
import {
  EVEN,
  GENERATIONS,
  RIVALS,
  WORKLOADS,
  costFigures,
  generationOf,
  measuredModel,
  readMeasurements,
  rivalsOn,
  runOn,
} from '@hyperscope/simulation';
import type {Generation} from '@hyperscope/simulation';
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

const entryOf = (generation: Generation): GenerationEntry => ({
  id: generation.costModel,
  title: generation.title,
  roundTrip: generation.roundTrip,
  vmmStep: figureOf(generation.costModel, 'vmm-step'),
  walkReference: figureOf(generation.costModel, 'walk-reference'),
  machines: rivalsOn(generation),
});

export class WorkloadLab implements WorkloadClient {
  readonly #measured: Generation[] = [];

  generations(): readonly GenerationEntry[] {
    return this.#all.map(entryOf);
  }

  addMeasured(measurements: string): GenerationEntry {
    const {costModel, machine} = measuredModel(readMeasurements(measurements));
    const below = machine.outerHypervisor ? ', a hypervisor below it' : '';
    const generation = {...generationOf(costModel), costModel, title: `${machine.name}, measured${below}`};
    if (!this.#all.some(each => each.costModel === costModel)) this.#measured.push(generation);
    return entryOf(generation);
  }

  get #all(): readonly Generation[] {
    return [...GENERATIONS, ...this.#measured];
  }

  workloads(): readonly WorkloadEntry[] {
    return WORKLOADS.map(({id, title, what}) => ({id, title, what}));
  }

  even(): number {
    return EVEN;
  }

  run({generation: id, technique, workload, costs}: WorkloadRequest): WorkloadResult {
    const generation = this.#all.find(({costModel}) => costModel === id);
    const machine = (['bare', ...RIVALS] as const).find(each => each === technique);
    const work = WORKLOADS.find(each => each.id === workload)?.id;
    if (generation === undefined || machine === undefined || work === undefined)
      throw new UserError('unknown-workload', `There is no ${workload} on ${technique} of ${id}.`);
    return runOn(generation, machine, work, {costModel: [id, ...costs].join(',')});
  }
}
