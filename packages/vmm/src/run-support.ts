// What every simulated technique does the same way: choosing a processor and a cost model, loading an image, turning a
// machine's step into a report.

import {UserError} from '@hyperscope/base';
import {
  COST_MODELS,
  FEATURE_BITS,
  NEHALEM_COSTS,
  PRESCOTT_COSTS,
  PROFILES,
  WESTMERE_COSTS,
  costModelById,
  isFeature,
  profileById,
  withCosts,
  withFeature,
  withStrictness,
  withVendor,
} from '@hyperscope/machine';
import type {CostModel, Machine, MachineStep, ProcessorProfile} from '@hyperscope/machine';
import {CELLS} from '@hyperscope/isa';
import type {RunOutcome} from './technique.js';
import type {RegisterValues} from './virtual-machine.js';

/**
 * The profile of an id, on which features may be switched and the maker changed: 'westmere,+smep,-nx,vendor=AuthenticAMD';
 * with `+strict` every sensitive instruction traps outside ring 0.
 */
export function chooseProfile(text: string | undefined, otherwise: ProcessorProfile): ProcessorProfile {
  const [id = '', ...changes] = (text ?? '').split(',');
  const profile = id === '' ? otherwise : profileById(id);
  if (profile === undefined) {
    throw new UserError(
      'unknown-profile',
      `There is no processor profile "${id}". Choose one of: ${PROFILES.map(each => each.id).join(', ')}.`,
    );
  }
  return changes.reduce(changeProfile, profile);
}

function changeProfile(profile: ProcessorProfile, change: string): ProcessorProfile {
  if (change.startsWith('vendor=')) return withVendor(profile, change.slice('vendor='.length));
  if (change === '+strict') return withStrictness(profile);
  const feature = change.slice(1);
  if ((change.startsWith('+') || change.startsWith('-')) && isFeature(feature))
    return withFeature(profile, feature, change.startsWith('+') ? 'on' : 'off');
  throw new UserError(
    'unknown-feature',
    `"${change}" changes nothing in a processor profile. Write +feature or -feature, with one of: strict, ${Object.keys(FEATURE_BITS).join(', ')}.`,
  );
}

/** The model for a processor profile, where a run names none: the processor's own figures, or Westmere's. */
const MODELS_OF_PROFILES: ReadonlyMap<string, CostModel> = new Map([
  ['prescott', PRESCOTT_COSTS],
  ['nehalem', NEHALEM_COSTS],
]);

/**
 * The model of an id, in which figures may be changed: 'prescott-2005,vm-entry=1000'. Where there is none, or only changes,
 * the model of the processor.
 * @throws UserError 'unknown-cost-model', and those of `withCosts`.
 */
export function chooseCostModel(text: string | undefined, profile?: ProcessorProfile): CostModel {
  const [id = '', ...changes] = (text ?? '').split(',');
  const own = (profile === undefined ? undefined : MODELS_OF_PROFILES.get(profile.id)) ?? WESTMERE_COSTS;
  const model = id === '' ? own : costModelById(id);
  if (model !== undefined) return withCosts(model, changes);
  throw new UserError(
    'unknown-cost-model',
    `There is no cost model "${id}". Choose one of: ${COST_MODELS.map(each => each.id).join(', ')}.`,
  );
}

/** Writes register values into a machine's cells. */
export function setRegisters(machine: Machine, values: RegisterValues): void {
  for (const cell of CELLS) {
    const value = values[cell];
    if (value !== undefined) machine.registers.set(cell, value);
  }
}

/** How a step ends a run without a hypervisor's help. */
export function outcomeOf(step: MachineStep): RunOutcome | undefined {
  switch (step.kind) {
    case 'halted':
      return {kind: 'halted'};
    case 'shutdown':
      return {kind: 'triple-fault', chain: []};
    case 'unsupported':
      return {kind: 'unsupported', address: step.address, bytes: step.bytes, what: step.what};
    default:
      return undefined;
  }
}
