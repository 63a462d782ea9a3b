// The cost model of a run in words: which processor the cycles are modelled on, and where each figure is from.

import {keysOf} from '@hyperscope/base';
import {COST_MODELS, COST_NAMES} from '@hyperscope/machine';
import type {Cost, CostName} from '@hyperscope/machine';
import {chooseCostModel} from '@hyperscope/vmm';

export interface CostFigure {
  readonly name: string;
  /** As the command line calls it: 'vm-entry'. */
  readonly option: string;
  readonly cycles: number;
  /**
   * 'measured' and 'derived' by the source, 'calibrated' to it; 'assumed' when nobody published one and we chose it; 'given'
   * when whoever started the run did.
   */
  readonly kind: Cost['kind'];
  readonly source: string;
}

export interface CostFigures {
  /** The processor: 'Westmere (2010)'. */
  readonly title: string;
  readonly source: string;
  readonly figures: readonly CostFigure[];
}

/**
 * The figures of a model, by the id in a record's header, changes included; 'default' is what records of before had.
 * @throws UserError for an unknown id.
 */
export function costFigures(id: string): CostFigures {
  const model = chooseCostModel(id === 'default' ? undefined : id);
  return {
    title: model.title,
    source: model.source,
    figures: keysOf<CostName>(COST_NAMES).map(name => {
      const {cycles, kind, source} = model[name];
      const {option, title} = COST_NAMES[name];
      return {name: title, option, cycles, kind, source};
    }),
  };
}

/** The models that can be named, by year. */
export const COST_MODEL_CHOICES: readonly {readonly id: string; readonly title: string; readonly source: string}[] =
  COST_MODELS.map(({id, title, source}) => ({id, title, source}));
