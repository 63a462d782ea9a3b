// A classification as lines of text: one instruction with its witnesses, a table, the verdicts of the theorems.

import {BEYOND_THE_LIST, PROPERTIES, ROBIN_AND_IRVINE, knownDifference, theorem} from '@hyperscope/simulation';
import type {InstructionClass, TheoremVerdict} from '@hyperscope/simulation';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

const COLUMNS = [
  {title: 'instruction', align: 'left'},
  {title: 'privileged', align: 'left'},
  {title: 'control', align: 'left'},
  {title: 'mode', align: 'left'},
  {title: 'location', align: 'left'},
  {title: 'user', align: 'left'},
  {title: 'class', align: 'left'},
] as const;

const LISTED: ReadonlyMap<string, string> = new Map(
  ROBIN_AND_IRVINE.flatMap(({mnemonic, names}) => names.map(name => [name, mnemonic])),
);

/** Every class as a line. */
export function tableLines(classes: readonly InstructionClass[]): readonly string[] {
  return table(COLUMNS, classes.map(row));
}

function row({name, recorded, privilegedWhen, verdict}: InstructionClass): readonly string[] {
  const yes = (holds: boolean): string => (holds ? 'yes' : '·');
  const privileged = recorded.privileged ? 'yes' : '·';
  return [
    name,
    recorded.privileged && privilegedWhen !== undefined ? `when ${privilegedWhen}` : privileged,
    yes(recorded.controlSensitive),
    yes(recorded.modeSensitive),
    yes(recorded.locationSensitive),
    yes(recorded.userSensitive),
    verdict,
  ];
}

/** Counts, the holes one by one, and the verdicts. */
export function overviewLines(
  processor: string,
  mode: 32 | 64,
  classes: readonly InstructionClass[],
  terminal: Terminal,
): readonly string[] {
  const {style} = terminal;
  const width = Math.min(100, terminal.width);
  const of = (verdict: InstructionClass['verdict']): readonly InstructionClass[] =>
    classes.filter(each => each.verdict === verdict);
  const counts = (
    ['innocuous', 'privileged', 'privileged and sensitive', 'system call', 'stealth', 'always traps'] as const
  ).map(verdict => [verdict, String(of(verdict).length)]);
  const samples = classes.reduce((sum, each) => sum + each.executed.samples, 0);
  const holes = of('stealth');
  return [
    style(
      'bold',
      `${processor}, ${mode}-bit code: ${classes.length} instructions, ${samples} samples, each in pairs of states`,
    ),
    ...table(
      [
        {title: 'class', align: 'left'},
        {title: 'instructions', align: 'right'},
      ],
      counts,
    ),
    '',
    ...(holes.length === 0
      ? ['No instruction is sensitive and unprivileged.']
      : [
          style('bold', 'Sensitive and unprivileged: in user mode they do not trap, and nobody is told'),
          ...table(
            [
              ...COLUMNS.slice(0, 1),
              ...COLUMNS.slice(2, 6),
              {title: 'published list, or why it is beyond it', align: 'left'},
            ],
            holes.map(hole => [...row(hole).slice(0, 1), ...row(hole).slice(2, 6), published(hole.name)]),
          ),
        ]),
    '',
    ...theoremLines(classes, terminal),
    '',
    ...wrap(agreement(classes), width),
  ];
}

const published = (name: string): string =>
  LISTED.has(name) ? `Robin and Irvine: ${LISTED.get(name) ?? ''}` : (BEYOND_THE_LIST.get(name) ?? '');

function agreement(classes: readonly InstructionClass[]): string {
  const known = classes.flatMap(({name, mode, disagreements}) =>
    disagreements.filter(property => knownDifference(name, mode, property) !== undefined).map(() => name),
  );
  const unexplained = classes.flatMap(({name, unexplained: found}) => (found.length > 0 ? [name] : []));
  const but = known.length === 0 ? '' : `, but for ${[...new Set(known)].join(', ')}, with reasons`;
  return unexplained.length === 0
    ? `Meaning and runs agree on all of them${but}.`
    : `Meaning and runs DISAGREE on ${unexplained.join(', ')}: a mistake in Hyperscope.`;
}

/** The two theorems, what breaks them, and what that means. */
export function theoremLines(classes: readonly InstructionClass[], terminal: Terminal): readonly string[] {
  return ([1, 3] as const).flatMap(number => verdictLines(theorem(number, classes), terminal));
}

function verdictLines(verdict: TheoremVerdict, {style, width}: Terminal): readonly string[] {
  const lines = (text: string): readonly string[] => wrap(text, Math.min(100, width), '  ');
  const {theorem: number, condition, kind, breakers, systemCalls, sentence} = verdict;
  return [
    style('bold', `Theorem ${number}: that ${condition} ${kind === 'holds' ? 'is true here' : 'is not true here'}.`),
    ...(breakers.length === 0 ? [] : lines(`Because of ${breakers.join(' · ')}.`)),
    ...(systemCalls.length === 0
      ? []
      : lines(
          `${systemCalls.join(' · ')}: unprivileged, but they trap by design, to the entry that the system has named.`,
        )),
    ...lines(sentence),
  ];
}

/** One instruction: its class, and the states that showed it. */
export function classLines(found: InstructionClass, {style, width}: Terminal): readonly string[] {
  const {name, mode, title, verdict, sentence, executed, disagreements, source, recorded} = found;
  const lines = (text: string): readonly string[] => wrap(text, Math.min(100, width), '  ');
  const words = PROPERTIES.filter(property => recorded[property]).map(inWords);
  return [
    `${style('bold', name)} (${mode}-bit code): ${style('bold', verdict)}`,
    ...lines(`${title}. From its meaning: ${sentence}.`),
    ...lines(`So it is ${words.length === 0 ? 'nothing of what is asked' : words.join(', ')}.`),
    ...lines(`${executed.samples} samples were run${executed.pairs === 0 ? ', and all trapped in both modes' : ''}:`),
    ...executed.witnesses.flatMap(({shows, code, bytes, states, difference}) => [
      `  ${inWords(shows).padEnd(19)} ${code}  (${bytes})`,
      `  ${''.padEnd(19)} ${states}: ${difference}`,
    ]),
    ...disagreements.flatMap(property =>
      lines(
        `The runs do not show ${inWords(property)}. ${knownDifference(name, mode, property)?.reason ?? 'No reason is known.'}`,
      ),
    ),
    ...(LISTED.has(name) || BEYOND_THE_LIST.has(name) ? lines(`Published list: ${listing(name)}.`) : []),
    ...lines(source),
    '',
  ];
}

const listing = (name: string): string =>
  LISTED.has(name)
    ? `Robin and Irvine have it as ${LISTED.get(name) ?? ''}`
    : `not there: ${BEYOND_THE_LIST.get(name) ?? ''}`;

/** `controlSensitive` → `control sensitive`. */
const inWords = (property: string): string => property.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
