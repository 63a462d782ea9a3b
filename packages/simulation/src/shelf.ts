// Where a host finds guests and techniques: a shelf that holds all that ship, or one that fetches those that are asked for.

import {UserError} from '@hyperscope/base';
import {GUEST_OUTLINES, findOutline, loadAssembler, loadGuestFiles} from '@hyperscope/guests';
import type {FetchedGuest} from '@hyperscope/guests';
import {TECHNIQUE_OUTLINES, loadTechnique} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import type {InPlaceAssembler} from './images/guest-program.js';

/** What is to be put on a shelf. */
export interface ShelfRequest {
  readonly guest?: string | undefined;
  readonly technique?: string | undefined;
  /** 'edited': somebody's text is to be assembled in a guest's place. */
  readonly text?: 'edited' | undefined;
}

export interface Shelf {
  /** The technique of this id. UserErrors: unknown-technique, not-fetched. */
  technique(id: string): Technique;
  /** The shipped guest of this id. UserErrors: unknown-guest, not-fetched. */
  guest(id: string): FetchedGuest;
  /** Assembles a text in the place of a guest's. UserError: not-fetched. */
  readonly assembleInPlace: InPlaceAssembler;
  /** Fetches what is not there yet, and for a guest those that stand beside it. Ids that nothing has are passed over. */
  prepare(request: ShelfRequest): Promise<void>;
}

/** A shelf that is empty at first, and fetches: a page loads the technique and the guest that it shows, and no others. */
export class FetchingShelf implements Shelf {
  readonly #techniques = new Map<string, Technique>();
  readonly #guests = new Map<string, FetchedGuest>();
  #assembler: InPlaceAssembler | undefined;

  technique(id: string): Technique {
    const technique = this.#techniques.get(id);
    if (technique !== undefined) return technique;
    throw TECHNIQUE_OUTLINES.some(outline => outline.id === id) ? notFetched(id) : unknownTechnique(id);
  }

  guest(id: string): FetchedGuest {
    const guest = this.#guests.get(id);
    if (guest !== undefined) return guest;
    throw findOutline(id) === undefined ? unknownGuest(id) : notFetched(id);
  }

  readonly assembleInPlace: InPlaceAssembler = (guest, source) => {
    if (this.#assembler === undefined) throw notFetched('The assembler');
    return this.#assembler(guest, source);
  };

  async prepare({guest, technique, text}: ShelfRequest): Promise<void> {
    await Promise.all([
      technique === undefined ? undefined : this.#fetchTechnique(technique),
      guest === undefined ? undefined : this.#fetchGuest(guest),
      text === undefined ? undefined : this.#fetchAssembler(),
    ]);
  }

  async #fetchAssembler(): Promise<void> {
    this.#assembler ??= await loadAssembler();
  }

  async #fetchTechnique(id: string): Promise<void> {
    if (this.#techniques.has(id)) return;
    const technique = await loadTechnique(id);
    if (technique !== undefined) this.#techniques.set(id, technique);
  }

  async #fetchGuest(id: string): Promise<void> {
    const outline = findOutline(id);
    if (outline === undefined || this.#guests.has(id)) return;
    const beside = outline.controlProgram?.beside ?? [];
    const [guest] = await Promise.all([
      loadGuestFiles(outline),
      ...beside.map(async ({guest: companion}) => this.#fetchGuest(companion)),
    ]);
    this.#guests.set(id, guest);
  }
}

const notFetched = (id: string): UserError =>
  new UserError('not-fetched', `${id} was not loaded yet: open it again, and look whether the lab’s server is there.`);

export const unknownTechnique = (id: string): UserError =>
  new UserError(
    'unknown-technique',
    `There is no technique ${id}. Choose one of: ${TECHNIQUE_OUTLINES.map(one => one.id).join(', ')}.`,
  );

export const unknownGuest = (id: string): UserError =>
  new UserError(
    'unknown-guest',
    `There is no guest ${id}. Choose one of: ${GUEST_OUTLINES.map(one => one.id).join(', ')}.`,
  );
