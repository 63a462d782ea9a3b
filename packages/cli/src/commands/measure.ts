// `hyperscope measure`: what exits cost on this machine's KVM, beside the published generations of processors.

import {UserError} from '@hyperscope/base';
import {measureKvm, probeKvm} from '@hyperscope/kvm';
import type {MachineMeasurements, Measurement} from '@hyperscope/kvm';
import {GENERATIONS} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {writeBytes} from '../files.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {progress} from '../terminal/progress.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {json: {value: 'FILE|-', help: 'Write the figures as JSON, with every histogram.'}} as const;

const BAR = 40;
const SHADES = ' ▁▂▃▄▅▆▇█';

export const MEASURE: Command = {
  name: 'measure',
  summary: "what exits cost on this machine's KVM",
  usage: 'hyperscope measure [--json FILE|-]',
  description: [
    'Runs small guests on /dev/kvm for some seconds and times their exits: those that KVM answers itself (many between two ' +
      'exits, less the loop around them) and those that come to user space (each return of KVM_RUN). Times contain all that ' +
      'the host does, an outer hypervisor included; on a busy machine they are larger.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope measure', what: 'A table, with the distribution of each.'},
    {
      line: 'hyperscope measure --json mine.json && hyperscope cost --on vtx-ept --cost-model measured:mine.json',
      what: 'A cost model fitted to this machine.',
    },
  ],
  exitCodes: [
    {code: 0, what: 'measured'},
    {code: 2, what: 'bad usage'},
    {code: 6, what: 'there is no KVM here, or it failed'},
  ],
  run: runMeasure,
};

async function runMeasure(args: readonly string[], {terminal, clock}: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  if (given.positionals.length > 0) throw usage('measure takes no guest: it brings its own.');
  const answer = probeKvm();
  if (!answer.available) throw new UserError(answer.code, `There is nothing to measure: ${answer.message}`);
  const line = progress(terminal, clock, 'operations', undefined);
  let figures: MachineMeasurements;
  try {
    figures = measureKvm(answer.fingerprint, (_operation, index) => line.update(index));
  } finally {
    line.end();
  }
  const json = given.value('json');
  const text = `${JSON.stringify({host: answer.fingerprint, ...figures}, undefined, 2)}\n`;
  if (json === '-') terminal.write(text);
  else {
    if (json !== undefined) writeBytes(json, text);
    const {flavour, kernel, vendor} = answer.fingerprint;
    terminal.line(terminal.style('bold', `${flavour} on Linux ${kernel}, ${vendor}`));
    for (const each of figureLines(figures, terminal)) terminal.line(each);
  }
  return EXIT.ok;
}

const microseconds = (nanoseconds: number): string => (nanoseconds / 1000).toFixed(nanoseconds < 10_000 ? 2 : 1);

function figureLines(
  {operations, outerHypervisor, tscKhz}: MachineMeasurements,
  terminal: Terminal,
): readonly string[] {
  const width = Math.min(110, terminal.width);
  const rows = operations.map(each =>
    each.kind === 'not-measured'
      ? [each.title, answerer(each), '–', '', '', '', '']
      : [
          each.title,
          answerer(each),
          microseconds(each.time.median),
          microseconds(each.time.p90),
          microseconds(each.time.p99),
          String(each.cycles),
          histogramText(each.time.histogram),
        ],
  );
  const missing = operations.flatMap(each => (each.kind === 'not-measured' ? [`${each.title}: ${each.why}.`] : []));
  return [
    '',
    ...table(
      [
        {title: 'operation', align: 'left'},
        {title: 'answered by', align: 'left'},
        {title: 'median µs', align: 'right'},
        {title: '90 %', align: 'right'},
        {title: '99 %', align: 'right'},
        {title: 'cycles', align: 'right'},
        {title: 'from fastest to slowest', align: 'left'},
      ],
      rows,
    ),
    '',
    ...missing.flatMap(text => wrap(text, width)),
    ...wrap(`Cycles are those of the time-stamp counter, ${(tscKhz / 1e6).toFixed(2)} GHz.`, width),
    ...(outerHypervisor
      ? wrap(
          'This machine is itself a guest (CPUID.1:ECX[31] = 1): an outer hypervisor has a part in every figure, and may have the larger one.',
          width,
        ).map(text => terminal.style('yellow', text))
      : []),
    '',
    ...generationLines(operations, terminal),
  ];
}

const answerer = ({answeredBy}: Measurement): string => (answeredBy === 'kvm' ? 'KVM' : 'user space');

function histogramText(histogram: readonly {readonly count: number}[]): string {
  const most = Math.max(...histogram.map(({count}) => count));
  const shown = histogram.slice(0, BAR);
  const shade = (count: number): string =>
    SHADES[count === 0 ? 0 : Math.max(1, Math.round((count / most) * (SHADES.length - 1)))] ?? '';
  return shown.map(({count}) => shade(count)).join('') + (histogram.length > BAR ? '…' : '');
}

/** This machine's CPUID exit beside the published round trips. */
function generationLines(operations: readonly Measurement[], {style}: Terminal): readonly string[] {
  const cpuid = operations.find(({id}) => id === 'cpuid');
  const own = cpuid?.kind === 'measured' ? [['this machine: CPUID', cpuid.cycles] as const] : [];
  // Cycles of a hardware round trip, VM exit and entry: the cost models have them.
  const all = [...GENERATIONS.map(({title, roundTrip}) => [title, roundTrip] as const), ...own];
  const longest = Math.max(...all.map(([, cycles]) => cycles));
  const lines = table(
    [
      {title: 'round trip of an exit', align: 'left'},
      {title: 'cycles', align: 'right'},
      {title: '', align: 'left'},
    ],
    all.map(([name, cycles]) => [name, String(cycles), '█'.repeat(Math.max(1, Math.round((cycles / longest) * BAR)))]),
  );
  return [
    ...lines,
    style(
      'dim',
      'Published: Agesen et al., USENIX ATC 2012, Table 1 (hardware only; a CPUID exit has KVM’s answer in it too).',
    ),
  ];
}
