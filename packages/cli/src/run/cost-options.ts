// Which figures a simulated run counts its cycles by: a model's, and those of them that the user changes.

import {COST_MODEL_CHOICES, costFigures} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import type {Arguments, Option} from '../terminal/arguments.js';
import {table} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

export const COST_OPTIONS = {
  'cost-model': {
    value: 'MODEL',
    help: 'The processor whose published figures the cycles are from, such as prescott-2005; `list` shows all. Default: that of --cpu, where it has one, or westmere-2010.',
  },
  cost: {
    value: 'FIGURE=CYCLES',
    repeatable: 'repeatable',
    help: 'Change a figure of the model: --cost vm-entry=1000. `--cost-model list` shows their names.',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Model and changes in one text, as a session takes them; undefined where nothing was chosen. */
export function readCostModel(given: Arguments<keyof typeof COST_OPTIONS>): string | undefined {
  const model = given.value('cost-model');
  const changes = given.values('cost');
  return model === undefined && changes.length === 0 ? undefined : [model ?? '', ...changes].join(',');
}

/** `--cost-model list`: the models, and the figures that each of them has. */
export function listCostModels(terminal: Terminal): number {
  const left = (title: string) => ({title, align: 'left'}) as const;
  const models = COST_MODEL_CHOICES.map(({id, title, source}) => [id, title, source]);
  for (const line of table([left('model'), left('processor'), left('main source')], models)) terminal.line(line);
  terminal.line();
  const first = COST_MODEL_CHOICES[0];
  if (first === undefined) return EXIT.ok;
  terminal.line(`The figures, with their cycles on the ${first.title}:`);
  const figures = costFigures(first.id).figures.map(({option, name, cycles, kind}) => [
    option,
    String(cycles),
    kind,
    name,
  ]);
  const columns = [left('figure'), {title: 'cycles', align: 'right'}, left('kind'), left('for')] as const;
  for (const line of table(columns, figures)) terminal.line(line);
  return EXIT.ok;
}
