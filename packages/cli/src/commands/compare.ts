// `hyperscope compare`: one guest on two machines, side by side; every difference classified, or the status is 1.

import {GUESTS, findGuest, guestCellsAt} from '@hyperscope/simulation';
import type {KvmDepth} from '@hyperscope/kvm';
import {compareRecords} from '@hyperscope/trace';
import type {Comparison, RunRecord} from '@hyperscope/trace';
import {EXIT} from '../exit-status.js';
import {writeBytes} from '../files.js';
import {comparisonLines} from '../run/comparison-lines.js';
import {recordOf} from '../run/record-source.js';
import {DEPTH_OPTIONS, depthOf} from '../run/depth.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  on: {
    value: 'A,B',
    help: 'Two or more of vtx-ept, bare, kvm, or files of records; each is compared with the first. Default: vtx-ept,kvm.',
  },
  all: {value: undefined, help: 'Compare every guest that ships.'},
  json: {value: 'FILE|-', help: 'Write the comparisons as JSON, an array.'},
  ...DEPTH_OPTIONS,
} as const;

export const COMPARE: Command = {
  name: 'compare',
  summary: 'the same guest on two machines: exits, and the first difference',
  usage: 'hyperscope compare IMAGE [--on A,B]      hyperscope compare A.hsr B.hsr      hyperscope compare --all',
  description: [
    'Aligns two runs by what the guest can see, prints a table of exits (reason, counts, guest instruction) and the ' +
      'first difference in registers, memory or output. Every difference has a class: timing, cpuid, undefined-flags, ' +
      'kept-inside-kvm, no-hypervisor, host-quirk; or it is unexplained, which means a bug in the simulator until shown otherwise.',
    'Where this machine has no KVM, the recording that ships with a guest takes its place, and the output says so.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope compare hello-kvm --on vtx-ept,kvm', what: 'Simulated VT-x beside real KVM.'},
    {
      line: 'hyperscope compare popf --on bare,vtx-ept,kvm',
      what: 'Three machines: the first beside each of the others.',
    },
    {line: 'hyperscope compare mine.hsr theirs.hsr', what: 'Records from two computers.'},
  ],
  exitCodes: [
    {code: 0, what: 'every difference is explained'},
    {code: 1, what: 'one is not'},
    {code: 2, what: 'bad usage'},
    {code: 6, what: 'KVM failed, and there is no recording'},
  ],
  run: runCompare,
};

/** Records of one subject; the first is compared with each of the others. */
type Lineup = readonly [RunRecord, ...RunRecord[]];

async function runCompare(args: readonly string[], context: CommandContext): Promise<number> {
  const {terminal} = context;
  const given = parseArguments(OPTIONS, args);
  const json = given.value('json');
  const comparisons: Comparison[] = [];
  for await (const [first, ...others] of lineups(given, context)) {
    for (const other of others) {
      const comparison = compareRecords(first, other, guestCellsAt);
      if (json !== '-') for (const line of comparisonLines(comparison, terminal)) terminal.line(line);
      comparisons.push(comparison);
    }
  }
  if (json !== undefined) {
    const text = `${JSON.stringify(
      comparisons.map(({events: _events, ...rest}) => rest),
      undefined,
      2,
    )}\n`;
    if (json === '-') terminal.write(text);
    else writeBytes(json, text);
  }
  return comparisons.every(comparison => comparison.unexplained === 0) ? EXIT.ok : EXIT.unexplained;
}

/** What to compare, recorded one subject after the other. */
async function* lineups(
  given: ReturnType<typeof parseArguments<keyof typeof OPTIONS>>,
  context: CommandContext,
): AsyncGenerator<Lineup> {
  const {positionals} = given;
  const files = positionals.filter(path => path.endsWith('.hsr'));
  const depth = depthOf(given);
  if (files.length > 0) {
    if (files.length < 2 || files.length < positionals.length || given.has('on')) {
      throw usage('Give two or more records, or one image with --on.');
    }
    yield await lineup(files[0] ?? '', files, context, depth);
    return;
  }
  const sources = (given.value('on') ?? 'vtx-ept,kvm').split(',').map(source => source.trim());
  if (sources.length < 2) throw usage('--on names two machines or more, such as --on vtx-ept,kvm.');
  // A guest that is a hypervisor has no second machine to be compared on; one that adapts does other things there.
  const comparable = GUESTS.filter(({hypervisor, adapts}) => hypervisor === undefined && adapts === undefined).map(
    ({id}) => id,
  );
  const images = given.has('all') ? comparable : positionals;
  if (images.length === 0 || (given.has('all') && positionals.length > 0))
    throw usage('Give a guest, or --all for all of them.');
  const adapting = images.find(image => findGuest(image)?.adapts !== undefined);
  if (adapting !== undefined)
    throw usage(
      `${adapting} asks what its machine has and does other things on another: there is no step-by-step comparison. hyperscope output shows machines side by side.`,
    );
  for (const image of images) yield await lineup(image, sources, context, depth);
}

async function lineup(
  image: string,
  sources: readonly string[],
  context: CommandContext,
  depth: KvmDepth,
): Promise<Lineup> {
  const records: RunRecord[] = [];
  for (const source of sources) records.push(await recordOf(image, source, context, depth));
  const [first, ...others] = records;
  if (first === undefined) throw usage('There is nothing to compare.');
  return [first, ...others];
}
