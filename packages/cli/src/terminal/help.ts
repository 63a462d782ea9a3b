// What --help prints: what a command is for, how it is called, every option, and examples that can be pasted.

import type {Command} from '../commands/command.js';
import type {Option} from './arguments.js';
import {wrap} from './table.js';
import type {Terminal} from './terminal.js';

/** Help for one command. */
export function commandHelp(command: Command, terminal: Terminal): readonly string[] {
  const {style} = terminal;
  const width = Math.min(100, terminal.width);
  const heading = (text: string): string => style('bold', text);
  return [
    `${heading(`hyperscope ${command.name}`)}: ${command.summary}`,
    '',
    `  ${command.usage}`,
    '',
    ...command.description.flatMap(paragraph => [...wrap(paragraph, width), '']),
    ...(Object.keys(command.options).length === 0 ? [] : [heading('Options')]),
    ...Object.entries(command.options).flatMap(([name, option]) => optionLines(name, option, width)),
    ...(Object.keys(command.options).length === 0 ? [] : ['']),
    heading('Examples'),
    ...command.examples.flatMap(({line, what}) => [`  ${style('cyan', line)}`, ...wrap(what, width, '      ')]),
    ...(command.exitCodes === undefined ? [] : ['', heading('Exit status')]),
    ...(command.exitCodes ?? []).map(({code, what}) => `  ${code}  ${what}`),
  ];
}

function optionLines(name: string, option: Option, width: number): readonly string[] {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const left = `  ${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`;
  const indent = 26;
  const lines = wrap(option.help, width, ' '.repeat(indent));
  if (left.length > indent - 2) return [left, ...lines];
  return [left.padEnd(indent) + (lines[0] ?? '').trimStart(), ...lines.slice(1)];
}

/** Help for the whole program. */
export function programHelp(commands: readonly Command[], terminal: Terminal): readonly string[] {
  const {style} = terminal;
  const widest = Math.max(...commands.map(command => command.name.length));
  return [
    `${style('bold', 'hyperscope')}: run a guest on simulated VT-x and on real KVM, and see why it exits.`,
    '',
    '  hyperscope COMMAND [ARGUMENTS]      hyperscope COMMAND --help',
    '',
    style('bold', 'Commands'),
    ...commands.map(command => `  ${command.name.padEnd(widest)}  ${command.summary}`),
    '',
    style('bold', 'To begin with'),
    `  ${style('cyan', 'hyperscope guests')}                              the programs that come with it`,
    `  ${style('cyan', 'hyperscope run hello-kvm')}                       what one of them prints, and its exits`,
    `  ${style('cyan', 'hyperscope compare hello-kvm --on vtx-ept,kvm')}  the same bytes on the simulator and on real KVM`,
    `  ${style('cyan', 'hyperscope serve')}                               the lab, in a browser`,
  ];
}
