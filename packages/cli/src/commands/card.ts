// `hyperscope card`: the instructions that made x86 hard to virtualize, one card each: what a kernel gets from it in ring 0, in
// ring 1 and in ring 3, who was told, and what the later ways to virtualize do about it. Every number comes from a run.

import {STEALTH_CARDS, findGuest, popfGrid, runCard} from '@hyperscope/simulation';
import type {CardRun, StealthCard} from '@hyperscope/simulation';
import {assertExists} from '@hyperscope/base';
import {EXIT} from '../exit-status.js';
import {cardLines, gridLines, listLines} from '../run/card-lines.js';
import {closest, parseArguments, usage} from '../terminal/arguments.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  source: {value: undefined, help: 'Print the kernel of the card: commented assembly to change and run.'},
  json: {value: undefined, help: 'Print JSON.'},
} as const;

export const CARD: Command = {
  name: 'card',
  summary: 'show an instruction that does not trap: what a deprivileged kernel gets from it',
  usage: 'hyperscope card [NAME] [--source] [--json]',
  description: [
    'Robin and Irvine (2000) found seventeen instructions of the Pentium by their count that are sensitive and do not trap; ' +
      'the list that is usually reproduced from their paper names eighteen mnemonics. Each is a card here, and a small ' +
      'kernel that hyperscope run runs as well: card-popf.',
    'A card is run on the bare machine, under trap-and-emulate in ring 1 and in ring 3, on processors with UMIP and ' +
      'where everything sensitive traps, and under VT-x and SVM.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope card', what: 'All of them: what was printed, and where it was wrong.'},
    {line: 'hyperscope card popf', what: 'The textbook case, with its grid of CPL and IOPL.'},
    {line: 'hyperscope card sgdt --source > sgdt.asm', what: 'A kernel to change; then: hyperscope run sgdt.asm'},
  ],
  run: async (args, context) => runCommand(args, context),
};

interface RunOfCard {
  readonly card: StealthCard;
  readonly runs: readonly CardRun[];
}

function runCommand(args: readonly string[], {terminal}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const [name, ...more] = given.positionals;
  if (more.length > 0) throw usage('Give one card at a time, or none for all of them.');
  const card = name === undefined ? undefined : cardNamed(name);
  if (given.has('source')) {
    if (card === undefined) throw usage('Which source? Name a card, such as popf.');
    terminal.write(guestOf(card).source);
    return EXIT.ok;
  }
  terminal.status('Running the kernels …');
  const found: readonly RunOfCard[] = (card === undefined ? STEALTH_CARDS : [card]).map(each => ({
    card: each,
    runs: runCard(each, guestOf(each)),
  }));
  terminal.status('');
  if (given.has('json')) terminal.line(JSON.stringify(found.map(asJson), undefined, 2));
  else if (card === undefined) for (const line of listLines(found, terminal)) terminal.line(line);
  else {
    for (const {runs} of found) for (const line of cardLines(card, runs, terminal)) terminal.line(line);
    if (card.mnemonic === 'POPF') for (const line of gridLines(popfGrid(), terminal)) terminal.line(line);
  }
  return EXIT.ok;
}

const guestOf = (card: StealthCard) => assertExists(findGuest(card.id), `${card.id} is a guest`);

function asJson({card, runs}: RunOfCard): object {
  const results = runs.map(({setting, ...result}) => ({run: setting.id, technique: setting.technique, ...result}));
  return {...card, runs: results, ...(card.mnemonic === 'POPF' ? {grid: popfGrid()} : {})};
}

/** `popf`, `card-popf`, `INT n`. @throws UserError 'usage' with the nearest name. */
function cardNamed(text: string): StealthCard {
  const wanted = text.trim().toLowerCase();
  const found = STEALTH_CARDS.find(
    ({id, mnemonic}) => id === wanted || id === `card-${wanted}` || mnemonic.toLowerCase() === wanted,
  );
  if (found !== undefined) return found;
  const names = STEALTH_CARDS.map(({id}) => id.slice('card-'.length));
  const nearest = closest(wanted, names);
  throw usage(
    `There is no card "${text}". ${nearest === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${nearest}?`}`,
  );
}
