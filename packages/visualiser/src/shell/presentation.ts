// What fills the screen while presenting: the stage with its reason, or one panel, as large as the speaker wants it; and the
// keys for that, as data. A clicker has arrows, a key for a black screen and one that begins and ends a show: all of them work.

import type {Focus} from '../keys.js';

/** The panels that can fill the screen, in the order in which `f` goes through them. */
export const FILLING = ['stage', 'why', 'code', 'console', 'inspector', 'timeline', 'scenario'] as const;
export type Filling = (typeof FILLING)[number];

/** What a screen reader is told. */
const NAMES: Readonly<Record<Filling, string>> = {
  stage: 'The stage',
  why: 'Why',
  code: 'The code',
  console: 'The console',
  inspector: 'The inspector',
  timeline: 'The timeline',
  scenario: 'The scenario',
};

const PANEL_KEYS: Readonly<Record<string, Filling>> = {
  S: 'stage',
  W: 'why',
  C: 'code',
  O: 'console',
  I: 'inspector',
  i: 'inspector',
  T: 'timeline',
};

/** The keys that mean something only while presenting, for the help. */
export const PRESENT_ROWS: readonly {readonly keys: readonly string[]; readonly name: string}[] = [
  {keys: ['f', 'F'], name: 'the next panel alone on the screen, or the one before; Esc: as it was'},
  {keys: ['S', 'W', 'C'], name: 'stage, why or code alone; the same key again: as it was'},
  {keys: ['O', 'T'], name: 'what the guest has put out; the timeline'},
  {keys: ['i'], name: 'the inspector; [ and ] go through its panels'},
  {keys: ['+', '−', '0'], name: 'the panel larger, smaller, as it was'},
  {keys: ['n'], name: 'the speaker’s window: notes, the whole reason, the clock'},
];

/** Times the size at which the smallest words of a panel are 24 px high. */
const ZOOMS = [0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 2.5, 3] as const;
const PLAIN = ZOOMS.indexOf(1);

/** What a key asked of the page beside this. */
export type PresentKey = 'done' | 'leave' | 'next-tab' | 'not-mine' | 'notes' | 'previous-tab';

export class Presentation {
  readonly #changed: () => void;
  #panel: Filling | undefined = undefined;
  #zoom = PLAIN;
  #screen: 'off' | 'on' = 'on';

  /** `changed` is called after each change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The panel that fills the screen; undefined while there are several. */
  get panel(): Filling | undefined {
    return this.#panel;
  }
  /** Times its ordinary size. */
  get zoom(): number {
    return ZOOMS[this.#zoom] ?? 1;
  }
  get screen(): 'off' | 'on' {
    return this.#screen;
  }
  /** What is shown, in words, for who does not see it. */
  get told(): string {
    if (this.#screen === 'off') return 'The screen is black.';
    const {panel, zoom} = this;
    if (panel === undefined) return zoom === 1 ? '' : `${Math.round(zoom * 100)} %.`;
    return `${NAMES[panel]} fills the screen${zoom === 1 ? '' : `, at ${Math.round(zoom * 100)} %`}.`;
  }

  /** Everything as at the beginning. */
  reset(): void {
    this.#panel = undefined;
    this.#zoom = PLAIN;
    this.#screen = 'on';
    this.#changed();
  }

  /** A key that was pressed while presenting. `has`: whether there is such a panel now. */
  key(key: string, focus: Focus, has: (panel: Filling) => boolean): PresentKey {
    if (focus === 'types') return 'not-mine';
    if (key === 'b' || key === '.') return this.#to({screen: this.#screen === 'on' ? 'off' : 'on'});
    if (key === 'Escape') return this.#back();
    // The key with which a clicker begins a show would load the page anew.
    if (key === 'F5') return 'done';
    if (key === 'n') return 'notes';
    if (key === 'f' || key === 'F') return this.#to({panel: this.#beside(key === 'f' ? 1 : -1, has)});
    const panel = PANEL_KEYS[key];
    if (panel !== undefined && has(panel)) return this.#to({panel: this.#panel === panel ? undefined : panel});
    if (this.#panel === 'inspector' && key === ']') return 'next-tab';
    if (this.#panel === 'inspector' && key === '[') return 'previous-tab';
    return this.#zoomKey(key);
  }

  #zoomKey(key: string): PresentKey {
    const by = key === '+' || key === '=' ? 1 : key === '-' || key === '−' ? -1 : 0;
    if (key === '0') return this.#to({zoom: PLAIN});
    if (by === 0) return 'not-mine';
    return this.#to({zoom: Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + by))});
  }

  /** Out of the dark, then back to all panels, then out of the presentation. */
  #back(): PresentKey {
    if (this.#screen === 'off') return this.#to({screen: 'on'});
    if (this.#panel !== undefined || this.#zoom !== PLAIN) return this.#to({panel: undefined, zoom: PLAIN});
    return 'leave';
  }

  /** All panels together are one of the round. */
  #beside(by: 1 | -1, has: (panel: Filling) => boolean): Filling | undefined {
    const round = [undefined, ...FILLING.filter(has)];
    return round[(round.indexOf(this.#panel) + by + round.length) % round.length];
  }

  #to(change: {readonly panel?: Filling | undefined; readonly zoom?: number; readonly screen?: 'off' | 'on'}): 'done' {
    if ('panel' in change) {
      if (change.panel !== this.#panel) this.#zoom = PLAIN;
      this.#panel = change.panel;
    }
    if (change.zoom !== undefined) this.#zoom = change.zoom;
    if (change.screen !== undefined) this.#screen = change.screen;
    this.#changed();
    return 'done';
  }
}
