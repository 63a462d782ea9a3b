// What a lab in a frame and the page around it say to each other. Both may be strangers: everything that arrives is read
// strictly, and nothing that is asked can do more than a link could.

import {GRANULARITIES, type Granularity} from '@hyperscope/trace';

/** Parts of the lab that an embedded one can show, in the order of the page. */
export const EMBED_PANELS = ['code', 'console', 'stage', 'why', 'inspector', 'timeline'] as const;
export type EmbedPanel = (typeof EMBED_PANELS)[number];

/** From the frame: where the playhead is, each time it has moved. */
export interface EmbeddedMoment {
  readonly technique: string;
  readonly guest: string;
  /** State index; `length` is that of the last one recorded. */
  readonly step: number;
  readonly length: number;
  /** What happened in the step before, in a few words. */
  readonly title: string;
  readonly who: string;
  /** The fragment of a link to this moment. */
  readonly link: string;
}

/** To the frame. */
export type EmbedCommand =
  | {readonly kind: 'open'; readonly link: string}
  | {readonly kind: 'seek'; readonly step: number}
  | {readonly kind: 'step'; readonly direction: 'back' | 'forward'; readonly granularity: Granularity};

const MOMENT = 'hyperscope-moment';
const COMMAND = 'hyperscope-command';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isIndex = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** A message that tells a moment. */
export function momentMessage(moment: EmbeddedMoment): unknown {
  return {hyperscope: MOMENT, moment};
}

/** A message that carries a command. */
export function commandMessage(command: EmbedCommand): unknown {
  return {hyperscope: COMMAND, command};
}

/** The moment that a message tells; undefined for messages that are none of ours. */
export function readMoment(data: unknown): EmbeddedMoment | undefined {
  if (!isObject(data) || data['hyperscope'] !== MOMENT || !isObject(data['moment'])) return undefined;
  const {technique, guest, step, length, title, who, link} = data['moment'];
  const texts = [technique, guest, title, who, link];
  if (!texts.every(text => typeof text === 'string') || !isIndex(step) || !isIndex(length)) return undefined;
  return {
    technique: String(technique),
    guest: String(guest),
    step,
    length,
    title: String(title),
    who: String(who),
    link: String(link),
  };
}

/** The command of a message; undefined for messages that are none of ours, and for what cannot be followed. */
export function readCommand(data: unknown): EmbedCommand | undefined {
  if (!isObject(data) || data['hyperscope'] !== COMMAND || !isObject(data['command'])) return undefined;
  const {kind, link, step, direction, granularity} = data['command'];
  if (kind === 'open' && typeof link === 'string') return {kind, link};
  if (kind === 'seek' && isIndex(step)) return {kind, step};
  const known = GRANULARITIES.find(name => name === granularity);
  if (kind === 'step' && (direction === 'forward' || direction === 'back') && known !== undefined)
    return {kind, direction, granularity: known};
  return undefined;
}

/** The panels that a list names, `stage why`; all of them where it names none that there is. */
export function readPanels(list: string): readonly EmbedPanel[] {
  const words = new Set(list.toLowerCase().split(/[\s,]+/));
  const named = EMBED_PANELS.filter(panel => words.has(panel));
  return named.length === 0 ? EMBED_PANELS : named;
}
