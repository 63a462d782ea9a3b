// `hyperscope cost`: what nine operations cost on simulated machines, from running them, beside what Adams and Agesen measured
// in 2006 on real ones.

import {costColumn, costFigures} from '@hyperscope/simulation';
import type {CostColumn, MeasuredModel} from '@hyperscope/simulation';
import {COST_OPTIONS, listCostModels, measuredNotes, readCostModel, readMeasured} from '../run/cost-options.js';
import {tellParadox} from '../run/paradox.js';
import {EXIT} from '../exit-status.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {table, wrap} from '../terminal/table.js';
import type {Column} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

/** The columns of the paper: native, software, and the first hypervisors that used VT-x. */
const DEFAULT_MACHINES = 'bare,binary-translation,vtx-shadow';
/** Machines that the paper has: they run on its processor, unless another is chosen. */
const PAPERS_PROCESSOR: ReadonlyMap<string, string> = new Map([
  ['bare', 'prescott'],
  ['binary-translation', 'prescott'],
  ['vtx-shadow', 'prescott'],
]);

const OPTIONS = {
  on: {value: 'TECHNIQUE,…', help: `The machines, each a column. Default: ${DEFAULT_MACHINES}.`},
  cpu: {
    value: 'PROFILE,±FEATURE',
    help: 'The processor of all columns, as for hyperscope run. Default: prescott for the machines of 2005, what each needs for the others.',
  },
  ...COST_OPTIONS,
  paradox: {
    value: undefined,
    help: 'Whole workloads instead of operations: translation, VT-x and EPT beside native over the generations; a model that is chosen alone. Takes a minute or two.',
  },
  workload: {value: 'ID,…', help: 'With --paradox, these alone: compute, calls, mixed, fork, walks.'},
  json: {value: undefined, help: 'Print all that was measured as JSON.'},
} as const;

export const COST: Command = {
  name: 'cost',
  summary: 'what a system call, a port, a page fault … cost, beside the figures of 2006',
  usage:
    'hyperscope cost [--on TECHNIQUE,…] [--cpu PROFILE] [--cost-model MODEL] [--cost FIGURE=CYCLES]      hyperscope cost --paradox',
  description: [
    'Runs nanobenchmarks (guests named nano-…): each does one operation in a loop, times the loop and the same loop without ' +
      'it with RDTSC, and divides. The cycles are those of a cost model, whose figures are published, derived, calibrated or ' +
      'assumed, and can be changed one by one. Where the model is the Pentium 4 of the paper, its own figures stand beside: ' +
      'Adams and Agesen, “A Comparison of Software and Hardware Techniques for x86 Virtualization”, ASPLOS 2006, Figure 4.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope cost', what: 'The table of the paper: native, binary translation and VT-x of 2005.'},
    {line: 'hyperscope cost --on vtx-ept', what: 'The same operations five years later, with nested paging.'},
    {line: 'hyperscope cost --cost vm-exit=0 --cost vm-entry=0', what: 'What would be left if exits were free?'},
    {
      line: 'hyperscope cost --paradox',
      what: 'The paradox of 2005: where software is faster than hardware, and until when.',
    },
    {
      line: 'hyperscope cost --paradox --cost-model measured:mine.json',
      what: 'The same, and this machine beside the published ones (hyperscope measure --json mine.json).',
    },
    {line: 'hyperscope cost --cost-model list', what: 'The models, and the names of their figures.'},
  ],
  exitCodes: [
    {code: 0, what: 'measured'},
    {code: 2, what: 'bad usage, such as a figure that the model does not have'},
  ],
  run: runCost,
};

async function runCost(args: readonly string[], context: CommandContext): Promise<number> {
  const {terminal} = context;
  const given = parseArguments(OPTIONS, args);
  if (given.positionals.length > 0) throw usage('cost takes no guest: it brings its own. Choose machines with --on.');
  if (given.value('cost-model') === 'list') return Promise.resolve(listCostModels(terminal));
  const measured = readMeasured(given.value('cost-model'));
  if (given.has('paradox')) {
    if (given.has('on') || given.has('cpu')) throw usage('--paradox brings its own machines and processors.');
    tellParadox(
      {
        costModel: readCostModel(given),
        beside: measured === undefined ? 'nothing' : 'published',
        workloads: given.value('workload'),
        form: given.has('json') ? 'json' : 'text',
      },
      context,
    );
    if (!given.has('json')) tellMeasured(measured, terminal);
    return Promise.resolve(EXIT.ok);
  }
  const machines = (given.value('on') ?? DEFAULT_MACHINES).split(',').map(name => name.trim());
  const columns = machines.map(technique =>
    costColumn({
      technique,
      profile: given.value('cpu') ?? PAPERS_PROCESSOR.get(technique),
      costModel: readCostModel(given),
      // As the VMMs of 2006 did; KVM's way would measure a store.
      leafTables: technique === 'vtx-shadow' ? 'trapped' : undefined,
    }),
  );
  if (given.has('json')) terminal.line(JSON.stringify(columns.map(asJson), undefined, 2));
  else {
    tell(terminal, columns);
    tellMeasured(measured, terminal);
  }
  return Promise.resolve(EXIT.ok);
}

function tellMeasured(measured: MeasuredModel | undefined, terminal: Terminal): void {
  if (measured === undefined) return;
  for (const note of measuredNotes(measured)) for (const line of wrap(note, terminal.width)) terminal.line(line);
}

const asJson = ({technique, processor, costModel, cells}: CostColumn) => ({
  technique,
  processor,
  costModel: costModel.id,
  calibrated: costFigures(costModel.id).figures.filter(({kind}) => kind === 'calibrated'),
  operations: cells.map(({operation, measured, published}) => ({
    name: operation.name,
    guest: operation.guest,
    cycles: measured.cycles,
    rounds: measured.rounds,
    published: published?.cycles ?? null,
    ratio: published?.ratio ?? null,
    otherWay: published?.otherWay ?? null,
  })),
});

// ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function tell(terminal: Terminal, columns: readonly CostColumn[]): void {
  for (const {technique, processor, costModel} of columns)
    terminal.line(`${terminal.style('bold', technique)}: ${processor}; cycles of ${costModel.title}`);
  terminal.line();
  const operations = columns[0]?.cells.map(({operation}) => operation) ?? [];
  const rows = operations.map(({name, what}, row) => [name, ...columns.flatMap(column => cells(column, row)), what]);
  for (const line of table([left('cycles of'), ...columns.flatMap(headings), left('which is')], rows))
    terminal.line(line);
  terminal.line();
  for (const note of notes(columns)) for (const line of wrap(note, terminal.width)) terminal.line(line);
}

const left = (title: string): Column => ({title, align: 'left'});
const right = (title: string): Column => ({title, align: 'right'});

const isPublished = ({cells: all}: CostColumn): boolean => all.some(({published}) => published !== undefined);

const headings = (column: CostColumn): readonly Column[] =>
  isPublished(column) ? [right(column.technique), right('paper'), right('ratio')] : [right(column.technique)];

function cells(column: CostColumn, row: number): readonly string[] {
  const cell = column.cells[row];
  const cycles = String(cell?.measured.cycles ?? '');
  if (!isPublished(column)) return [cycles];
  return [cycles, String(cell?.published?.cycles ?? ''), ratioText(cell)];
}

/** With a mark where the ratio is not to be taken for a measure. */
function ratioText(cell: CostColumn['cells'][number] | undefined): string {
  const ratio = cell?.published?.ratio;
  if (ratio === undefined) return '';
  return `${ratio.toFixed(2)}${cell?.published?.otherWay === undefined ? ' ' : '*'}`;
}

function notes(columns: readonly CostColumn[]): readonly string[] {
  return [
    ...new Set(columns.filter(isPublished).map(({costModel}) => calibration(costModel.id))),
    ...(columns.some(({technique}) => technique === 'vtx-shadow')
      ? [
          'vtx-shadow: every write to a page table is trapped, as in 2006. KVM lets the last level go out of step with its shadow until the guest flushes its TLB (hyperscope exits edits).',
        ]
      : []),
    ...columns.flatMap(otherWays),
  ];
}

/** Why some ratios say nothing: a sentence for each machine. */
function otherWays({technique, cells: all}: CostColumn): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const {operation, published} of all) {
    if (published?.otherWay !== undefined)
      reasons.set(published.otherWay, [...(reasons.get(published.otherWay) ?? []), operation.name]);
  }
  const clauses = [...reasons].map(([why, names]) => `${names.join(', ')}: ${why}`);
  return clauses.length === 0 ? [] : [`* ${technique}: ${clauses.join('; ')}.`];
}

/** Which figures were fitted, or changed by the user. */
function calibration(id: string): string {
  const {figures} = costFigures(id);
  const listed = (kind: 'calibrated' | 'given'): string =>
    figures
      .filter(figure => figure.kind === kind)
      .map(({option, cycles}) => `${option} ${cycles}`)
      .join(', ');
  const given = listed('given');
  const fitted = `Calibrated to the paper: ${listed('calibrated')}; every other figure is published, derived or assumed (docs/cost-model.md).`;
  return given === '' ? fitted : `Given for this run: ${given}. ${fitted}`;
}
