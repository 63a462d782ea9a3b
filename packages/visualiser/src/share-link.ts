// A moment as a link. The version comes first, so that old links never die.
//
//   #v1/<technique>/<guest>[/<step>]
//   #v2/<technique>/<guest>/<step>[;switches=<id>:<value>,…][;scenario=<id>:<part>][;panel=<tab>][;theme=<theme>][;text=<base64url>]
//   #v3/… as version 2, and [;set=<number>][;look=<space>:<hex>][;compare=<machine>,…[:<instruction>[:<machine>]]][;mode=present]
//
// A link is written in the lowest version that can say it, so that an older lab can follow as many as possible.
//
// A link may have been written by anybody: it is taken apart by strict patterns of limited length, an entry that is unknown, twice
// or malformed makes the whole link unreadable, and what it names is looked up.

import {THEMES, type Theme} from '@hyperscope/elements';
import type {Switches} from '@hyperscope/trace';
import type {Place} from './looked-places.js';

/** The comparison as a link has it. */
export interface ComparedPlace {
  /** Technique ids, and `kvm` for real KVM; the first is the reference. */
  readonly machines: readonly string[];
  /** Of the reference: where the scrubber is. */
  readonly instruction: number;
  /** The machine that is read of. */
  readonly chosen?: string | undefined;
}

export interface SharedMoment {
  readonly technique: string;
  readonly guest: string;
  /** Where the guest begins when absent. */
  readonly step?: number | undefined;
  readonly switches?: Switches | undefined;
  /** A shipped scenario, the part of it, and the set of its seeded questions. */
  readonly scenario?: {readonly id: string; readonly part: number; readonly set?: number | undefined} | undefined;
  /** A tab of the inspector. */
  readonly panel?: string | undefined;
  readonly theme?: Theme | undefined;
  /** An edited program, compressed, in base64url. */
  readonly text?: string | undefined;
  /** The address that memory is looked at. */
  readonly look?: Place | undefined;
  readonly compare?: ComparedPlace | undefined;
  readonly mode?: 'present' | undefined;
}

export type ReadLink =
  | {readonly kind: 'none'}
  | {readonly kind: 'moment'; readonly moment: SharedMoment}
  /** The link cannot be followed: a sentence for the reader, without anything taken from the link itself. */
  | {readonly kind: 'unreadable'; readonly why: string};

/** Characters of a whole link, of its text, and how many switches it may set. */
const LONGEST = 24_000;
const LONGEST_TEXT = 20_000;
const MOST_SWITCHES = 40;
const MOST_LANES = 9;

const PLACE = String.raw`([a-z0-9][a-z0-9-]{0,39})\/([a-z0-9][a-z0-9-]{0,63})`;
const STEP = '0|[1-9][0-9]{0,8}';
const VERSION_1 = new RegExp(String.raw`^#v1\/${PLACE}(?:\/(${STEP}))?$`);
const WITH_ENTRIES = new RegExp(String.raw`^#v([23])\/${PLACE}\/(${STEP})?((?:;[a-z]+=[A-Za-z0-9_,:./+-]+)*)$`);
const SWITCH = /^([a-z0-9][a-z0-9-]{0,39}):([A-Za-z0-9][A-Za-z0-9/+.-]{0,39})$/;
const SCENARIO = /^([a-z0-9][a-z0-9-]{0,59}):(0|[1-9][0-9]{0,2})$/;
const SET = /^[1-9][0-9]{0,5}$/;
const PANEL = /^[a-z][a-z-]{0,29}$/;
const TEXT = /^[A-Za-z0-9_-]+$/;
const LOOK = /^([gh][pv]a):(0|[1-9a-f][0-9a-f]{0,15})$/;
const SPACES: readonly Place['space'][] = ['gva', 'gpa', 'hva', 'hpa'];
const MACHINE = '[a-z0-9][a-z0-9-]{0,39}';
const COMPARE = new RegExp(`^(${MACHINE}(?:,${MACHINE})*)(?::(${STEP})(?::(${MACHINE}))?)?$`);

/** The fragment of a link to a moment: of the first version where that can say it. */
export function writeLink(moment: SharedMoment): string {
  const {technique, guest, step} = moment;
  const second = entriesOf2(moment);
  const third = entriesOf3(moment);
  if (third !== '') return `#v3/${technique}/${guest}/${step ?? ''}${second}${third}`;
  if (second !== '') return `#v2/${technique}/${guest}/${step ?? ''}${second}`;
  return step === undefined ? `#v1/${technique}/${guest}` : `#v1/${technique}/${guest}/${step}`;
}

function entriesOf2({switches = {}, scenario, panel, theme, text}: SharedMoment): string {
  const set = Object.entries(switches).map(([id, value]) => `${id}:${value}`);
  return [
    set.length === 0 ? '' : `;switches=${set.join(',')}`,
    scenario === undefined ? '' : `;scenario=${scenario.id}:${scenario.part}`,
    panel === undefined ? '' : `;panel=${panel}`,
    theme === undefined ? '' : `;theme=${theme}`,
    text === undefined ? '' : `;text=${text}`,
  ].join('');
}

function entriesOf3({scenario, look, compare, mode}: SharedMoment): string {
  const chosen = compare?.chosen === undefined ? '' : `:${compare.chosen}`;
  return [
    scenario?.set === undefined ? '' : `;set=${scenario.set}`,
    look === undefined ? '' : `;look=${look.space}:${look.address.toString(16)}`,
    compare === undefined ? '' : `;compare=${compare.machines.join(',')}:${compare.instruction}${chosen}`,
    mode === undefined ? '' : `;mode=${mode}`,
  ].join('');
}

/** Reads the fragment of an address. */
export function readLink(hash: string): ReadLink {
  if (hash === '' || hash === '#') return {kind: 'none'};
  if (hash.length > LONGEST)
    return {kind: 'unreadable', why: 'This link is too long to be one of ours, so the lab opened at the beginning.'};
  const moment = readVersion1(hash) ?? readWithEntries(hash);
  if (moment !== undefined) return {kind: 'moment', moment};
  const newer = /^#v([4-9]|[1-9][0-9]+)\//.test(hash);
  return {
    kind: 'unreadable',
    why: newer
      ? 'This link was made by a newer Hyperscope. Update this one, or ask for the link’s machine, guest and step.'
      : 'This link is damaged or is not one of ours, so the lab opened at the beginning.',
  };
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

function readVersion1(hash: string): SharedMoment | undefined {
  const [, technique, guest, step] = VERSION_1.exec(hash) ?? [];
  return technique === undefined || guest === undefined ? undefined : {technique, guest, step: numberOf(step)};
}

function readWithEntries(hash: string): SharedMoment | undefined {
  const [, version, technique, guest, step, rest] = WITH_ENTRIES.exec(hash) ?? [];
  if (technique === undefined || guest === undefined || rest === undefined) return undefined;
  let moment: SharedMoment = {technique, guest, step: numberOf(step)};
  const seen = new Set<string>();
  for (const entry of rest.split(';').slice(1)) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at);
    const value = entry.slice(at + 1);
    const read = readEntry(name, value) ?? (version === '3' ? readEntry3(name, value, moment) : undefined);
    const more = seen.has(name) ? undefined : read;
    if (more === undefined) return undefined;
    seen.add(name);
    moment = {...moment, ...more};
  }
  return moment;
}

/** One entry behind the step; undefined where it is not well formed. */
function readEntry(name: string, value: string): Partial<SharedMoment> | undefined {
  switch (name) {
    case 'switches': {
      const switches = readSwitches(value);
      return switches === undefined ? undefined : {switches};
    }
    case 'scenario': {
      const [, id, part] = SCENARIO.exec(value) ?? [];
      return id === undefined || part === undefined ? undefined : {scenario: {id, part: Number(part)}};
    }
    case 'panel':
      return PANEL.test(value) ? {panel: value} : undefined;
    case 'theme': {
      const theme = THEMES.find(each => each === value);
      return theme === undefined ? undefined : {theme};
    }
    case 'text':
      return value.length <= LONGEST_TEXT && TEXT.test(value) ? {text: value} : undefined;
    default:
      return undefined;
  }
}

/** The same for what version 3 brought; a set is one of the scenario before it. */
function readEntry3(
  name: string,
  value: string,
  {scenario}: Pick<SharedMoment, 'scenario'>,
): Partial<SharedMoment> | undefined {
  switch (name) {
    case 'set':
      return scenario === undefined || !SET.test(value) ? undefined : {scenario: {...scenario, set: Number(value)}};
    case 'look': {
      const [, space, address] = LOOK.exec(value) ?? [];
      const known = SPACES.find(each => each === space);
      return known === undefined ? undefined : {look: {space: known, address: BigInt(`0x${address}`)}};
    }
    case 'compare': {
      const compare = readComparison(value);
      return compare === undefined ? undefined : {compare};
    }
    case 'mode':
      return value === 'present' ? {mode: value} : undefined;
    default:
      return undefined;
  }
}

function readComparison(value: string): ComparedPlace | undefined {
  const [, list, instruction, chosen] = COMPARE.exec(value) ?? [];
  const machines = list?.split(',') ?? [];
  if (machines.length === 0 || machines.length > MOST_LANES || new Set(machines).size < machines.length)
    return undefined;
  return {machines, instruction: numberOf(instruction) ?? 0, chosen};
}

function readSwitches(value: string): Switches | undefined {
  const parts = value.split(',');
  if (parts.length > MOST_SWITCHES) return undefined;
  const pairs = parts.map(part => SWITCH.exec(part));
  const found = new Map<string, string>();
  for (const pair of pairs) {
    const [, id, set] = pair ?? [];
    if (id === undefined || set === undefined || found.has(id)) return undefined;
    found.set(id, set);
  }
  return Object.fromEntries(found);
}
