// `hyperscope scenario`: the scenarios that ship, and the check of a file by running it.

import {basename} from 'node:path';
import {SHIPPED, problemText, readScenario, requireScenario} from '@hyperscope/walkthroughs';
import type {Checked} from '@hyperscope/walkthroughs';
import {EXIT} from '../exit-status.js';
import {readText} from '../files.js';
import {runScenario} from '../run/check-scenario-files.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {wrap} from '../terminal/table.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  json: {value: undefined, help: 'Print JSON.'},
  verbose: {value: undefined, short: 'v', help: 'check: name what holds as well, and at which step.'},
} as const;

export const SCENARIO: Command = {
  name: 'scenario',
  summary: 'list the scenarios of lectures, print one, or check a file by running it',
  usage: 'hyperscope scenario list | show NAME | check FILE… [--json]',
  description: [
    'A scenario is a Markdown file: text beside a running machine, with predictions, things to break and questions. The lab plays it; docs/writing-scenarios.md says how to write one.',
    'check runs every step, every thing that is broken and every question: a step that names an event which does not occur is an error, with the line or the step and what to do.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope scenario list', what: 'What there is.'},
    {line: 'hyperscope scenario show d6-popf > mine.md', what: 'A file to begin with.'},
    {line: 'hyperscope scenario check mine.md', what: 'Whether everything happens as it says.'},
  ],
  exitCodes: [
    {code: 0, what: 'everything happens as the files say'},
    {code: 1, what: 'something does not, or a file is not well formed'},
    {code: 2, what: 'bad usage, or a file that cannot be read'},
  ],
  run: async (args, context) => runScenarioCommand(args, context),
};

function runScenarioCommand(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const [what, ...names] = given.positionals;
  const detail = given.has('verbose') ? 'everything' : 'failures';
  switch (what) {
    case undefined:
    case 'list':
      return list(terminal, given.has('json') ? 'JSON' : 'text');
    case 'show':
      return show(names, terminal);
    case 'check':
      if (names.length === 0) throw usage('Name the files to check.');
      return check(names, terminal, {form: given.has('json') ? 'JSON' : 'text', detail});
    default:
      throw usage(`scenario ${what}? There are list, show and check.`);
  }
}

type Terminal = CommandContext['terminal'];

function list(terminal: Terminal, form: 'JSON' | 'text'): number {
  const scenarios = SHIPPED.map(({name, text}) => requireScenario(text, name));
  if (form === 'JSON') {
    const rows = scenarios.map(({id, title, demonstration, teaches, choice, machines, steps, questions, seeded}) => ({
      id,
      title,
      demonstration,
      teaches,
      guest: choice.guest,
      machine: choice.technique,
      machines,
      steps: steps.length,
      questions: questions.length + seeded.length,
    }));
    terminal.line(JSON.stringify(rows, undefined, 2));
    return EXIT.ok;
  }
  for (const {id, title, teaches, steps, questions, seeded} of scenarios) {
    const facts = `${steps.length} steps, ${questions.length + seeded.length} questions`;
    terminal.line(`${terminal.style('bold', id)}  ${title}  ${terminal.style('dim', facts)}`);
    for (const line of wrap(teaches, Math.min(100, terminal.width), '  ')) terminal.line(line);
  }
  return EXIT.ok;
}

function show(names: readonly string[], terminal: Terminal): number {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw usage('Give one name; hyperscope scenario list has them.');
  const found = SHIPPED.find(each => each.name === name || each.name === `${name}.md`);
  if (found === undefined)
    throw usage(
      `There is no scenario ${name}. There are ${SHIPPED.map(each => each.name.replace(/\.md$/, '')).join(', ')}.`,
    );
  terminal.write(found.text);
  return EXIT.ok;
}

interface CheckOptions {
  readonly form: 'JSON' | 'text';
  readonly detail: 'everything' | 'failures';
}

interface Report {
  readonly file: string;
  readonly problems: readonly string[];
  readonly checked: readonly Checked[];
}

/** A file on the disk, or the name of one that ships. */
function reportOn(path: string): Report {
  const shipped = SHIPPED.find(each => each.name === path || each.name === `${path}.md`);
  const read = readScenario(shipped?.text ?? readText(path), basename(path));
  if (!read.ok) return {file: path, problems: read.problems.map(problem => problemText(path, problem)), checked: []};
  const checked = runScenario(read.scenario);
  const problems = checked.flatMap(({what, failures}) => failures.map(failure => `${path}, ${what}: ${failure}`));
  return {file: path, problems, checked};
}

function check(paths: readonly string[], terminal: Terminal, {form, detail}: CheckOptions): number {
  const reports = paths.map(reportOn);
  const wrong = reports.filter(({problems}) => problems.length > 0).length;
  if (form === 'JSON') terminal.line(JSON.stringify(reports, undefined, 2));
  else for (const report of reports) tell(report, terminal, detail);
  return wrong === 0 ? EXIT.ok : EXIT.internal;
}

function tell({file, problems, checked}: Report, terminal: Terminal, detail: CheckOptions['detail']): void {
  if (detail === 'everything')
    for (const {what, index, failures, found} of checked)
      terminal.line(
        `  ${failures.length === 0 ? 'holds' : 'FAILS'}  ${what}${index === undefined ? '' : `, at step ${index}`}${found === undefined ? '' : `: ${found}`}`,
      );
  for (const problem of problems) terminal.line(terminal.style('red', problem));
  const sum = problems.length === 0 ? `${checked.length} checks, all hold` : `${problems.length} of them not so`;
  terminal.line(`${file}: ${sum}`);
}
