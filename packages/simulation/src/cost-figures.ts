// The cost model of a run in words: which processor the cycles are modelled on, and where each figure is from.

import type {Cost, CostModel} from '@hyperscope/machine';
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

const NAMES = {
  vmExit: 'VM exit',
  vmEntry: 'VM entry',
  vmread: 'VMREAD',
  vmwrite: 'VMWRITE',
  exception: 'exception or interrupt delivered',
  syscall: 'SYSCALL or SYSRET',
  portAccess: 'port access',
  tlbMissReference: 'each reference of a page walk',
  instruction: 'any other instruction',
} as const satisfies Partial<Record<keyof CostModel, string>>;

/** The figures of a model, by the id in a record's header; 'default' is the technique's own. @throws UserError for an unknown id. */
export function costFigures(id: string): CostFigures {
  const model = chooseCostModel(id === 'default' ? undefined : id);
  const row = (name: string, {cycles, kind, source}: Cost): CostFigure => ({name, cycles, kind, source});
  return {
    title: model.title,
    source: model.source,
    figures: [
      row(NAMES.vmExit, model.vmExit),
      row(NAMES.vmEntry, model.vmEntry),
      row(NAMES.vmread, model.vmread),
      row(NAMES.vmwrite, model.vmwrite),
      row(NAMES.exception, model.exception),
      row(NAMES.syscall, model.syscall),
      row(NAMES.portAccess, model.portAccess),
      row(NAMES.tlbMissReference, model.tlbMissReference),
      row(NAMES.instruction, model.instruction),
    ],
  };
}
