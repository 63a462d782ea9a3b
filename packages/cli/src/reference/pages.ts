// Pages of the documentation that are made from the program itself, so that they cannot say anything else.

import type {GuestOutline} from '@hyperscope/simulation';
import type {Command} from '../commands/command.js';

const MADE = (how: string): string =>
  `<!-- Made from ${how}. After a change: npx vitest run packages/cli/src/reference -u -->`;

/** The page on the command line: for each command what `--help` prints. */
export function commandLinePage(commands: readonly Command[], helpOf: ReadonlyMap<string, string>): string {
  const sections = commands.flatMap(({name, summary}) => [
    `## ${name}`,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    '',
    '```',
    (helpOf.get(name) ?? '').trimEnd(),
    '```',
    '',
  ]);
  return [
    MADE('the program’s own help'),
    '',
    '# The command line',
    '',
    'What `npx hyperscope COMMAND --help` prints, for every command. Results go to standard output, progress and trouble to',
    'standard error; `--json` gives results for scripts.',
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

const MODES: Readonly<Record<GuestOutline['mode'], string>> = {
  real: 'real mode',
  protected: '32-bit protected mode, flat',
  long: '64-bit mode, identity page tables',
  xen: 'the state that Xen’s domain builder makes',
};

/** A user, with whom it runs, and what stands on each console then. */
function userSection({id, title, teaches, controlProgram}: GuestOutline): readonly string[] {
  const beside = controlProgram?.beside.map(({user, guest}) => `\`${guest}\` as ${user}`) ?? [];
  const consoles = Object.entries(controlProgram?.expectedConsoles ?? {}).flatMap(([user, text]) =>
    text
      .trimEnd()
      .split('\n')
      .map(line => `${user}: ${line}`),
  );
  return [
    `### ${id}`,
    '',
    `**${title}.** ${teaches}${beside.length === 0 ? '' : ` Beside it: ${beside.join(', ')}.`}`,
    '',
    ...(consoles.length === 0 ? [] : ['```', ...consoles, '```', '']),
  ];
}

/** The page on the guests: what each is, starts as, and must print. */
export function guestsPage(
  guests: readonly GuestOutline[],
  users: readonly GuestOutline[],
  cards: readonly GuestOutline[],
): string {
  const sections = guests.flatMap(({id, title, teaches, mode, loadAddress, memoryMiB, needs, expectedSerial}) => [
    `## ${id}`,
    '',
    `**${title}.** ${teaches}`,
    '',
    `Starts at \`0x${loadAddress.toString(16)}\` in ${MODES[mode]}, with ${memoryMiB} MiB.${needs === undefined ? '' : ` Runs on \`${needs.technique}\` only.`}`,
    '',
    ...(expectedSerial === ''
      ? ['It prints nothing.', '']
      : ['It prints:', '', '```', expectedSerial.trimEnd(), '```', '']),
  ]);
  return [
    MADE('packages/guests/src'),
    '',
    '# Guests',
    '',
    'Programs that ship: commented assembly, to be read and changed. `hyperscope guests ID` prints the source of one, `d` in the lab opens it.',
    '',
    ...sections,
    '## Users of the control program',
    '',
    'Single-user systems for virtual machines under one control program: `hyperscope run cms-punch`. Alone on a machine each prints less.',
    '',
    ...users.flatMap(userSection),
    '## Stealth cards',
    '',
    'One small kernel for each instruction that is sensitive and does not trap: `hyperscope card MNEMONIC`.',
    '',
    '| guest | what it shows |',
    '| --- | --- |',
    ...cards.map(({id, teaches}) => `| \`${id}\` | ${teaches.replaceAll('|', '\\|')} |`),
    '',
  ].join('\n');
}
