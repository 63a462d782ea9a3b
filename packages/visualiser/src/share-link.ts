// A moment as a link: `#v1/<technique>/<guest>/<step>`, or without the step, where the guest begins. The version comes first, so that old links never die.
// A link may have been written by anybody: it is taken apart by one strict pattern, and what it names is looked up.

export interface SharedMoment {
  readonly technique: string;
  readonly guest: string;
  /** Where the guest begins when absent. */
  readonly step?: number | undefined;
}

export type ReadLink =
  | {readonly kind: 'none'}
  | {readonly kind: 'moment'; readonly moment: SharedMoment}
  /** The link cannot be followed: a sentence for the reader, without anything taken from the link itself. */
  | {readonly kind: 'unreadable'; readonly why: string};

const VERSION_1 = /^#v1\/([a-z0-9][a-z0-9-]{0,39})\/([a-z0-9][a-z0-9-]{0,63})(?:\/(0|[1-9][0-9]{0,8}))?$/;

/** The fragment of a link to a moment. */
export function writeLink(moment: SharedMoment): string {
  const {technique, guest, step} = moment;
  return step === undefined ? `#v1/${technique}/${guest}` : `#v1/${technique}/${guest}/${step}`;
}

/** Reads the fragment of an address. */
export function readLink(hash: string): ReadLink {
  if (hash === '' || hash === '#') return {kind: 'none'};
  const [, technique, guest, step] = VERSION_1.exec(hash) ?? [];
  if (technique !== undefined && guest !== undefined) {
    return {kind: 'moment', moment: {technique, guest, step: step === undefined ? undefined : Number(step)}};
  }
  const newer = /^#v([2-9]|[1-9][0-9]+)\//.test(hash);
  return {
    kind: 'unreadable',
    why: newer
      ? 'This link was made by a newer Hyperscope. Update this one, or ask for the link’s machine, guest and step.'
      : 'This link is damaged or is not one of ours, so the lab opened at the beginning.',
  };
}
