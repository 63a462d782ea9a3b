// Runs the paradox of 2005 for the terminal, with a progress line: it takes as long as it takes.

import {
  GENERATIONS,
  WORKLOADS,
  breakEvenDensity,
  breakEvenRoundTrip,
  generationOf,
  paradox,
} from '@hyperscope/simulation';
import type {Generation, ParadoxCell, WorkloadId} from '@hyperscope/simulation';
import {assertExists} from '@hyperscope/base';
import type {CommandContext} from '../commands/command.js';
import {usage} from '../terminal/arguments.js';
import {progress} from '../terminal/progress.js';
import {paradoxLines} from './paradox-lines.js';
import type {BreakEvens} from './paradox-lines.js';

export interface ParadoxChoices {
  /** One generation, as `--cost-model` and `--cost` name it; all where undefined. */
  readonly costModel: string | undefined;
  /** Whether it stands alone, or beside the published ones. */
  readonly beside: 'published' | 'nothing';
  /** Some workloads alone, by their ids; all where undefined. */
  readonly workloads: string | undefined;
  readonly form: 'json' | 'text';
}

/** @throws UserError for a model or a workload that does not exist. */
export function tellParadox(
  {costModel, beside, workloads, form}: ParadoxChoices,
  {terminal, clock}: Pick<CommandContext, 'clock' | 'terminal'>,
): void {
  const chosen = costModel === undefined ? [] : [generationOf(costModel)];
  const generations = costModel !== undefined && beside === 'nothing' ? chosen : [...GENERATIONS, ...chosen];
  const ids = workloadsOf(workloads);
  const line = progress(terminal, clock, 'workloads', (generations.length + 1) * ids.length + 1);
  const cells: ParadoxCell[] = [];
  let found: BreakEvens;
  try {
    for (const cell of paradox(generations, ids)) line.update(cells.push(cell));
    found = breakEvens(assertExists(generations[0], 'there is a generation'), ids, done =>
      line.update(cells.length + done),
    );
  } finally {
    line.end();
  }
  if (form === 'json') terminal.line(JSON.stringify({cells, breakEven: found}, undefined, 2));
  else for (const text of paradoxLines(cells, found, terminal)) terminal.line(text);
}

function workloadsOf(text: string | undefined): readonly WorkloadId[] {
  if (text === undefined) return WORKLOADS.map(({id}) => id);
  return text.split(',').map(name => {
    const workload = WORKLOADS.find(({id}) => id === name.trim());
    if (workload === undefined)
      throw usage(`There is no workload "${name}". Choose of: ${WORKLOADS.map(({id}) => id).join(', ')}.`);
    return workload.id;
  });
}

function breakEvens(
  generation: Generation,
  workloads: readonly WorkloadId[],
  onProgress: (done: number) => void,
): BreakEvens {
  const roundTrips = workloads.map((id, index) => {
    onProgress(index);
    return [id, breakEvenRoundTrip(generation, id)] as const;
  });
  onProgress(workloads.length);
  // How often a guest may leave is asked of the one that does both.
  return {generation, roundTrips, density: workloads.includes('mixed') ? breakEvenDensity(generation) : undefined};
}
