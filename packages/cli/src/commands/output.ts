// `hyperscope output`: the same text by every way that a machine has to put it out, and how many exits a KiB costs by each.

import {countOutputWays} from '@hyperscope/simulation';
import type {OutputWay, OutputWays} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {loadProgram, plainly} from '../run/program.js';
import {recordRun} from '../run/record-run.js';
import {readCoalescedMmio} from '../run/run-arguments.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  on: {value: 'TECHNIQUE,…', help: 'The machines to run on, as for hyperscope run. Default: vtx-ept.'},
  'coalesced-mmio': {
    value: 'WHAT',
    help: 'Which writes to video memory KVM only notes down: off, half (default) or all.',
  },
  json: {value: undefined, help: 'Print what was counted as JSON.'},
} as const;

export const OUTPUT: Command = {
  name: 'output',
  summary: 'count the exits that each way of putting out a text costs',
  usage: 'hyperscope output [--on TECHNIQUE,…]',
  description: [
    'Runs the guest output-ways, which puts out a kilobyte by OUT, REP OUTS, stores to video memory, stores that KVM ' +
      'coalesces, a virtio ring with one kick, and a hypercall, as far as the machine has them. The exits of each way are ' +
      'counted in the record of the run: VM exits, or traps into a VMM that has no such hardware; and those for which KVM had to ask user space.',
    'On real KVM only exits to user space are told. What its board in this program lacks is left out of the list by the ' +
      'guest itself.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope output', what: 'Exits per KiB under simulated VT-x with EPT.'},
    {
      line: 'hyperscope output --on bare,vtx-ept,kvm',
      what: 'Beside a machine without a hypervisor, and the real thing.',
    },
  ],
  exitCodes: [
    {code: 0, what: 'counted'},
    {code: 2, what: 'bad usage'},
    {code: 6, what: 'KVM failed, or is not there'},
  ],
  run: runOutput,
};

/** Exits per KiB, as the JSON has it. */
interface CountedWay extends OutputWay {
  readonly exitsPerKiB: number | undefined;
  readonly userExitsPerKiB: number | undefined;
}

interface CountedWays extends OutputWays {
  readonly ways: readonly CountedWay[];
}

async function runOutput(args: readonly string[], context: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  if (given.positionals.length > 0) throw usage('The program that is run is always output-ways: give no image.');
  const techniques = (given.value('on') ?? 'vtx-ept').split(',');
  const coalescedMmio = readCoalescedMmio(given.value('coalesced-mmio'), techniques);
  const found = techniques.map(technique => ({technique, ...count(technique, coalescedMmio, context)}));
  if (given.has('json')) context.terminal.line(JSON.stringify(found, undefined, 2));
  else for (const each of found) tell(context.terminal, each.technique, each);
  return Promise.resolve(found.every(({ways}) => ways.length > 0) ? EXIT.ok : EXIT.kvm);
}

function count(
  technique: string,
  coalescedMmio: ReturnType<typeof readCoalescedMmio>,
  context: CommandContext,
): CountedWays {
  const program = loadProgram(plainly('output-ways'), context.terminal);
  const {record, result} = recordRun(program, technique, context, {
    depth: 'exits',
    maxInstructions: undefined,
    timeoutMilliseconds: undefined,
    coalescedMmio,
  });
  if (record === undefined) {
    context.terminal.note(`${technique}: ${result.outcome}: ${result.message}`);
    return {textBytes: 0, ways: []};
  }
  const {textBytes, ways} = countOutputWays(record);
  return {textBytes, ways: ways.map(way => perKiB(way, textBytes))};
}

function perKiB(way: OutputWay, textBytes: number): CountedWay {
  const rate = (exits: number | undefined): number | undefined =>
    exits === undefined || way.letter === '?' ? undefined : (1024 * exits) / textBytes;
  const exits = way.exits?.reduce((sum, [, times]) => sum + times, 0);
  return {...way, exitsPerKiB: rate(exits), userExitsPerKiB: rate(way.userExits)};
}

function tell(terminal: Terminal, technique: string, {textBytes, ways}: CountedWays): void {
  if (ways.length === 0) return;
  terminal.line(terminal.style('bold', `${technique}: exits per KiB, from a text of ${textBytes} bytes`));
  const number = (value: number | undefined): string =>
    value === undefined ? '–' : String(Math.round(value * 10) / 10);
  const rows = ways
    .filter(({letter}) => letter !== '?')
    .map(way => [
      `${way.letter}  ${way.title}`,
      number(way.exitsPerKiB),
      number(way.userExitsPerKiB),
      number(way.cycles === undefined ? undefined : way.cycles / textBytes),
      (way.exits ?? []).map(([title, times]) => `${times} × ${title}`).join(', '),
    ]);
  const columns = [
    {title: 'way', align: 'left'},
    {title: 'exits', align: 'right'},
    {title: 'to user space', align: 'right'},
    {title: 'cycles a byte', align: 'right'},
    {title: 'which', align: 'left'},
  ] as const;
  for (const line of table(columns, rows)) terminal.line(`  ${line}`);
  for (const line of wrap(footnote(ways), terminal.width, '  ')) terminal.line(line);
  terminal.line();
}

/** What a machine does not have is not in the list; why not is worth a sentence. */
function footnote(ways: readonly OutputWay[]): string {
  const has = (letter: string): boolean => ways.some(way => way.letter === letter);
  const missing = [
    ...(has('e') ? [] : ['no virtio console answers at FEB00000h']),
    ...(has('f') ? [] : ['no hypervisor knows the hypercall']),
  ];
  const first = ways.find(({letter}) => letter === '?');
  const exits = first?.userExits;
  const once =
    exits === undefined
      ? ''
      : `Looking what there is, once: ${exits} ${exits === 1 ? 'exit' : 'exits'} to user space. `;
  return `${once}${missing.length === 0 ? '' : `Left out: ${missing.join('; ')}.`}`;
}
