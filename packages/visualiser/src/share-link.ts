// A moment as a link. The version comes first, so that old links never die.
//
//   #v1/<technique>/<guest>[/<step>]
//   #v2/<technique>/<guest>/<step>[;switches=<id>:<value>,…][;scenario=<id>:<part>][;panel=<tab>][;theme=<theme>][;text=<base64url>]
//
// A link may have been written by anybody: it is taken apart by strict patterns of limited length, an entry that is unknown, twice
// or malformed makes the whole link unreadable, and what it names is looked up.

import {THEMES, type Theme} from '@hyperscope/elements';
import type {Switches} from '@hyperscope/trace';

export interface SharedMoment {
  readonly technique: string;
  readonly guest: string;
  /** Where the guest begins when absent. */
  readonly step?: number | undefined;
  readonly switches?: Switches | undefined;
  /** A shipped scenario, and the part of it. */
  readonly scenario?: {readonly id: string; readonly part: number} | undefined;
  /** A tab of the inspector. */
  readonly panel?: string | undefined;
  readonly theme?: Theme | undefined;
  /** An edited program, compressed, in base64url. */
  readonly text?: string | undefined;
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

const PLACE = String.raw`([a-z0-9][a-z0-9-]{0,39})\/([a-z0-9][a-z0-9-]{0,63})`;
const STEP = '0|[1-9][0-9]{0,8}';
const VERSION_1 = new RegExp(String.raw`^#v1\/${PLACE}(?:\/(${STEP}))?$`);
const VERSION_2 = new RegExp(String.raw`^#v2\/${PLACE}\/(${STEP})?((?:;[a-z]+=[A-Za-z0-9_,:./+-]+)*)$`);
const SWITCH = /^([a-z0-9][a-z0-9-]{0,39}):([A-Za-z0-9][A-Za-z0-9/+.-]{0,39})$/;
const SCENARIO = /^([a-z0-9][a-z0-9-]{0,59}):(0|[1-9][0-9]{0,2})$/;
const PANEL = /^[a-z][a-z-]{0,29}$/;
const TEXT = /^[A-Za-z0-9_-]+$/;

/** The fragment of a link to a moment: of the first version where that can say it. */
export function writeLink(moment: SharedMoment): string {
  const {technique, guest, step, switches = {}, scenario, panel, theme, text} = moment;
  const set = Object.entries(switches).map(([id, value]) => `${id}:${value}`);
  const more = [
    set.length === 0 ? '' : `;switches=${set.join(',')}`,
    scenario === undefined ? '' : `;scenario=${scenario.id}:${scenario.part}`,
    panel === undefined ? '' : `;panel=${panel}`,
    theme === undefined ? '' : `;theme=${theme}`,
    text === undefined ? '' : `;text=${text}`,
  ].join('');
  if (more !== '') return `#v2/${technique}/${guest}/${step ?? ''}${more}`;
  return step === undefined ? `#v1/${technique}/${guest}` : `#v1/${technique}/${guest}/${step}`;
}

/** Reads the fragment of an address. */
export function readLink(hash: string): ReadLink {
  if (hash === '' || hash === '#') return {kind: 'none'};
  if (hash.length > LONGEST)
    return {kind: 'unreadable', why: 'This link is too long to be one of ours, so the lab opened at the beginning.'};
  const moment = readVersion1(hash) ?? readVersion2(hash);
  if (moment !== undefined) return {kind: 'moment', moment};
  const newer = /^#v([3-9]|[1-9][0-9]+)\//.test(hash);
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

function readVersion2(hash: string): SharedMoment | undefined {
  const [, technique, guest, step, rest] = VERSION_2.exec(hash) ?? [];
  if (technique === undefined || guest === undefined || rest === undefined) return undefined;
  let moment: SharedMoment = {technique, guest, step: numberOf(step)};
  const seen = new Set<string>();
  for (const entry of rest.split(';').slice(1)) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at);
    const more = seen.has(name) ? undefined : readEntry(name, entry.slice(at + 1));
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
