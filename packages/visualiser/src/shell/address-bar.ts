// The address of the page, kept in step with the playhead: any moment is a link, and what a link says can be followed.

import {OPENED_FILES} from '../lab-client.js';
import type {LabController} from '../lab-controller.js';
import type {LabState} from '../lab-state.js';
import {PackedText, unpackText} from '../linked-text.js';
import {readLink, writeLink, type SharedMoment} from '../share-link.js';

const DAMAGED_TEXT =
  'The edited program in this link is damaged, so the guest is open as it ships. Ask for the link again, or for the program.';

/** How long the playhead rests before its link is written, in milliseconds. */
const REST = 400;

export class AddressBar {
  readonly #lab: () => LabState;
  readonly #scenario: () => SharedMoment['scenario'];
  readonly #packed = new PackedText();
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  /** `lab`: what is shown now; `scenario`: the one that is played. */
  constructor(lab: () => LabState, scenario: () => SharedMoment['scenario']) {
    this.#lab = lab;
    this.#scenario = scenario;
  }

  /** Writes the link once the playhead has come to rest. */
  keep(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.write(), REST);
  }

  /** Writes the link now. */
  write(): void {
    const {moment, opening, technique, guest, phase, switches, edited, catalogue} = this.#lab();
    if (moment === undefined || phase.kind !== 'ready' || opening === 'under way') return;
    const isFile = catalogue.guests.some(({id, group}) => id === guest && group === OPENED_FILES);
    // No link can lead to what lies on the reader's own disk.
    if (isFile) return history.replaceState(null, '', location.pathname + location.search);
    const text = this.#packed.of(edited, () => this.write());
    const scenario = this.#scenario();
    history.replaceState(null, '', writeLink({technique, guest, step: moment.index, switches, scenario, text}));
  }
}

/** What the address names; a link that cannot be followed is told to the reader. */
export function linkedMoment(controller: LabController): SharedMoment | undefined {
  const link = readLink(location.hash);
  if (link.kind === 'unreadable') controller.notice(link.why);
  return link.kind === 'moment' ? link.moment : undefined;
}

/** The program that a link carries; a damaged one is told to the reader, and is none. */
export async function linkedText(
  wanted: SharedMoment | undefined,
  controller: LabController,
): Promise<string | undefined> {
  if (wanted?.text === undefined) return undefined;
  const edited = await unpackText(wanted.text);
  if (edited === undefined) controller.notice(DAMAGED_TEXT);
  return edited;
}
