// The comparison's place in the lab: loaded when it is first asked for, in place of the panels, and gone with its worker when it
// is left.

import {LaneEvent, ProgressEvent} from '@hyperscope/elements';
import type {Remote} from 'comlink';
import type {Command} from '../keys.js';
import type {RunOnServer} from '../kvm-socket.js';
import type {LabClient} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import type {ComparedPlace} from '../share-link.js';
import type {CompareView} from './compare-view.js';
import type * as Parts from './comparison-parts.js';
import type {LineupRun} from './lineup-run.js';

const NOT_LOADED =
  'The comparison could not be loaded. Check the connection to where this page came from, and press Compare again.';

const NO_MACHINE = 'The link compares machines that this lab does not have. Compare (c) offers those that it has.';

export interface ComparingSurroundings {
  /** Starts another worker of the simulator. */
  readonly start: () => {readonly client: Remote<LabClient>; readonly end: () => void};
  readonly runOnServer: RunOnServer;
  readonly motion: () => 'full' | 'reduced';
  /** Called when the view opens or closes. */
  readonly changed: () => void;
  /** Called when the playhead moves, a machine is compared or another is chosen. */
  readonly moved: () => void;
}

/** A file that the reader opened: another worker of the simulator does not know it. */
export interface OpenedImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Keys that mean the same whatever is shown: the view is left, the screen is black, the speaker's notes. */
export const KEYS_OF_ANY_VIEW: ReadonlySet<string> = new Set(['Escape', 'F5', 'b', '.', 'n']);

export class Comparing {
  readonly #around: ComparingSurroundings;
  #parts: typeof Parts | undefined = undefined;
  #view: CompareView | undefined = undefined;
  #run: LineupRun | undefined = undefined;
  /** Counts openings: one that was overtaken by another shows nothing. */
  #opening = 0;

  constructor(around: ComparingSurroundings) {
    this.#around = around;
  }

  /** The view, while it is open. */
  get element(): HTMLElement | undefined {
    return this.#view;
  }

  /** The machines, the playhead and the chosen machine, for a link. */
  get place(): ComparedPlace | undefined {
    const state = this.#run?.state;
    if (state === undefined) return undefined;
    const {lanes, instruction, chosen} = state;
    return {machines: lanes.map(({id}) => id), instruction, chosen};
  }

  /** Where the playhead is, and how far it goes; undefined while nothing is compared. */
  get range(): {readonly instruction: number; readonly instructions: number} | undefined {
    return this.#run?.state;
  }

  /**
   * Compares what the lab has open, on the machines of the lecture or as a link says. What goes wrong is a sentence. `image`: what
   * is open, where that is a file of the reader's.
   */
  async open(
    lab: LabState,
    of: Pick<Remote<LabClient>, 'program'>,
    place: Partial<ComparedPlace> = {},
    image?: OpenedImage,
  ): Promise<string | undefined> {
    this.close();
    const opening = ++this.#opening;
    try {
      this.#parts = await import('./comparison-parts.js');
    } catch {
      // Offline and not kept, or the page's files were replaced by newer ones.
      return NOT_LOADED;
    }
    if (opening !== this.#opening) return undefined;
    const {CompareView: View, LineupRun: Run, plannedLanes, USUAL_LANES, realLane} = this.#parts;
    const plan = plannedLanes(lab, place.machines ?? USUAL_LANES);
    if (plan.length === 0) return NO_MACHINE;
    const view = new View();
    this.#view = view;
    view.guest = lab.catalogue.guests.find(({id}) => id === lab.guest)?.title ?? lab.guest;
    const run = new Run({
      start: async () => {
        const {client: another, end} = this.#around.start();
        const client = await another.lineup();
        if (image !== undefined) await client.addImage(image.name, image.bytes);
        return {client, end};
      },
      realRecord: realLane(lab, async () => of.program(), this.#around.runOnServer),
      motion: this.#around.motion,
      changed: state => {
        view.state = state;
        this.#around.moved();
      },
    });
    this.#run = run;
    this.#listen(view, run);
    this.#around.changed();
    // Not awaited: it shows itself how far it is.
    void run.start({guest: lab.guest, edited: lab.edited, switches: lab.switches}, plan, {
      instruction: place.instruction ?? 0,
      chosen: place.chosen,
    });
    return undefined;
  }

  #listen(view: CompareView, run: LineupRun): void {
    view.addEventListener('hs-progress', event => {
      if (event instanceof ProgressEvent) this.go(event.detail.instruction);
    });
    view.addEventListener('hs-lane', event => event instanceof LaneEvent && run.choose(event.detail.id));
    view.addEventListener('hs-lineup-wish', event => {
      if (this.#parts === undefined || !(event instanceof this.#parts.LineupWishEvent)) return;
      if (event.detail.command === 'stop') run.stop();
      else run.playing.toggle();
    });
  }

  /** Leaves the comparison, also one that is still being loaded. */
  close(): void {
    this.#opening++;
    if (this.#view === undefined) return;
    this.#run?.end();
    this.#run = undefined;
    this.#view = undefined;
    this.#around.changed();
  }

  /** Moves all machines; whoever does that does not want them to play on. */
  go(instruction: number): void {
    this.#run?.playing.pause();
    this.#run?.go(instruction);
  }

  /**
   * Carries out the command of a key. Of those that only the lab knows nothing comes; what the shell does is left to it, and
   * everything while nothing is compared.
   */
  perform(command: Command): 'done' | 'of the shell' {
    const run = this.#run;
    if (run === undefined || this.#parts === undefined || this.#parts.isOfTheShell(command)) return 'of the shell';
    this.#parts.performIn(run, command);
    return 'done';
  }
}
