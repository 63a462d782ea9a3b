// `hyperscope exits`: how often a guest is left, and why, side by side on several machines; and experiments of teaching labs,
// each a table with what it shows in a sentence.

import {GUESTS, findGuest, countExits} from '@hyperscope/simulation';
import type {ExitPart} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {EXIT_LABS} from '../run/exit-labs.js';
import type {Lab} from '../run/exit-labs.js';
import {closest, parseArguments, usage} from '../terminal/arguments.js';
import {table, wrap} from '../terminal/table.js';
import type {Column} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const DEFAULT_MACHINES = 'vtx-shadow,vtx-ept';

const OPTIONS = {
  on: {value: 'TECHNIQUE,…', help: `With a guest: the machines, each a column. Default: ${DEFAULT_MACHINES}.`},
  cpu: {
    value: 'PROFILE,±FEATURE',
    help: 'With a guest: the processor of all columns. Default: what each technique needs.',
  },
  json: {value: undefined, help: 'Print what was counted as JSON.'},
} as const;

export const EXITS: Command = {
  name: 'exits',
  summary: 'count VM exits by reason, side by side; teaching labs’ experiments',
  usage: 'hyperscope exits [GUEST|EXPERIMENT] [--on TECHNIQUE,…]',
  description: [
    'With a guest: runs it on each machine and prints its VM exits by reason. A guest that marks parts of its run by OUT to ' +
      'port 80h has them counted apart too.',
    `Experiments: ${EXIT_LABS.map(({id, question}) => `${id} (${question})`).join('; ')}. Without a name, all of them but batches, which takes half a minute.`,
    'Every number is counted in the events of a run that is made now.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope exits', what: 'The experiments.'},
    {line: 'hyperscope exits walks', what: 'One of them: how many references a page walk makes.'},
    {line: 'hyperscope exits hello-kvm', what: 'A guest, with shadow page tables and with EPT.'},
    {line: 'hyperscope exits mini-os --on vtx-ept,svm-npt', what: 'A guest, on Intel’s and on AMD’s hardware.'},
  ],
  exitCodes: [
    {code: 0, what: 'counted'},
    {code: 2, what: 'bad usage, or a guest that does not run on the machine'},
  ],
  run: runExits,
};

async function runExits(args: readonly string[], {terminal}: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  const [name, ...more] = given.positionals;
  if (more.length > 0) throw usage('Give one guest or one experiment.');
  if (name !== undefined && findGuest(name) !== undefined) {
    const machines = (given.value('on') ?? DEFAULT_MACHINES).split(',').map(each => each.trim());
    const found = machines.map(technique => ({
      technique,
      ...countExits(name, {technique, profile: given.value('cpu'), costModel: undefined}),
    }));
    if (given.has('json')) terminal.line(JSON.stringify({guest: name, machines: found}, undefined, 2));
    else for (const line of sideBySide(found.map(each => [each.technique, each.all]))) terminal.line(line);
    return Promise.resolve(EXIT.ok);
  }
  if (given.has('on') || given.has('cpu'))
    throw usage('--on and --cpu are for guests: an experiment has its own machines.');
  const labs = (name === undefined ? EXIT_LABS.filter(({takes}) => takes !== 'long') : [labNamed(name)]).map(lab =>
    lab.run(),
  );
  if (given.has('json')) terminal.line(JSON.stringify(labs, undefined, 2));
  else for (const lab of labs) tellLab(terminal, lab);
  return Promise.resolve(EXIT.ok);
}

function labNamed(name: string): (typeof EXIT_LABS)[number] {
  const lab = EXIT_LABS.find(({id}) => id === name);
  if (lab !== undefined) return lab;
  const names = [...EXIT_LABS.map(({id}) => id), ...GUESTS.map(({id}) => id)];
  const nearest = closest(name, names);
  const hint = nearest === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${nearest}?`;
  throw usage(`${name} is neither a guest nor an experiment. ${hint}`);
}

/** Rows are reasons, columns machines. */
function sideBySide(machines: readonly (readonly [name: string, exits: ExitPart])[]): readonly string[] {
  const reasons = new Map(machines.flatMap(([, exits]) => exits.map(({number, title}) => [number, title] as const)));
  const columns: readonly Column[] = [
    {title: 'reason', align: 'right'},
    {title: 'what', align: 'left'},
    ...machines.map(([title]): Column => ({title, align: 'right'})),
  ];
  const count = (exits: ExitPart, number: string): string =>
    String(exits.find(exit => exit.number === number)?.count ?? 0);
  const rows = [...reasons].map(([number, title]) => [
    number,
    title,
    ...machines.map(([, exits]) => count(exits, number)),
  ]);
  const total = ['', 'all', ...machines.map(([, exits]) => String(exits.reduce((sum, each) => sum + each.count, 0)))];
  return table(columns, [...rows, total]);
}

function tellLab(terminal: Terminal, {title, columns, rows, sentences}: Lab): void {
  terminal.line(terminal.style('bold', title));
  const heading = columns.map((column, index): Column => ({title: column, align: index === 0 ? 'left' : 'right'}));
  for (const line of table(heading, rows)) terminal.line(`  ${line}`);
  for (const sentence of sentences) for (const line of wrap(sentence, terminal.width, '  ')) terminal.line(line);
  terminal.line();
}
