// `hyperscope classify`: Popek and Goldberg's questions asked of every instruction, twice: of its recorded meaning, and by
// running it in pairs of states. What is sensitive and not privileged breaks the theorems, and is listed.

import {INSTRUCTIONS, classifyOn, theorem} from '@hyperscope/simulation';
import type {InstructionClass} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {classLines, overviewLines, tableLines, theoremLines} from '../run/classification-lines.js';
import {classifyToyMachine} from '../run/classify-toy.js';
import {closest, parseArguments, usage} from '../terminal/arguments.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  cpu: {
    value: 'PROFILE,±FEATURE',
    help: 'The processor, as for hyperscope run: westmere (the default), modern-intel …',
  },
  mode: {value: '32|64', help: '32-bit protected mode (the default) or 64-bit mode.'},
  all: {value: undefined, help: 'Every instruction as a line of a table.'},
  theorem: {value: undefined, help: 'The verdicts of the theorems alone.'},
  machine: {value: 'x86|toy', help: 'toy: the third-generation machine of the 1974 paper.'},
  add: {value: 'NAME', repeatable: 'repeatable', help: 'Add an instruction to the toy machine.'},
  json: {value: undefined, help: 'Print JSON.'},
} as const;

export const CLASSIFY: Command = {
  name: 'classify',
  summary: 'say which instructions are privileged, sensitive, innocuous, and what follows',
  usage: 'hyperscope classify [INSTRUCTION…] [--cpu PROFILE] [--mode 32|64] [--theorem] [--json]',
  description: [
    'Each instruction is classified twice, by the definitions of Popek and Goldberg (1974): from its recorded meaning, ' +
      'and by running it in pairs of states that differ in the mode or in one resource of the system. For a named ' +
      'instruction the pairs are shown that decided. Without a name: all of them, which takes some seconds.',
    'Theorem 1 is a sufficient condition: where every sensitive instruction is privileged, a virtual machine monitor may be ' +
      'constructed. Where it fails, nothing is promised; it does not follow that there can be none.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope classify popf pushf cli', what: 'Three that handle IF: a hole, a leak and a trap.'},
    {line: 'hyperscope classify --cpu modern-intel', what: 'UMIP closes five of the holes.'},
    {line: 'hyperscope classify --cpu westmere,+strict --theorem', what: 'The x86 that it was not.'},
    {
      line: 'hyperscope classify --machine toy --add JRST1',
      what: 'The paper’s machine, and the paper’s counterexample.',
    },
  ],
  exitCodes: [
    {code: 0, what: 'classified'},
    {code: 1, what: 'the two ways disagree, and no reason is known: a mistake of ours'},
    {code: 2, what: 'bad usage'},
  ],
  run: async (args, context) => runClassify(args, context),
};

function runClassify(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const machine = given.value('machine') ?? 'x86';
  if (machine !== 'x86' && machine !== 'toy') throw usage(`There is no machine "${machine}". There are x86 and toy.`);
  if (machine === 'toy') {
    if (given.positionals.length > 0) throw usage('The toy machine is always shown whole. To extend it: --add NAME.');
    classifyToyMachine(terminal, given.values('add'), given.has('json') ? 'json' : 'text');
    return EXIT.ok;
  }
  if (given.has('add')) throw usage('Instructions can be added to the toy machine only: --machine toy --add NAME.');
  const mode = modeOf(given.value('mode') ?? '32');
  const names = given.positionals.length === 0 ? undefined : [...new Set(given.positionals.flatMap(namesOf))];
  if (names === undefined) terminal.status('Running every instruction in pairs of states …');
  const {processor, classes} = classifyOn(given.value('cpu'), mode, names);
  terminal.status('');
  if (classes.length === 0)
    throw usage(
      `${names?.join(', ') ?? ''}: not an instruction of ${processor} in ${mode}-bit code. Try --mode ${96 - mode}.`,
    );
  if (given.has('json')) printJson(terminal, processor, mode, classes);
  else if (given.has('theorem')) print(terminal, theoremLines(classes, terminal));
  else if (names === undefined) {
    print(terminal, given.has('all') ? tableLines(classes) : overviewLines(processor, mode, classes, terminal));
  } else for (const each of classes) print(terminal, classLines(each, terminal));
  return classes.some(each => each.unexplained.length > 0) ? EXIT.unexplained : EXIT.ok;
}

function modeOf(text: string): 32 | 64 {
  if (text === '32') return 32;
  if (text === '64') return 64;
  throw usage(`--mode is 32 or 64, not "${text}".`);
}

/** `mov`: all that are called MOV; `mov sreg, r/m`: the one. @throws UserError 'usage' with the nearest name. */
function namesOf(text: string): readonly string[] {
  const all = [...INSTRUCTIONS.keys()];
  const wanted = text.trim().toUpperCase();
  const exact = all.filter(name => name.toUpperCase() === wanted);
  if (exact.length > 0 && wanted.includes(' ')) return exact;
  const found = all.filter(name => mnemonicOf(name).toUpperCase() === wanted);
  if (found.length > 0) return [...found, ...all.filter(name => isWider(name, wanted))];
  if (wanted === '') throw usage('An instruction has a name. Give one such as POPF, or none for all of them.');
  const nearest = closest(wanted, [...new Set(all.map(name => mnemonicOf(name).toUpperCase()))]);
  throw usage(
    `There is no instruction "${text}". ${nearest === undefined ? 'hyperscope classify --all lists them; conditional ones are Jcc, SETcc and CMOVcc.' : `Did you mean ${nearest}?`}`,
  );
}

/** POPFD and POPFQ beside POPF: the same meaning under a name for another operand size. */
function isWider(name: string, mnemonic: string): boolean {
  const meaning = INSTRUCTIONS.get(mnemonic)?.[0]?.semantics;
  const isNamedSo = name === `${mnemonic}D` || name === `${mnemonic}Q`;
  return isNamedSo && meaning !== undefined && INSTRUCTIONS.get(name)?.[0]?.semantics === meaning;
}

const mnemonicOf = (name: string): string => name.split(' ')[0] ?? name;

function print(terminal: Terminal, lines: readonly string[]): void {
  for (const line of lines) terminal.line(line);
}

function printJson(terminal: Terminal, processor: string, mode: 32 | 64, classes: readonly InstructionClass[]): void {
  const theorems = [theorem(1, classes), theorem(3, classes)];
  terminal.line(JSON.stringify({processor, mode, instructions: classes, theorems}, undefined, 2));
}
