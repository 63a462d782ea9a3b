// The paradox of 2005 in a dialog: a generation is chosen, its workloads run on every hypervisor, a cost is changed and they run
// again. The worker is ended with the dialog.

import '@hyperscope/elements/paradox-chart';
import {sharedStyles} from '@hyperscope/elements';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, state} from 'lit/decorators.js';
import {dialogStyles} from '../shell/help.js';
import {ParadoxRun, type ParadoxState, type RemoteWorkloads} from './paradox-run.js';
import type {GenerationEntry} from './workload-client.js';

/** Starts a worker for the runs, and ends it. */
export type StartWorkloads = () => Promise<{readonly client: RemoteWorkloads; readonly end: () => void}>;

/** What can be changed: how a reader calls it, the greatest value, and which figures of a cost model it is. */
const SLIDERS = [
  {id: 'round-trip', of: 'roundTrip', title: 'VM exit and entry', most: 8000, step: 1},
  {id: 'vmm-step', of: 'vmmStep', title: 'a step of software', most: 600, step: 1},
  {id: 'walk-reference', of: 'walkReference', title: 'a reference of a page walk', most: 100, step: 1},
] as const;
type SliderId = (typeof SLIDERS)[number]['id'];

/** A measurement is some kilobytes of JSON. */
const MOST_BYTES = 2 ** 20;

/** A change of a slider as the command line writes it. */
function asCosts(id: SliderId, value: number): readonly string[] {
  if (id !== 'round-trip') return [`${id}=${value}`];
  const exit = Math.round(value / 2);
  return [`vm-exit=${exit}`, `exception-exit=${exit}`, `vm-entry=${value - exit}`];
}

@customElement('hs-paradox')
export class ParadoxDialog extends LitElement {
  static override readonly styles = [
    sharedStyles,
    dialogStyles,
    css`
      dialog {
        width: min(960px, 94vw);
        max-width: 94vw;
        max-height: 90vh;
        overflow: auto;
      }
      .controls,
      .sliders {
        display: flex;
        gap: 8px 18px;
        align-items: end;
        flex-wrap: wrap;
        margin-block: 8px;
      }
      label {
        display: grid;
        gap: 2px;
      }
      input[type='range'] {
        width: 220px;
        padding: 0;
        accent-color: var(--accent);
      }
      .open {
        position: relative;
        border: 1px solid var(--strong-line);
        border-radius: var(--radius);
        padding: 4px 11px;
        cursor: pointer;
      }
      .open:focus-within {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }
      .close {
        margin-inline-start: auto;
      }
      progress {
        width: 160px;
      }
      .said {
        display: flex;
        gap: 12px;
        align-items: center;
        min-height: 1.6em;
        color: var(--mute);
      }
    `,
  ];

  @state() private shown: ParadoxState | undefined = undefined;
  @state() private generation: GenerationEntry | undefined = undefined;
  @state() private changed: Partial<Readonly<Record<SliderId, number>>> = {};
  private run: ParadoxRun | undefined = undefined;
  private measurements: string | undefined = undefined;
  private start: StartWorkloads | undefined = undefined;
  private end: () => void = () => undefined;

  /** Opens it; the workers of its runs come from `start`. */
  async show(start: StartWorkloads): Promise<void> {
    this.start = start;
    await this.updateComplete;
    this.renderRoot.querySelector('dialog')?.showModal();
    await this.connect();
    this.go();
  }

  private async connect(): Promise<void> {
    const {client, end} = (await this.start?.()) ?? {};
    if (client === undefined || end === undefined) return;
    this.end = end;
    this.run = new ParadoxRun(client, state => {
      this.shown = state;
    });
    const generations = await this.run.load();
    // A new worker knows nothing of what was opened before.
    if (this.measurements !== undefined) await this.run.addMeasured(this.measurements);
    this.generation ??= generations[0];
  }

  override render(): TemplateResult {
    const {shown, generation} = this;
    const isRunning = shown?.phase === 'running';
    return html`<dialog aria-labelledby="title" @close=${this.closed}>
      <h2 id="title">Which hypervisor is faster, and when?</h2>
      <p>
        The first hardware for virtualization was slower than software at what operating systems do most. Each bar is a
        run, made now: its cycles beside the native ones of the same processor. The dashed line is where binary
        translation ends; a bar that ends before it is faster than software.
      </p>
      <div class="controls">
        <label
          >Processor
          <select @change=${this.chosen}>
            ${(shown?.generations ?? []).map(
              ({id, title}) => html`<option value=${id} ?selected=${id === this.generation?.id}>${title}</option>`,
            )}
          </select>
        </label>
        <label class="open" title="What hyperscope measure --json wrote on a machine with KVM"
          >Your own machine…<input
            class="visually-hidden"
            type="file"
            accept=".json,application/json"
            @change=${this.opened}
        /></label>
        <button @click=${isRunning ? this.stop : this.go}>${isRunning ? 'Stop' : 'Run again'}</button>
        <button ?disabled=${shown?.phase !== 'done'} @click=${this.findBreakEvens}>Where do they change places?</button>
        <button class="close" @click=${this.close}>Close</button>
      </div>
      <div class="sliders">
        ${generation === undefined ? nothing : SLIDERS.map(slider => this.slider(slider, generation))}
      </div>
      <div class="said">
        <span role="status">${shown?.said ?? 'Loading …'}</span>
        ${isRunning ? html`<progress aria-label="Runs" .value=${shown.done} max=${shown.total}></progress>` : nothing}
      </div>
      <hs-paradox-chart .rows=${shown?.rows ?? []}></hs-paradox-chart>
    </dialog>`;
  }

  private slider({id, of, title, most, step}: (typeof SLIDERS)[number], generation: GenerationEntry): TemplateResult {
    const value = this.changed[id] ?? generation[of];
    return html`<label
      ><span>${title}: <b>${value} cycles</b></span>
      <input
        type="range"
        min="0"
        max=${most}
        step=${step}
        .value=${String(value)}
        aria-valuetext=${`${value} cycles`}
        @change=${(event: Event) => this.slid(id, event)}
    /></label>`;
  }

  private get costs(): readonly string[] {
    return SLIDERS.flatMap(({id}) => {
      const value = this.changed[id];
      return value === undefined ? [] : asCosts(id, value);
    });
  }

  private readonly go = (): void => {
    if (this.generation !== undefined) void this.run?.run(this.generation, this.costs);
  };
  private readonly findBreakEvens = (): void => {
    if (this.generation !== undefined) void this.run?.findBreakEvens(this.generation, this.costs);
  };
  /** The worker is in the middle of a run: it is ended, and another takes its place. */
  private readonly stop = async (): Promise<void> => {
    const stopped = this.run;
    this.end();
    stopped?.stop();
    const rows = this.shown;
    await this.connect();
    if (rows !== undefined) this.shown = {...rows, phase: 'stopped', said: 'Stopped.'};
  };
  private async again(): Promise<void> {
    if (this.shown?.phase === 'running') await this.stop();
    this.go();
  }
  private readonly chosen = ({target}: Event): void => {
    if (!(target instanceof HTMLSelectElement)) return;
    this.generation = this.shown?.generations.find(({id}) => id === target.value);
    this.changed = {};
    void this.again();
  };
  private readonly opened = async ({target}: Event): Promise<void> => {
    const file = target instanceof HTMLInputElement ? target.files?.[0] : undefined;
    if (file === undefined) return;
    if (this.shown?.phase === 'running') await this.stop();
    const measurements = await file.slice(0, MOST_BYTES).text();
    const added = await this.run?.addMeasured(measurements);
    if (added === undefined) return;
    this.measurements = measurements;
    this.generation = added;
    this.changed = {};
    this.go();
  };
  private slid(id: SliderId, event: Event): void {
    const {target} = event;
    if (!(target instanceof HTMLInputElement)) return;
    this.changed = {...this.changed, [id]: Number(target.value)};
    void this.again();
  }
  private readonly close = (): void => {
    this.renderRoot.querySelector('dialog')?.close();
  };
  private readonly closed = (): void => {
    this.run?.stop();
    this.end();
    this.remove();
  };
}
