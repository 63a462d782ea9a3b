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

/** What a link carries of the page around the run. */
export type LinkedSurroundings = Pick<SharedMoment, 'compare' | 'look' | 'panel' | 'scenario' | 'theme'>;

export class AddressBar {
  readonly #lab: () => LabState;
  readonly #around: () => LinkedSurroundings;
  readonly #ready: () => void;
  readonly #packed = new PackedText();
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  /** The fragment that was written or followed last: another one is a link that is about to be followed. */
  #known = location.hash;

  /** `lab`: what is shown now; `around`: what around it; `ready` is called when an edited program has been packed. */
  constructor(lab: () => LabState, around: () => LinkedSurroundings, ready: () => void) {
    this.#lab = lab;
    this.#around = around;
    this.#ready = ready;
  }

  /** What is shown now, for a link; undefined while there is nothing, and where no link can lead to it. */
  get moment(): SharedMoment | undefined {
    const {moment, opening, technique, guest, phase, switches, edited} = this.#lab();
    if (moment === undefined || phase.kind !== 'ready' || opening === 'under way' || this.#isFile) return undefined;
    const text = this.#packed.of(edited, () => {
      this.write();
      this.#ready();
    });
    return {technique, guest, step: moment.index, switches, text, ...this.#around()};
  }

  /** The fragment that leads to what is shown now; '' where none does. */
  get link(): string {
    const {moment} = this;
    return moment === undefined ? '' : writeLink(moment);
  }

  /** No link can lead to what lies on the reader's own disk. */
  get #isFile(): boolean {
    const {catalogue, guest} = this.#lab();
    return catalogue.guests.some(({id, group}) => id === guest && group === OPENED_FILES);
  }

  /** Writes the link once the playhead has come to rest. */
  keep(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.write(), REST);
  }

  /** Writes the link now, but not over one that somebody has just put there. */
  write(): void {
    const {link} = this;
    if (location.hash !== this.#known) return;
    if (link !== '') history.replaceState(null, '', link);
    else if (this.#isFile) history.replaceState(null, '', location.pathname + location.search);
    this.#known = location.hash;
  }

  /** What the address names, to be followed; a link that cannot be followed is told to the reader. */
  follow(controller: LabController): SharedMoment | undefined {
    this.#known = location.hash;
    const link = readLink(location.hash);
    if (link.kind === 'unreadable') controller.notice(link.why);
    return link.kind === 'moment' ? link.moment : undefined;
  }
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
