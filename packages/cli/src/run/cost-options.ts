// Which figures a simulated run counts its cycles by: a model's, and those of them that the user changes.

import {COST_MODEL_CHOICES, costFigures, measuredModel, readMeasurements} from '@hyperscope/simulation';
import type {MeasuredModel} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {readText} from '../files.js';
import type {Arguments, Option} from '../terminal/arguments.js';
import {table} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

export const COST_OPTIONS = {
  'cost-model': {
    value: 'MODEL',
    help: 'The processor whose published figures the cycles are from, such as prescott-2005; `list` shows all; measured:FILE fits one to what `hyperscope measure --json FILE` found. Default: that of --cpu, where it has one, or westmere-2010.',
  },
  cost: {
    value: 'FIGURE=CYCLES',
    repeatable: 'repeatable',
    help: 'Change a figure of the model: --cost vm-entry=1000. `--cost-model list` shows their names.',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Model and changes in one text, as a session takes them; undefined where nothing was chosen. */
export function readCostModel(given: Arguments<keyof typeof COST_OPTIONS>): string | undefined {
  const chosen = given.value('cost-model');
  const model = readMeasured(chosen)?.costModel ?? chosen;
  const changes = given.values('cost');
  return model === undefined && changes.length === 0 ? undefined : [model ?? '', ...changes].join(',');
}

const MEASURED = 'measured:';

/** `measured:FILE`: a model fitted to a machine; undefined for any other. @throws UserError where the file is none of `measure`. */
export function readMeasured(text: string | undefined): MeasuredModel | undefined {
  if (text?.startsWith(MEASURED) !== true) return undefined;
  return measuredModel(readMeasurements(readText(text.slice(MEASURED.length))));
}

/** What it was fitted to, how well, and what stands between. */
export function measuredNotes({machine, fitted}: MeasuredModel): readonly string[] {
  return [
    `Fitted to ${machine.name}: CPUID ${machine.cpuid} cycles there and ${fitted.cpuid} here, IN answered by user space ${machine.portRead} and ${fitted.portRead}. All other figures are those of the latest published processor.`,
    ...(machine.outerHypervisor
      ? ['That machine is itself a guest: an outer hypervisor has a part in its figures, and may have the larger one.']
      : []),
  ];
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
