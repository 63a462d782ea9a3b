// `hyperscope doctor`: runs a hypervisor and says, of each control structure that the processor refused, all that is wrong
// with it. A processor stops at the first fault and tells a number, or (SVM) nothing at all.

import {entryFailure, exitNumber, exitTitle} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {RunRecord, TraceEvent} from '@hyperscope/trace';
import {parseNumber} from '../run/numbers.js';
import {loadProgram, plainly} from '../run/program.js';
import {recordRun} from '../run/record-run.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  cpu: {value: 'PROFILE,±FEATURE', help: 'The processor, as for hyperscope run: westmere, prescott, amd-svm …'},
  'max-instructions': {value: 'N', help: 'Stop after so many instructions. Default: a million.'},
  json: {value: undefined, help: 'Print the diagnosis as JSON.'},
} as const;

export const DOCTOR: Command = {
  name: 'doctor',
  summary: 'run a hypervisor and say why its VM entries are refused',
  usage: 'hyperscope doctor IMAGE [--cpu PROFILE]',
  description: [
    'IMAGE is a program that uses VMLAUNCH or VMRUN: a guest such as tiny-vmx, an .asm file, or any image that ' +
      'hyperscope run takes. It runs on bare metal. Wherever the processor refuses a VMX instruction or a VM entry, ' +
      'every check that failed is listed with the field, its value, the rule, where the manual has it, and what people ' +
      'usually did who broke it.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope doctor tiny-vmx', what: 'A hypervisor in good health.'},
    {line: 'hyperscope doctor mine.asm --cpu prescott', what: 'Your own, on a processor that lacks what came later.'},
  ],
  exitCodes: [
    {code: 0, what: 'nothing was refused'},
    {code: 1, what: 'something was refused; it is listed'},
    {code: 2, what: 'bad usage, or an image that cannot be read'},
  ],
  run: runDoctor,
};

type Check = Extract<TraceEvent, {kind: 'vm-entry-failure'}>['checks'][number];

/** One refusal, as the JSON has it. */
interface Diagnosis {
  readonly step: number;
  /** Where the instruction stands. */
  readonly rip: string;
  readonly what: string;
  readonly failed: readonly Check[];
}

async function runDoctor(args: readonly string[], context: CommandContext): Promise<number> {
  const {terminal} = context;
  const given = parseArguments(OPTIONS, args);
  const [image, ...more] = given.positionals;
  if (image === undefined || more.length > 0) throw usage('Give one image: a guest such as tiny-vmx, or a file.');
  const {result, record} = recordRun(loadProgram(plainly(image), terminal), 'bare', context, {
    depth: 'exits',
    maxInstructions: parseNumber(given.value('max-instructions') ?? '1000000', '--max-instructions', 1),
    timeoutMilliseconds: undefined,
    profile: given.value('cpu'),
  });
  const found = record === undefined ? [] : diagnoses(record);
  if (given.has('json')) terminal.line(JSON.stringify(found, undefined, 2));
  else tell(terminal, found, entries(record));
  terminal.note(`${result.outcome}: ${result.message}`);
  return Promise.resolve(found.length === 0 ? 0 : 1);
}

/** How often a guest was really entered. */
const entries = (record: RunRecord | undefined): number =>
  record === undefined ? 0 : [...record.events.allOf('vm-entry')].length;

function diagnoses(record: RunRecord): readonly Diagnosis[] {
  const found: Diagnosis[] = [];
  for (const {index, rip} of record.steps()) {
    for (const event of record.eventsOf(index)) {
      const at = {step: index, rip: hex(rip)};
      if (event.kind === 'vm-entry-failure') {
        const failure = entryFailure(event.reason);
        const number = failure.svm === undefined ? `reason ${exitNumber(failure)}` : 'EXITCODE −1';
        found.push({...at, what: `VM entry refused, ${number}: ${exitTitle(failure)}`, failed: failing(event.checks)});
      }
      if (event.kind === 'vmx-instruction' && event.outcome !== 'VMsucceed') {
        const error = event.error === undefined ? event.outcome : `${event.outcome}(${event.error})`;
        found.push({...at, what: `${event.name} failed: ${error}`, failed: failing(event.checks)});
      }
    }
  }
  return found;
}

const failing = (checks: readonly Check[]): readonly Check[] => checks.filter(check => !check.holds);

function tell(terminal: Terminal, found: readonly Diagnosis[], entered: number): void {
  for (const {step, rip, what, failed} of found) {
    terminal.line(terminal.style('bold', `${what}`));
    terminal.line(`  at ${rip}, step ${step}`);
    for (const {rule, values, source, cause} of failed) {
      terminal.line(`  ✗ ${rule}`);
      if (values.length > 0) terminal.line(`      ${values.map(([name, value]) => `${name} = ${value}`).join(', ')}`);
      if (cause !== undefined) terminal.line(`      Usually: ${cause}`);
      terminal.line(`      ${source}`);
    }
    terminal.line();
  }
  const times = `${entered} VM ${entered === 1 ? 'entry' : 'entries'}`;
  if (found.length === 0)
    terminal.line(
      entered === 0 ? 'The program never tried to enter a guest.' : `In good health: ${times}, none refused.`,
    );
}
