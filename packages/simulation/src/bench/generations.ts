// Processor generations for comparing hypervisors: whose figures are charged, and which machine has them. The round trip of a
// VM exit has a source for each of them; most other figures are assumed for the later ones (docs/cost-model.md).

import {COST_MODELS} from '@hyperscope/machine';
import type {CostModel} from '@hyperscope/machine';
import {chooseCostModel} from '@hyperscope/vmm';

/** The machines whose guests are compared with native, in the order in which they came. */
export const RIVALS = ['binary-translation', 'vtx-shadow', 'vtx-ept'] as const;
export type Rival = (typeof RIVALS)[number];

export interface Generation {
  /** As `--cost-model` takes it. */
  readonly costModel: string;
  readonly title: string;
  /** Cycles of a VM exit and the entry after it. */
  readonly roundTrip: number;
  /** The profile of everything that needs no EPT, and of what does; undefined: the processor has none. */
  readonly profile: string;
  readonly withEpt: string | undefined;
}

const roundTripOf = ({vmExit, vmEntry}: CostModel): number => vmExit.cycles + vmEntry.cycles;

function generation(costModel: string, profile: string, withEpt: string | undefined): Generation {
  const model = chooseCostModel(costModel);
  return {costModel, title: model.title, roundTrip: roundTripOf(model), profile, withEpt};
}

/**
 * Before Nehalem there is no EPT. Nehalem has it without "unrestricted guest", which the KVM here asks for, so its machine with
 * EPT is Westmere's with Nehalem's figures: the workloads begin in 64-bit mode and make no use of it.
 */
const PROFILES: ReadonlyMap<string, readonly [profile: string, withEpt: string | undefined]> = new Map([
  ['prescott-2005', ['prescott', undefined]],
  ['merom-2006', ['prescott', undefined]],
  ['penryn-2008', ['prescott', undefined]],
  ['nehalem-2009', ['nehalem', 'westmere']],
  ['westmere-2010', ['westmere', 'westmere']],
  ['sandy-bridge-2011', ['westmere', 'westmere']],
]);

/** By year; the pre-production Core 2 is left out, which Merom followed in the same year. */
export const GENERATIONS: readonly Generation[] = COST_MODELS.flatMap(({id}) => {
  const profiles = PROFILES.get(id);
  return profiles === undefined ? [] : [generation(id, ...profiles)];
});

/** The generation that a model belongs to, changes included: 'prescott-2005,vmread=0'. @throws UserError for an unknown model. */
export function generationOf(costModel: string): Generation {
  const [profile, withEpt] = PROFILES.get(costModel.split(',')[0] ?? '') ?? ['westmere', 'westmere'];
  return generation(costModel, profile, withEpt);
}
