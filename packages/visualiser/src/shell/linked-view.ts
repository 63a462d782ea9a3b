// What a link asks for beside the run: theme, panel, address, present mode, a comparison. The theme at once, the rest when there is a
// run that it can be shown of.

import type {Theme} from '@hyperscope/elements';
import type {LabState} from '../lab-state.js';
import type {Place} from '../looked-places.js';
import type {ComparedPlace, SharedMoment} from '../share-link.js';

export interface LinkedParts {
  /** Shows a theme, and keeps it for nobody: the reader's own choice comes back with the next visit. */
  theme(theme: Theme): void;
  panel(name: string): void;
  look(place: Place): void;
  present(): void;
  compare(place: ComparedPlace): void;
}

export class LinkedView {
  readonly #parts: LinkedParts;
  #waiting: SharedMoment | undefined = undefined;
  #theme: Theme | undefined = undefined;

  constructor(parts: LinkedParts) {
    this.#parts = parts;
  }

  /** The theme that a link asked for, until the reader chooses one: what is linked from here has it, too. */
  get theme(): Theme | undefined {
    return this.#theme;
  }
  forgetTheme(): void {
    this.#theme = undefined;
  }

  /** A link is about to be opened. */
  ask(moment: SharedMoment | undefined): void {
    this.#waiting = moment;
    if (moment?.theme === undefined) return;
    this.#theme = moment.theme;
    this.#parts.theme(moment.theme);
  }

  /** The lab shows this now: once it is what the link asked for, the rest of the link is shown, too. */
  shown({phase, opening, moment}: LabState): void {
    const linked = this.#waiting;
    if (linked === undefined || moment === undefined || phase.kind !== 'ready' || opening === 'under way') return;
    this.#waiting = undefined;
    if (linked.panel !== undefined) this.#parts.panel(linked.panel);
    if (linked.look !== undefined) this.#parts.look(linked.look);
    if (linked.mode === 'present') this.#parts.present();
    if (linked.compare !== undefined) this.#parts.compare(linked.compare);
  }
}
