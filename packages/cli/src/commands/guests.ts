// `hyperscope guests`: the programs that ship, and their sources, which are there to be read; and a port beside its original.

import {GUESTS, findGuest, portDiff} from '@hyperscope/simulation';
import type {Guest} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {closest, parseArguments, usage} from '../terminal/arguments.js';
import {wrap} from '../terminal/table.js';
import {diffText, partsTable} from '../run/port-lines.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  summary: {value: undefined, help: 'With diff: only the table of what changed, part by part.'},
  json: {value: undefined, help: 'Print JSON.'},
} as const;

export const GUESTS_COMMAND: Command = {
  name: 'guests',
  summary: 'list the programs that come with it, or print the source of one',
  usage: 'hyperscope guests [NAME | diff NAME NAME] [--summary] [--json]',
  description: [
    'Each guest is commented assembly: print it, read it, run it, change it and assemble it again.',
    'diff lays two of them side by side, such as a kernel and its port to hypercalls: the lines that differ, then for each part of the ' +
      'program which sensitive instructions are gone and which hypercalls are in their place.',
    'The kernels of the stealth cards (card-popf and seventeen others) are guests too: hyperscope card lists them. So are the users of ' +
      'the control program: cms-punch, cms-reader, cms-count.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope guests', what: 'What there is.'},
    {line: 'hyperscope guests popf > popf.asm', what: 'A source to change; then: hyperscope run popf.asm'},
    {line: 'hyperscope guests diff mini-os mini-os-pv', what: 'What it took to port a kernel to Xen.'},
  ],
  run: async (args, context) => runGuests(args, context),
};

/** The guest of this name. @throws UserError 'usage' with the nearest name. */
function guestNamed(name: string): Guest {
  const guest = findGuest(name);
  if (guest !== undefined) return guest;
  const ids = GUESTS.map(({id}) => id);
  const nearest = closest(name, ids);
  throw usage(
    `There is no guest ${name}. ${nearest === undefined ? `There are ${ids.join(', ')}.` : `Did you mean ${nearest}?`}`,
  );
}

function runGuests(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const [name, ...more] = given.positionals;
  if (name === 'diff') return tellDiff(more, given, terminal);
  if (given.has('summary')) throw usage('--summary is for hyperscope guests diff.');
  if (more.length > 0) throw usage('Give one name at a time.');
  if (name !== undefined) {
    const guest = guestNamed(name);
    terminal.write(given.has('json') ? `${JSON.stringify(guest, undefined, 2)}\n` : guest.source);
    return EXIT.ok;
  }
  if (given.has('json')) {
    terminal.line(
      JSON.stringify(
        GUESTS.map(({source: _source, ...rest}) => rest),
        undefined,
        2,
      ),
    );
    return EXIT.ok;
  }
  for (const guest of GUESTS) {
    const facts = `${guest.mode} mode, at 0x${guest.loadAddress.toString(16)}, ${guest.memoryMiB} MiB`;
    terminal.line(`${terminal.style('bold', guest.id)}  ${terminal.style('dim', facts)}`);
    for (const line of wrap(guest.teaches, Math.min(100, terminal.width), '  ')) terminal.line(line);
  }
  return EXIT.ok;
}

function tellDiff(
  names: readonly string[],
  given: {has(option: 'json' | 'summary'): boolean},
  terminal: CommandContext['terminal'],
): number {
  const [before, after, ...more] = names;
  if (before === undefined || after === undefined || more.length > 0)
    throw usage('Give two guests: hyperscope guests diff mini-os mini-os-pv.');
  const [original, port] = [guestNamed(before), guestNamed(after)];
  const diff = portDiff(original, port);
  if (given.has('json')) {
    terminal.line(
      JSON.stringify({before, after, ...(given.has('summary') ? {parts: diff.parts} : diff)}, undefined, 2),
    );
    return EXIT.ok;
  }
  if (!given.has('summary')) {
    for (const line of diffText(before, after, diff.lines, terminal.style)) terminal.line(line);
    terminal.line();
  }
  for (const line of partsTable(diff.parts, terminal.width)) terminal.line(line);
  return EXIT.ok;
}
