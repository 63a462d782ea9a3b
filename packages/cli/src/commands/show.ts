// `hyperscope show`: what is in the record of a run: where it was made, how it ended, what was printed, its exits.

import {vmExitName} from '@hyperscope/isa';
import {kvmExitName, readRecord} from '@hyperscope/trace';
import type {RunRecord, TraceEvent} from '@hyperscope/trace';
import {readBytes} from '../files.js';
import {traceLines} from '../run/event-lines.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {short} from '../terminal/progress.js';
import {table} from '../terminal/table.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  events: {value: undefined, help: 'Print every event as one line of JSON instead, as run --trace does.'},
} as const;

export const SHOW: Command = {
  name: 'show',
  summary: 'say what is in the record of a run',
  usage: 'hyperscope show FILE.hsr [--events]',
  description: [
    'Tells which guest ran on which machine, how it ended, what it printed, and counts its exits. Nothing is run. To ' +
      'see where two runs differ: hyperscope compare A.hsr B.hsr.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope run boot.img --record boot.hsr; hyperscope show boot.hsr', what: 'A run, and what it left.'},
    {line: 'hyperscope show boot.hsr --events | grep vm-exit', what: 'Each VM exit, with everything known of it.'},
  ],
  exitCodes: [
    {code: 0, what: 'shown'},
    {code: 2, what: 'bad usage, or a file that is no record'},
  ],
  run: runShow,
};

async function runShow(args: readonly string[], {terminal}: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  const [path, ...more] = given.positionals;
  if (path === undefined || more.length > 0) throw usage('Give one record, such as boot.hsr.');
  const record = await readRecord(readBytes(path));
  if (given.has('events')) {
    terminal.write(traceLines(record));
    return 0;
  }
  for (const line of headLines(record)) terminal.line(line);
  const {exits, printed} = contents(record);
  if (printed !== '') {
    terminal.line();
    terminal.line(terminal.style('bold', 'It printed'));
    for (const line of printed.replace(/\n$/, '').split('\n')) terminal.line(`  ${line}`);
  }
  if (exits.length > 0) {
    terminal.line();
    const rows = exits.map(([reason, count]) => [reason, String(count)]);
    const columns = [
      {title: 'exit', align: 'left'},
      {title: 'count', align: 'right'},
    ] as const;
    for (const line of table(columns, rows)) terminal.line(`  ${line}`);
  }
  return 0;
}

function headLines(record: RunRecord): readonly string[] {
  const {engine, guest, host, technique} = record.header;
  const where = engine === 'simulated' ? 'simulated' : 'the real thing';
  return [
    `${guest.id} on ${technique} (${where}): ${short(record.length)} steps`,
    `SHA-256 of the guest: ${guest.sha256}`,
    ...(host === undefined
      ? []
      : [`Recorded on ${host.recordedOn}: ${host.flavour}, ${host.vendor}, Linux ${host.kernel}`]),
    record.outcome ?? 'It was recorded up to a limit, not to its end.',
  ];
}

/** Exits by falling count, and the text of the first serial port. */
function contents(record: RunRecord): {
  readonly exits: readonly (readonly [string, number])[];
  readonly printed: string;
} {
  const counts = new Map<string, number>();
  const bytes: number[] = [];
  const isSimulated = record.header.engine === 'simulated';
  for (const {index} of record.steps()) {
    for (const event of record.eventsOf(index)) {
      const name = exitName(event, isSimulated ? 'vm-exit' : 'kvm-exit');
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
      if (event.kind === 'serial') bytes.push(event.byte);
    }
  }
  const exits = [...counts].sort((a, b) => b[1] - a[1]);
  return {exits, printed: new TextDecoder().decode(Uint8Array.from(bytes))};
}

/** A simulated hypervisor sees every exit; of real KVM only those that came to user space are known. */
function exitName(event: TraceEvent, seen: 'vm-exit' | 'kvm-exit'): string | undefined {
  if (event.kind === 'vm-exit' && seen === 'vm-exit') return vmExitName(event.exit);
  if (event.kind === 'kvm-exit' && seen === 'kvm-exit') return kvmExitName(event.exit);
  return undefined;
}
