// `hyperscope classify --machine toy`: the machine of the 1974 paper, its instructions classified, and what becomes of the
// theorems when one is added.

import {ADDED_INSTRUCTIONS, TOY_INSTRUCTIONS, classifyToy, toyTheorem} from '@hyperscope/simulation';
import type {ToyClass} from '@hyperscope/simulation';
import {closest, usage} from '../terminal/arguments.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

const COLUMNS = [
  {title: 'instruction', align: 'left'},
  {title: 'privileged', align: 'left'},
  {title: 'control', align: 'left'},
  {title: 'mode', align: 'left'},
  {title: 'location', align: 'left'},
  {title: 'user', align: 'left'},
  {title: 'what it does', align: 'left'},
] as const;

/** Classifies the toy machine with the instructions of these names added. @throws UserError 'usage' for a name it lacks. */
export function classifyToyMachine(terminal: Terminal, added: readonly string[], format: 'text' | 'json'): void {
  const additions = added.map(additionNamed);
  const classes = [...TOY_INSTRUCTIONS, ...additions].map(classifyToy);
  const theorems = ([1, 3] as const).map(number => toyTheorem(number, classes));
  if (format === 'json') {
    const instructions = classes.map(({instruction, ...found}) => ({
      name: instruction.name,
      syntax: instruction.syntax,
      ...found,
    }));
    terminal.line(JSON.stringify({machine: 'toy', added, instructions, theorems}, undefined, 2));
    return;
  }
  for (const line of table(COLUMNS, classes.map(row))) terminal.line(line);
  terminal.line();
  for (const {instruction, witnesses} of classes)
    for (const witness of witnesses) terminal.line(`  ${instruction.name}: ${witness}`);
  for (const {story, name} of additions) {
    terminal.line();
    for (const line of wrap(`${name}: ${story}`, Math.min(100, terminal.width))) terminal.line(line);
  }
  terminal.line();
  for (const {theorem, kind, breakers} of theorems)
    terminal.line(
      `Theorem ${theorem}: its premise ${kind}${breakers.length === 0 ? '' : `, because of ${breakers.join(', ')}`}.`,
    );
  if (added.length === 0)
    terminal.note(`Add one and see: --add ${ADDED_INSTRUCTIONS.map(({name}) => name).join(', --add ')}`);
}

const yes = (holds: boolean): string => (holds ? 'yes' : '·');

const row = (of: ToyClass): readonly string[] => [
  of.instruction.name,
  yes(of.privileged),
  yes(of.controlSensitive),
  yes(of.modeSensitive),
  yes(of.locationSensitive),
  yes(of.userSensitive),
  of.instruction.syntax,
];

function additionNamed(text: string): (typeof ADDED_INSTRUCTIONS)[number] {
  const name = text.toUpperCase();
  const found = ADDED_INSTRUCTIONS.find(each => each.name === name);
  if (found !== undefined) return found;
  const names = ADDED_INSTRUCTIONS.map(each => each.name);
  const nearest = closest(name, names);
  throw usage(
    `There is no instruction "${text}" to add. ${nearest === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${nearest}?`}`,
  );
}
