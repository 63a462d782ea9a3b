// The nanobenchmarks on one machine, beside what Adams and Agesen measured on such a one: a column of their Figure 4.

import type {CostModel} from '@hyperscope/machine';
import {assertExists} from '@hyperscope/base';
import type {Bench} from './bench.js';
import {measure} from './nanobenchmark.js';
import type {Measurement} from './nanobenchmark.js';
import {PUBLISHED_OPERATIONS, otherWay} from './published-figures.js';
import type {PublishedColumn, PublishedOperation} from './published-figures.js';

/** Which column of the paper a technique is to be held against. */
const PUBLISHED_COLUMNS: ReadonlyMap<string, PublishedColumn> = new Map([
  ['bare', 'native'],
  ['binary-translation', 'software'],
  ['vtx-shadow', 'hardware'],
]);
/** The paper's processor, under every change of its figures. */
const PAPERS_MODEL = 'prescott-2005';

export interface CostCell {
  readonly operation: PublishedOperation;
  readonly measured: Measurement;
  /**
   * The paper's cycles, and measured cycles divided by them; undefined where the paper has no such machine. `otherWay`: why its
   * figure cannot come out here.
   */
  readonly published:
    | {readonly cycles: number; readonly ratio: number; readonly otherWay: string | undefined}
    | undefined;
}

export interface CostColumn {
  readonly technique: string;
  readonly processor: string;
  readonly costModel: CostModel;
  readonly cells: readonly CostCell[];
}

/** Runs all operations. @throws UserError as `measure` does. */
export function costColumn(bench: Bench): CostColumn {
  const runs = PUBLISHED_OPERATIONS.map(operation => ({operation, measured: measure(operation.guest, bench)}));
  const {processor, costModel} = assertExists(runs[0], 'there are operations').measured;
  const published = costModel.id.split(',')[0] === PAPERS_MODEL ? PUBLISHED_COLUMNS.get(bench.technique) : undefined;
  const cells = runs.map(({operation, measured}): CostCell => {
    if (published === undefined) return {operation, measured, published: undefined};
    const cycles = operation.cycles[published];
    const ratio = measured.cycles / cycles;
    return {operation, measured, published: {cycles, ratio, otherWay: otherWay(published, operation.name)}};
  });
  return {technique: bench.technique, processor, costModel, cells};
}
