// The comparison's place in the lab: loaded when it is first asked for, in place of the panels, and gone with its worker when it
// is left.

import {LaneEvent, ProgressEvent} from '@hyperscope/elements';
import type {Remote} from 'comlink';
import type {Command} from '../keys.js';
import type {RunOnServer} from '../kvm-socket.js';
import type {LabClient, TechniqueEntry} from '../lab-client.js';
import type {LabState} from '../lab-state.js';
import {askKvm, realRun} from '../real-kvm.js';
import type {CompareView} from './compare-view.js';
import {LineupRun, type LineupState} from './lineup-run.js';

const NOT_LOADED =
  'The comparison could not be loaded. Check the connection to where this page came from, and press Compare again.';

/** Those of the lecture, in its order, before real KVM; what else there is can be opened in the lab. */
const SIX: readonly string[] = ['bare', 'trap-and-emulate', 'binary-translation', 'vtx-shadow', 'vtx-ept', 'svm-npt'];

export interface ComparingSurroundings {
  /** Starts another worker of the simulator. */
  readonly start: () => {readonly client: Remote<LabClient>; readonly end: () => void};
  readonly runOnServer: RunOnServer;
  /** Called when the view opens, closes or changes. */
  readonly changed: () => void;
}

export class Comparing {
  readonly #around: ComparingSurroundings;
  #view: CompareView | undefined = undefined;
  #run: LineupRun | undefined = undefined;

  constructor(around: ComparingSurroundings) {
    this.#around = around;
  }

  /** The view, while it is open. */
  get element(): HTMLElement | undefined {
    return this.#view;
  }

  /** Compares what the lab has open on `machines`, or on those of the lecture. What goes wrong is a sentence. */
  async open(lab: LabState, machines: readonly string[] = [...SIX, 'kvm']): Promise<string | undefined> {
    this.close();
    try {
      const {CompareView: View} = await import('./compare-view.js');
      this.#view = new View();
    } catch {
      // Offline and not kept, or the page's files were replaced by newer ones.
      return NOT_LOADED;
    }
    const view = this.#view;
    const guest = lab.catalogue.guests.find(({id}) => id === lab.guest);
    view.guest = guest?.title ?? lab.guest;
    const run = new LineupRun({
      start: async () => {
        const {client, end} = this.#around.start();
        return {client: await client.lineup(), end};
      },
      realRecord: async signal => this.#realRecord(lab, signal),
      changed: state => this.#show(view, state),
    });
    this.#run = run;
    view.addEventListener('hs-progress', event => event instanceof ProgressEvent && run.go(event.detail.instruction));
    view.addEventListener('hs-lane', event => event instanceof LaneEvent && run.choose(event.detail.id));
    this.#around.changed();
    const {techniques: all} = lab.catalogue;
    const named = machines.flatMap(id => all.filter(entry => entry.id === id));
    const techniques: readonly TechniqueEntry[] =
      guest?.only === undefined ? named : all.filter(({id}) => id === guest.only);
    const withReal = machines.includes('kvm') && guest?.only === undefined ? 'with real KVM' : 'alone';
    // Not awaited: it shows itself how far it is.
    void run.start({guest: lab.guest, edited: lab.edited, switches: lab.switches}, techniques, withReal);
    return undefined;
  }

  close(): void {
    if (this.#view === undefined) return;
    this.#run?.end();
    this.#run = undefined;
    this.#view = undefined;
    this.#around.changed();
  }

  /** Carries out a command of a key. False when it is none of the comparison's. */
  perform(command: Command): boolean {
    const run = this.#run;
    if (run === undefined) return false;
    const {instruction, instructions} = run.state;
    switch (command) {
      case 'forward':
        run.go(instruction + 1);
        return true;
      case 'back':
        run.go(instruction - 1);
        return true;
      case 'first':
        run.go(0);
        return true;
      case 'last':
        run.go(instructions);
        return true;
      case 'next-exit':
        void run.goBesideExit('forward');
        return true;
      default:
        return false;
    }
  }

  #show(view: CompareView, state: LineupState): void {
    view.state = state;
  }

  async #realRecord(
    {guest, edited, availability}: LabState,
    signal: AbortSignal,
  ): Promise<Uint8Array | {readonly why: string}> {
    if (edited !== undefined) return {why: 'An edited program is compared on the simulated machines.'};
    const get = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => fetch(input, init);
    const standing = availability ?? (await askKvm(get));
    const parts = {fetch: get, runOnServer: this.#around.runOnServer, tell: () => undefined, signal};
    const record = await realRun(parts, standing, {guest});
    return record.kind === 'record' ? record.bytes : {why: record.why};
  }
}
