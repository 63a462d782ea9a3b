// The run on real KVM beside the simulated one: asked for, waited for, given up, shown.

import type {Remote} from 'comlink';
import {OPENED_FILES, type LabClient} from './lab-client.js';
import type {LabState} from './lab-state.js';
import type {LabStore} from './lab-store.js';
import type {RunOnServer} from './kvm-socket.js';
import {askKvm, realRun} from './real-kvm.js';

/** Why the open guest is never run on real KVM; undefined for all that are. */
function notOnKvm({catalogue, guest}: Pick<LabState, 'catalogue' | 'guest'>): string | undefined {
  const entry = catalogue.guests.find(({id}) => id === guest);
  if (entry?.group === 'Control program')
    return (
      `${entry.title} is for virtual machines under a control program, which they call by DIAGNOSE. KVM answers no such call, so ` +
      'they are run on the simulated processor only, and no recording ships.'
    );
  if (entry?.only === undefined) return undefined;
  if (!entry.isHypervisor)
    return (
      `“${entry.title}” calls a hypervisor of Xen’s kind, and KVM is none: with hardware for virtualization, kernels need not be ` +
      'ported. So it is run on the simulated processor only, and no recording ships.'
    );
  return (
    `${entry.title} is a hypervisor itself. In a virtual machine it would need a processor that has VT-x or SVM there, too ` +
    '(nested virtualization), which few hosts give; so it is run on the simulated processor only, and no recording ships.'
  );
}

/** What is there to see where no server has a KVM: a recording, nothing, or nothing anywhere, and why. */
export function insteadOfReal(
  state: Pick<LabState, 'catalogue' | 'edited' | 'guest'>,
): 'recording' | 'nothing' | {readonly never: string} {
  const never = notOnKvm(state);
  if (never !== undefined) return {never};
  const isOpened = state.catalogue.guests.some(({id, group}) => id === state.guest && group === OPENED_FILES);
  return state.edited === undefined && !isOpened ? 'recording' : 'nothing';
}

export interface RealRunSurroundings {
  readonly client: Remote<LabClient>;
  readonly fetch: typeof fetch;
  readonly runOnServer: RunOnServer;
}

export class RealComparisonRun {
  readonly #store: LabStore;
  readonly #around: RealRunSurroundings;
  #run: AbortController | undefined = undefined;

  constructor(store: LabStore, around: RealRunSurroundings) {
    this.#store = store;
    this.#around = around;
  }

  /** Asks once whether there is a KVM to be had. */
  async askAvailability(): Promise<void> {
    this.#store.set({availability: await askKvm(this.#around.fetch)});
  }

  /** Runs the open guest on real KVM, or fetches its recording, and lays it beside the simulated run. */
  async start(): Promise<void> {
    const store = this.#store;
    const why = notOnKvm(store.state);
    if (why !== undefined) return store.set({real: {kind: 'failed', why}});
    const run = new AbortController();
    this.#run?.abort();
    this.#run = run;
    store.set({real: {kind: 'running', standing: 'Asking for real KVM…'}});
    // Dropped: another guest was opened, or another run begun.
    const isCurrent = (): boolean => run === this.#run;
    try {
      const availability = store.state.availability ?? (await askKvm(this.#around.fetch));
      const {fetch, runOnServer} = this.#around;
      const tell = (standing: string): void => {
        if (isCurrent() && !run.signal.aborted) store.set({real: {kind: 'running', standing}});
      };
      const program = await this.#around.client.program();
      const record = await realRun({fetch, runOnServer, tell, signal: run.signal}, availability, program);
      if (!isCurrent()) return;
      if (record.kind === 'nothing') return store.set({availability, real: {kind: 'failed', why: record.why}});
      const comparison = await this.#around.client.compareWith(record.bytes);
      if (isCurrent()) store.set({availability, real: {kind: 'shown', from: record.from, why: record.why, comparison}});
    } catch (error) {
      if (isCurrent()) store.set({real: {kind: 'failed', why: error instanceof Error ? error.message : String(error)}});
    }
  }

  /** Ends the run that is going on or waiting; the recording takes its place. */
  cancel(): void {
    this.#run?.abort();
  }

  /** Another guest is opened: what is going on is nobody's any more. */
  drop(): void {
    this.#run?.abort();
    this.#run = undefined;
  }
}
