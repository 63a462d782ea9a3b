// "A walk": a scenario, or a stretch of the run from here on, as a page to print or as an animated picture. It says how far it
// is, and can be stopped.

import {sharedStyles} from '@hyperscope/elements';
import {GRANULARITIES, type Granularity} from '@hyperscope/trace';
import {SETS, type Scenario} from '@hyperscope/walkthroughs';
import {LitElement, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {saveFile} from '../save-file.js';
import {dialogStyles} from '../shell/help.js';
import type {MadeWalk} from './make-walk.js';
import {MOST_STOPS} from './record-walk.js';
import {walkDialogStyles} from './walk-dialog-styles.js';

/** What is to be made. */
export interface WalkWish {
  readonly as: 'handout' | 'picture';
  /** The scenario with a set of questions, or so many units from the playhead on. */
  readonly of:
    | {readonly kind: 'scenario'; readonly scenario: Scenario; readonly set: number}
    | {readonly kind: 'stretch'; readonly stops: number; readonly granularity: Granularity};
  /** How long each picture is shown. */
  readonly seconds: number;
}

export type MakeWalk = (
  wish: WalkWish,
  progress: (done: number, of: number, what: string) => void,
  signal: AbortSignal,
) => Promise<MadeWalk>;

type Standing =
  | {readonly kind: 'asking'}
  | {readonly kind: 'making'; readonly done: number; readonly of: number; readonly what: string}
  | {readonly kind: 'made'; readonly made: MadeWalk; readonly address: string}
  | {readonly kind: 'trouble'; readonly why: string};

const UNITS: Readonly<Record<Granularity, string>> = {
  instruction: 'instructions',
  event: 'events',
  exit: 'VM exits',
  ring: 'ring changes',
  mode: 'mode changes',
};
const SECONDS = [2, 4, 6, 10] as const;

@customElement('hs-walk')
export class WalkDialog extends LitElement {
  static override readonly styles = [sharedStyles, dialogStyles, walkDialogStyles];

  @property({attribute: false}) make: MakeWalk | undefined = undefined;
  /** The scenario that is played; undefined while there is none. */
  @property({attribute: false}) scenario: Scenario | undefined = undefined;
  @property({attribute: false}) granularity: Granularity = 'instruction';
  @state() private standing: Standing = {kind: 'asking'};
  private work: AbortController | undefined = undefined;

  async show(): Promise<void> {
    this.forget();
    await this.updateComplete;
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  /** What was made, or is being made, is given up. */
  private forget(): void {
    this.work?.abort();
    this.work = undefined;
    if (this.standing.kind === 'made') URL.revokeObjectURL(this.standing.address);
    this.standing = {kind: 'asking'};
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title" @close=${() => this.forget()}>
      <h2 id="title">A walk to keep</h2>
      <p class="mute">
        The guest is run again, in the background, and each moment drawn. A page to print has the sentence, the rings,
        the check that decided and what changed; of a scenario also its questions, with the answers at the end.
      </p>
      <form id="wish" @submit=${this.submitted}>
        ${this.choices()}
        <div class="row">
          <button name="as" value="handout" ?disabled=${this.isMaking}>Page to print</button>
          <button name="as" value="picture" ?disabled=${this.isMaking}>Animated picture</button>
          <label
            >each step for
            <select name="seconds" aria-label="Seconds for each step of the picture">
              ${SECONDS.map(each => html`<option value=${each} ?selected=${each === 4}>${each} s</option>`)}
            </select></label
          >
        </div>
      </form>
      ${this.outcome()}
      <form method="dialog" class="close"><button value="close">Close</button></form>
    </dialog>`;
  }

  private get isMaking(): boolean {
    return this.standing.kind === 'making';
  }

  private choices(): TemplateResult {
    const {scenario} = this;
    return html`<fieldset>
      <legend>Of what</legend>
      ${
        scenario === undefined
          ? nothing
          : html`<label class="row"
              ><input type="radio" name="of" value="scenario" checked /><span
                >the scenario “${scenario.title}”</span
              ></label
            >`
      }
      <div class="row">
        <label class="row"
          ><input type="radio" name="of" value="stretch" ?checked=${scenario === undefined} /><span
            >from here on</span
          ></label
        ><input name="stops" type="number" min="1" max=${MOST_STOPS} value="12" aria-label="How many" /><select
          name="granularity"
          aria-label="Of what size"
        >
          ${GRANULARITIES.map(each => html`<option value=${each} ?selected=${each === this.granularity}>${UNITS[each]}</option>`)}
        </select>
      </div>
      ${
        scenario === undefined || scenario.seeded.length === 0
          ? nothing
          : html`<label class="row"
              ><span>Questions of set</span
              ><input name="set" type="number" min=${SETS.first} max=${SETS.last} value=${SETS.first}
            /></label>`
      }
    </fieldset>`;
  }

  private outcome(): TemplateResult | typeof nothing {
    const {standing} = this;
    switch (standing.kind) {
      case 'asking':
        return nothing;
      case 'making':
        return html`<div class="row" role="status">
          <progress max=${standing.of} value=${standing.done} aria-label="How far it is"></progress>
          <span class="what">${standing.done + 1} of ${standing.of}: ${standing.what}</span>
          <button @click=${() => this.forget()}>Cancel</button>
        </div>`;
      case 'trouble':
        return html`<p role="alert" class="trouble">${standing.why}</p>`;
      case 'made':
        return this.made(standing.made, standing.address);
    }
  }

  private made({kind, file, name, stops}: MadeWalk, address: string): TemplateResult {
    return html`<div class="made">
      <p role="status">
        ${stops} ${stops === 1 ? 'step' : 'steps'}, ${Math.round(file.size / 1024).toLocaleString('en')} KiB, one file
        that needs nothing else.
      </p>
      <div class="row">
        <a class="open" href=${address} target="_blank" rel="noopener"
          >${kind === 'handout' ? 'Open it, to print' : 'Open it'}</a
        >
        <button @click=${() => saveFile(name, file)}>Save ${name}</button>
      </div>
      ${kind === 'picture' ? html`<img src=${address} alt="The animated picture" />` : nothing}
    </div>`;
  }

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !(event.submitter instanceof HTMLButtonElement)) return;
    void this.start(this.wishOf(new FormData(form), event.submitter.value === 'picture' ? 'picture' : 'handout'));
  };

  private wishOf(form: FormData, as: WalkWish['as']): WalkWish {
    const numberOf = (name: string): number => Math.trunc(Number(form.get(name) ?? 0)) || 1;
    const {scenario} = this;
    const size = form.get('granularity');
    return {
      as,
      seconds: numberOf('seconds'),
      of:
        scenario !== undefined && form.get('of') === 'scenario'
          ? {kind: 'scenario', scenario, set: numberOf('set')}
          : {
              kind: 'stretch',
              stops: numberOf('stops'),
              granularity: GRANULARITIES.find(each => each === size) ?? 'instruction',
            },
    };
  }

  private async start(wish: WalkWish): Promise<void> {
    const {make} = this;
    if (make === undefined) return;
    this.forget();
    const work = new AbortController();
    this.work = work;
    const isCurrent = (): boolean => this.work === work;
    this.standing = {kind: 'making', done: 0, of: 1, what: 'starting a machine'};
    try {
      const made = await make(
        wish,
        (done, of, what) => {
          if (isCurrent()) this.standing = {kind: 'making', done, of, what};
        },
        work.signal,
      );
      if (isCurrent()) this.standing = {kind: 'made', made, address: URL.createObjectURL(made.file)};
    } catch (error) {
      if (isCurrent()) this.standing = {kind: 'trouble', why: error instanceof Error ? error.message : String(error)};
    }
  }
}
