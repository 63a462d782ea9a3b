// The cost model of a run in words: which processor the cycles are modelled on, and where each figure is from.

import type {Cost} from '@hyperscope/machine';
import {chooseCostModel} from '@hyperscope/vmm';

export interface CostFigure {
  readonly name: string;
  readonly cycles: number;
  /** 'measured' and 'derived' by the source; 'assumed' when nobody published one and we chose it. */
  readonly kind: Cost['kind'];
  readonly source: string;
}

export interface CostFigures {
  /** The processor: 'Westmere (2010)'. */
  readonly title: string;
  readonly source: string;
  readonly figures: readonly CostFigure[];
}

/** The figures of a model, by the id in a record's header; 'default' is the technique's own. @throws UserError for an unknown id. */
export function costFigures(id: string): CostFigures {
  const model = chooseCostModel(id === 'default' ? undefined : id);
  const row = (name: string, {cycles, kind, source}: Cost): CostFigure => ({name, cycles, kind, source});
  return {
    title: model.title,
    source: model.source,
    figures: [
      row('VM exit', model.vmExit),
      row('VM entry', model.vmEntry),
      row('VMREAD', model.vmread),
      row('VMWRITE', model.vmwrite),
      row('exception or interrupt delivered', model.exception),
      row('SYSCALL or SYSRET', model.syscall),
      row('port access', model.portAccess),
      row('each reference of a page walk', model.tlbMissReference),
      row('any other instruction', model.instruction),
    ],
  };
}
