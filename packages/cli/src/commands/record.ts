// `hyperscope record`: a run kept in a file that the lab opens and `compare` reads.

import {exitStatusOf} from '@hyperscope/simulation';
import {writeRecord} from '@hyperscope/trace';
import {writeBytes} from '../files.js';
import {machineNames} from '../run/machines.js';
import {parseNumber, parseSeconds} from '../run/numbers.js';
import {usualTechnique} from '../run/run-arguments.js';
import {loadProgram, plainly} from '../run/program.js';
import {recordRun} from '../run/record-run.js';
import {DEPTH_OPTIONS, depthOf} from '../run/depth.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {short} from '../terminal/progress.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  on: {value: 'TECHNIQUE', help: `The machine to record: ${machineNames()}.`},
  output: {value: 'FILE', short: 'o', help: 'Where the record goes. Default: IMAGE.TECHNIQUE.hsr.'},
  ...DEPTH_OPTIONS,
  'max-instructions': {value: 'N', help: 'Stop after so many instructions (exits, with --on kvm). Default: a million.'},
  timeout: {value: 'SECONDS', help: 'Stop after so much time. Default: 60.'},
} as const;

export const RECORD: Command = {
  name: 'record',
  summary: 'run a guest and keep every step in a file',
  usage: 'hyperscope record IMAGE [--on TECHNIQUE] [-o FILE]',
  description: [
    'The file holds every step with what it changed: the lab plays it forwards and backwards without running anything, ' +
      "and compare lays it beside another. A record of real KVM is labelled with what this host's KVM was seen to be.",
    'For foreign images with options of their own: hyperscope run IMAGE … --record FILE.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope record rings', what: 'Every instruction of a guest, and of the hypervisor under it.'},
    {
      line: 'hyperscope record hello-kvm --on kvm -o mine.hsr',
      what: 'What happened on this machine, to show on another.',
    },
  ],
  exitCodes: [{code: 0, what: 'recorded; otherwise as for hyperscope run'}],
  run: runRecord,
};

async function runRecord(args: readonly string[], context: CommandContext): Promise<number> {
  const {terminal} = context;
  const given = parseArguments(OPTIONS, args);
  const [image, ...more] = given.positionals;
  if (image === undefined || more.length > 0)
    throw usage('Give one image: a guest (see `hyperscope guests`) or a file.');
  const technique = given.value('on') ?? usualTechnique(image);
  const program = loadProgram(plainly(image), terminal);
  const {result, record} = recordRun(program, technique, context, {
    depth: depthOf(given),
    maxInstructions: parseNumber(given.value('max-instructions') ?? '1000000', '--max-instructions', 1),
    timeoutMilliseconds: parseSeconds(given.value('timeout') ?? '60', '--timeout') * 1000,
  });
  terminal.note(`${result.outcome}: ${result.message}`);
  if (record !== undefined) {
    const path = given.value('output') ?? `${program.id}.${technique}.hsr`;
    const file = await writeRecord(record);
    writeBytes(path, file);
    terminal.note(`${path}: ${short(record.length)} steps, ${short(file.length)} bytes`);
  }
  return exitStatusOf(result.outcome);
}
