// A stealth card, run: the same kernel in ring 0 of a bare machine, in ring 1 and ring 3 under trap-and-emulate, with UMIP, on
// the strict processor, and under VT-x and SVM. Each run says what the kernel printed, and who was told of the instruction.

import {assertExists} from '@hyperscope/base';
import type {AssembledGuest, Guest, StealthCard} from '@hyperscope/guests';
import {techniqueById} from '@hyperscope/vmm';
import type {TechniqueOptions, TechniqueRun} from '@hyperscope/vmm';
import type {LoadedGuest} from '../images/guest-program.js';
import {NO_PORTS} from '../session/session.js';
import {loadGuest} from '../shipped.js';

export interface CardSetting {
  /** `ring 1`: a column. */
  readonly id: string;
  readonly title: string;
  readonly technique: string;
  readonly profile: string | undefined;
  readonly rings: TechniqueOptions['rings'];
}

const setting = (
  id: string,
  title: string,
  technique: string,
  more: Partial<Pick<CardSetting, 'profile' | 'rings'>> = {},
): CardSetting => ({id, title, technique, profile: undefined, rings: undefined, ...more});

/** The columns, in the order in which the story is told. A technique that does not exist yet has no column. */
export const CARD_SETTINGS: readonly CardSetting[] = [
  setting('ring 0', 'on the bare machine, in ring 0', 'bare'),
  setting('ring 1', 'under trap-and-emulate, in ring 1', 'trap-and-emulate', {rings: '0/1/3'}),
  setting('ring 3', 'under trap-and-emulate, in ring 3', 'trap-and-emulate', {rings: '0/3/3'}),
  setting('UMIP', 'in ring 1 of a processor with UMIP', 'trap-and-emulate', {
    rings: '0/1/3',
    profile: 'westmere,+umip',
  }),
  setting('strict', 'in ring 1 of the strict processor, where it traps', 'trap-and-emulate', {
    rings: '0/1/3',
    profile: 'westmere,+strict',
  }),
  setting('binary translation', 'translated, in ring 1', 'binary-translation'),
  setting('VT-x', 'under VT-x, in ring 0 of non-root operation', 'vtx-ept'),
  setting('AMD-V', 'under SVM, in ring 0 of guest mode', 'svm-npt'),
].filter(({technique}) => techniqueById(technique) !== undefined);

export interface CardRun {
  readonly setting: CardSetting;
  /** The number that the kernel printed, in hexadecimal; undefined where it printed none. */
  readonly value: string | undefined;
  /** Whether that is what it prints in ring 0. */
  readonly verdict: 'right' | 'wrong';
  /** Exceptions that the instruction raised on the real processor: somebody was told. */
  readonly traps: number;
  /** VM exits at the instruction. */
  readonly exits: number;
}

/** Who learned that the instruction was executed. */
export function whoIsTold({traps, exits}: Pick<CardRun, 'traps' | 'exits'>): string {
  if (traps > 0) return 'the monitor, by an exception';
  return exits > 0 ? 'the hypervisor, by a VM exit' : 'nobody';
}

/** More than any card needs, hypervisor included. */
const STEP_LIMIT = 200_000;

/** Runs a card in every setting. */
export function runCard(card: StealthCard, guest: Guest): readonly CardRun[] {
  const loaded = loadGuest(guest);
  return CARD_SETTINGS.map(each => runCardIn(card, loaded, each));
}

function runCardIn(card: StealthCard, {image, assembly}: LoadedGuest<AssembledGuest>, where: CardSetting): CardRun {
  const technique = assertExists(techniqueById(where.technique), `the registry has ${where.technique}`);
  const run = technique.start({
    image,
    ports: NO_PORTS,
    profile: where.profile,
    costModel: undefined,
    rings: where.rings,
  });
  const told = watchInstruction(run, assembly, where.technique);
  for (let steps = 0; steps < STEP_LIMIT && run.step().outcome === undefined; steps++);
  const printed = new TextDecoder().decode(run.serialOutput());
  return {
    setting: where,
    value: / ([0-9a-f]{8})\n$/.exec(printed)?.[1],
    verdict: printed === card.native ? 'right' : 'wrong',
    ...told,
  };
}

/** Counts what happens between the labels `stealth` and `after`. */
function watchInstruction(
  run: TechniqueRun,
  {symbols}: AssembledGuest,
  technique: string,
): {traps: number; exits: number} {
  const isTranslated = technique === 'binary-translation';
  const [start, end] = [symbols.get('stealth') ?? 0n, symbols.get('after') ?? 0n];
  const isIt = (rip: bigint): boolean => rip >= start && rip < end;
  const told = {traps: 0, exits: 0};
  run.observe({
    willWrite: () => undefined,
    // What runs is a translation, at other addresses: the VMM is told by what stands there for the instruction.
    hypervisorEvent: event => {
      if (event.kind === 'emulation' && isTranslated && isIt(event.rip)) told.traps++;
    },
    event: event => {
      if (event.kind === 'exception' && isIt(run.machine.instructionRip)) told.traps++;
      if (event.kind === 'vm-exit' && isIt(event.exit.guestRip)) told.exits++;
    },
  });
  return told;
}
