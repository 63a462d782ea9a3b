// `hyperscope compare`: one guest on two machines, side by side, every difference classified; or on many, a line for each.

import {GUESTS, findGuest, guestCellsAt} from '@hyperscope/simulation';
import {compareLanes, compareRecords} from '@hyperscope/trace';
import type {Comparison, Lane, LaneComparison, Lineup, RunRecord} from '@hyperscope/trace';
import {EXIT} from '../exit-status.js';
import {writeBytes} from '../files.js';
import {comparisonLines} from '../run/comparison-lines.js';
import {COST_OPTIONS, readCostModel} from '../run/cost-options.js';
import {laneLines} from '../run/lane-lines.js';
import {recordOf} from '../run/record-source.js';
import type {RecordChoices} from '../run/record-source.js';
import {DEPTH_OPTIONS, depthOf} from '../run/depth.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  on: {
    value: 'A,B,…',
    help: 'Techniques, kvm, or files of records; each is compared with the first. Two: in full. More: a line for each. Default: vtx-ept,kvm.',
  },
  all: {value: undefined, help: 'Compare every guest that ships.'},
  json: {value: 'FILE|-', help: 'Write the comparisons as JSON, an array.'},
  ...COST_OPTIONS,
  ...DEPTH_OPTIONS,
} as const;

export const COMPARE: Command = {
  name: 'compare',
  summary: 'the same guest on two machines or on many: exits, and the first difference',
  usage: 'hyperscope compare IMAGE [--on A,B,…]      hyperscope compare A.hsr B.hsr      hyperscope compare --all',
  description: [
    'Aligns two runs by what the guest can see, prints a table of exits (reason, counts, guest instruction) and the ' +
      'first difference in registers, memory or output. Every difference has a class: timing, cpuid, undefined-flags, ' +
      'kept-inside-kvm, no-hypervisor, host-quirk; or it is unexplained, which means a bug in the simulator until shown otherwise.',
    'Three machines or more come as one table: whether the guest did what it did on the first, or the first instruction that ' +
      'went wrong and why; exits, cycles, instructions.',
    'Where this machine has no KVM, the recording that ships with a guest takes its place, and the output says so.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope compare hello-kvm --on vtx-ept,kvm', what: 'Simulated VT-x beside real KVM.'},
    {
      line: 'hyperscope compare mini-os --on bare,trap-and-emulate,binary-translation,vtx-shadow,vtx-ept,svm-npt,kvm',
      what: 'Seven machines in one table.',
    },
    {line: 'hyperscope compare mine.hsr theirs.hsr', what: 'Records from two computers.'},
  ],
  exitCodes: [
    {code: 0, what: 'every difference is explained; of many machines, all are right'},
    {code: 1, what: 'one is not'},
    {code: 2, what: 'bad usage'},
    {code: 6, what: 'KVM failed, and there is no recording'},
  ],
  run: runCompare,
};

async function runCompare(args: readonly string[], context: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  const found: (Comparison | LaneComparison)[] = [];
  for await (const lineup of lineups(given, context)) {
    const one = compared(lineup);
    if (given.value('json') !== '-')
      for (const line of 'lanes' in one ? laneLines(one, context.terminal) : comparisonLines(one, context.terminal))
        context.terminal.line(line);
    found.push(one);
  }
  writeJson(given.value('json'), found, context.terminal);
  return found.every(isExplained) ? EXIT.ok : EXIT.unexplained;
}

/** Two records in full; more of them a lane each. */
function compared(lineup: Lineup): Comparison | LaneComparison {
  const [first, second] = lineup;
  return lineup.length === 2 && second !== undefined
    ? compareRecords(first, second, guestCellsAt)
    : compareLanes(lineup, guestCellsAt);
}

const isExplained = (one: Comparison | LaneComparison): boolean =>
  'lanes' in one
    ? one.lanes.every(({verdict}) => verdict === 'reference' || verdict === 'right')
    : one.unexplained === 0;

function writeJson(
  path: string | undefined,
  found: readonly (Comparison | LaneComparison)[],
  terminal: Terminal,
): void {
  if (path === undefined) return;
  const plain = found.map(one => {
    if ('lanes' in one) return {guest: one.guest, lanes: one.lanes.map(laneAsJson)};
    const {events: _events, ...rest} = one;
    return rest;
  });
  const text = `${JSON.stringify(plain, (_key, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value), 2)}\n`;
  if (path === '-') terminal.write(text);
  else writeBytes(path, text);
}

/** Without what a record can be asked for: every event, and a state for each instruction. */
function laneAsJson({comparison, states: _states, ...lane}: Lane) {
  return {...lane, unexplained: comparison?.unexplained, differences: comparison?.differences};
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
    yield await lineup(files[0] ?? '', files, context, {depth, costModel: undefined});
    return;
  }
  const sources = (given.value('on') ?? 'vtx-ept,kvm').split(',').map(source => source.trim());
  if (sources.length < 2) throw usage('--on names two machines or more, such as --on vtx-ept,kvm.');
  // A guest that is a hypervisor has no second machine to be compared on; one that adapts does other things there.
  const comparable = GUESTS.filter(({needs, adapts}) => needs === undefined && adapts === undefined).map(({id}) => id);
  const images = given.has('all') ? comparable : positionals;
  if (images.length === 0 || (given.has('all') && positionals.length > 0))
    throw usage('Give a guest, or --all for all of them.');
  const adapting = images.find(image => findGuest(image)?.adapts !== undefined);
  if (adapting !== undefined)
    throw usage(
      `${adapting} asks what its machine has and does other things on another: there is no step-by-step comparison. hyperscope output shows machines side by side.`,
    );
  const costModel = readCostModel(given);
  for (const image of images) yield await lineup(image, sources, context, {depth, costModel});
}

async function lineup(
  image: string,
  sources: readonly string[],
  context: CommandContext,
  choices: RecordChoices,
): Promise<Lineup> {
  const records: RunRecord[] = [];
  for (const source of sources) records.push(await recordOf(image, source, context, choices));
  const [first, ...others] = records;
  if (first === undefined) throw usage('There is nothing to compare.');
  return [first, ...others];
}
