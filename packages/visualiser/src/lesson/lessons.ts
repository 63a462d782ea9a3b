// Switches and scenarios in the lab: loaded when they are first asked for, because a first look at the lab needs neither.

import {assertUnreachable} from '@hyperscope/base';
import type {Remote} from 'comlink';
import type {Switches} from '@hyperscope/trace';
import type {LabClient} from '../lab-client.js';
import type {LabController} from '../lab-controller.js';
import type {LabState} from '../lab-state.js';
import type {NotesWindow} from '../scenario/notes-window.js';
import type {ScenarioPanel} from '../scenario/scenario-panel.js';
import type {ScenarioPlayer} from '../scenario/player.js';
import type {ScenarioChooser} from '../scenario/scenario-chooser.js';
import type {SwitchesPanel} from '../switches/switches-panel.js';
import {isScenario, isScenarioWish, isSwitches} from './lesson-events.js';
import type {ScenarioWish} from './lesson-events.js';
import type {SharedMoment} from '../share-link.js';
import {openIn, playedLab} from './played-lab.js';

const NOT_LOADED =
  'This part of the lab could not be loaded. Check the connection to where this page came from, and try again.';

/** A shipped scenario as a link names it. */
type LinkedScenario = NonNullable<SharedMoment['scenario']>;

export interface LessonSurroundings {
  readonly controller: LabController;
  readonly client: Remote<LabClient>;
  /** Draws the lab anew; resolves when that is done. */
  readonly changed: () => Promise<unknown>;
  /** Shows a tab of the inspector. */
  readonly panel: (name: string) => void;
  /** Shows machines beside each other. */
  readonly compare: (machines: readonly string[]) => void;
  readonly now: () => number;
}

export class Lessons {
  readonly #around: LessonSurroundings;
  #switches: SwitchesPanel | undefined = undefined;
  #panel: ScenarioPanel | undefined = undefined;
  #chooser: ScenarioChooser | undefined = undefined;
  #player: ScenarioPlayer | undefined = undefined;
  #notes: NotesWindow | undefined = undefined;
  /** What a link asked for, until there is a run. */
  #waiting: (() => Promise<void>) | undefined = undefined;

  constructor(around: LessonSurroundings) {
    this.#around = around;
  }

  /** Hears what the parts ask for, wherever in the lab they are. */
  listen(lab: EventTarget): void {
    lab.addEventListener('hs-switches', event => {
      if (event instanceof CustomEvent && isSwitches(event)) this.flip(event.detail);
    });
    lab.addEventListener('hs-scenario-chosen', event => {
      if (event instanceof CustomEvent && isScenario(event)) this.#tell(this.play(event.detail));
    });
    lab.addEventListener('hs-scenario', event => {
      if (event instanceof CustomEvent && isScenarioWish(event)) this.#fulfil(event.detail);
    });
  }

  #fulfil(wish: ScenarioWish): void {
    switch (wish) {
      case 'choose':
        return this.showList();
      case 'compare':
        return this.#compare();
      case 'leave':
        return this.#leave();
      case 'notes':
        return this.openNotes();
      default:
        return assertUnreachable(wish);
    }
  }

  /** Shows a sentence, where one comes of it. */
  #tell(sentence: Promise<string | undefined>): void {
    const {controller} = this.#around;
    sentence
      .then(trouble => trouble !== undefined && controller.notice(trouble))
      .catch((error: unknown) => controller.fail(error));
  }

  /** The list of scenarios. */
  showList(): void {
    this.#tell(this.#choose());
  }
  /** The drawer with the switches, or away with it. */
  showSwitches(): void {
    this.#tell(this.#toggleSwitches());
  }
  /** Runs with other switches. */
  flip(switches: Switches): void {
    this.#carryOut(this.#setSwitches(switches));
  }

  /** The drawer with the switches, once it was loaded. */
  get switches(): HTMLElement | undefined {
    return this.#switches;
  }
  get chooser(): HTMLElement | undefined {
    return this.#chooser;
  }
  /** The panel of the scenario that is played. */
  get scenario(): HTMLElement | undefined {
    return this.#player === undefined ? undefined : this.#panel;
  }
  get played(): ScenarioPlayer['scenario'] | undefined {
    return this.#player?.scenario;
  }
  /** For a link. */
  get place(): SharedMoment['scenario'] {
    const player = this.#player;
    return player === undefined || player.scenario.id.startsWith('own-')
      ? undefined
      : {
          id: player.scenario.id,
          part: player.part,
          ...(player.isAtQuestions && player.seeded.questions.length > 0 ? {set: player.seeded.set} : {}),
        };
  }

  /** Tells the parts what the lab shows. */
  show(lab: LabState, mode: 'presenting' | 'working'): void {
    if (this.#switches !== undefined) this.#switches.lab = lab;
    const waiting = this.#waiting;
    if (waiting !== undefined && lab.phase.kind === 'ready') {
      this.#waiting = undefined;
      this.#carryOut(waiting());
    }
    this.#notes?.tell(lab.moment);
    if (this.#panel === undefined) return;
    this.#panel.presenting = mode === 'presenting';
    this.#panel.machines = this.#player?.scenario.machines ?? [];
  }

  /** A key that means something while a scenario is played; true where it was one. */
  key(key: string, mode: 'presenting' | 'working'): boolean {
    const player = this.#player;
    if (player === undefined) return false;
    if (key === 'n') this.openNotes();
    else if (mode === 'presenting' && (key === 'ArrowRight' || key === 'PageDown')) this.#carryOut(player.next());
    else if (mode === 'presenting' && (key === 'ArrowLeft' || key === 'PageUp')) this.#carryOut(player.previous());
    else return false;
    return true;
  }

  #carryOut(move: Promise<void>): void {
    move.catch((error: unknown) => this.#around.controller.fail(error));
  }

  // ── switches ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens the drawer, or closes it. What goes wrong is a sentence. */
  async #toggleSwitches(): Promise<string | undefined> {
    if (this.#switches === undefined) {
      try {
        const {SwitchesPanel: Panel} = await import('../switches/switches-panel.js');
        this.#switches ??= new Panel();
      } catch {
        return NOT_LOADED;
      }
      this.#switches.lab = this.#around.controller.state;
      await this.#around.changed();
      await this.#switches.updateComplete;
    }
    this.#switches.toggle();
    return undefined;
  }

  /** Runs with other switches; the playhead stays where the guest had come to, and what changed is shown. */
  async #setSwitches(switches: Switches): Promise<void> {
    const {controller, client} = this.#around;
    const {technique, guest, edited, moment} = controller.state;
    controller.pause();
    const trouble = await openIn(controller, {
      technique,
      guest,
      edited,
      switches,
      ...(moment === undefined ? {} : {step: moment.index}),
    });
    const panel = this.#switches;
    if (panel !== undefined) panel.trouble = trouble ?? '';
    if (trouble !== undefined || moment === undefined) return;
    const change = await client.change();
    if (panel !== undefined) panel.change = change;
    if (controller.state.switches !== switches) return;
    const same = moment.index <= moment.start ? controller.state.moment?.start : await client.samePlace(moment.index);
    if (same !== undefined && controller.state.switches === switches) controller.seek(same);
  }

  // ── scenarios ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Shows the list. What goes wrong is a sentence. */
  async #choose(): Promise<string | undefined> {
    try {
      const {ScenarioChooser: Chooser, shippedScenarios} = await import('../scenario/scenario-parts.js');
      this.#chooser ??= new Chooser();
      this.#chooser.scenarios = shippedScenarios();
    } catch {
      return NOT_LOADED;
    }
    await this.#around.changed();
    await this.#chooser.updateComplete;
    this.#chooser.show();
    return undefined;
  }

  /** Plays a shipped scenario from a part, with a set of questions. What goes wrong is a sentence. */
  async playShipped({id, part, set}: LinkedScenario): Promise<string | undefined> {
    try {
      const {shippedScenarios} = await import('../scenario/scenario-parts.js');
      const scenario = shippedScenarios().find(each => each.id === id);
      if (scenario === undefined)
        return 'The link names a scenario that this lab does not have. The list (s) shows what there is.';
      return await this.play(scenario, part, set);
    } catch {
      return NOT_LOADED;
    }
  }

  /** The same for a link that is being opened: the scenario moves the run once there is one. */
  playWhenOpen(place: LinkedScenario): void {
    this.#waiting = async () => {
      const trouble = await this.playShipped(place);
      if (trouble !== undefined) this.#around.controller.notice(trouble);
    };
  }

  async play(scenario: ScenarioPlayer['scenario'], part = 0, set?: number): Promise<string | undefined> {
    const {ScenarioPanel: Panel, ScenarioPlayer: Player} = await import('../scenario/scenario-parts.js');
    const {controller, client, panel} = this.#around;
    // The scenario says what to press; the hint would lie over its buttons.
    controller.hint(undefined);
    this.#panel ??= new Panel();
    const shown = this.#panel;
    const player = new Player(
      scenario,
      playedLab(controller, client, panel),
      () => {
        shown.version++;
        this.#notes?.show(this.#player);
        void this.#around.changed();
      },
      set,
    );
    this.#player = player;
    shown.player = player;
    shown.machines = scenario.machines;
    await player.start(part);
    return undefined;
  }

  /** Machines beside each other, where the scenario is about several. */
  #compare(): void {
    const machines = this.#player?.scenario.machines ?? [];
    if (machines.length > 1) this.#around.compare(machines);
  }

  #leave(): void {
    this.#player = undefined;
    this.#notes?.show(undefined);
    void this.#around.changed();
  }

  /** The speaker's window; without a scenario it tells of the moment. */
  openNotes(): void {
    void import('../scenario/scenario-parts.js')
      .then(({NotesWindow: Notes}) => {
        this.#notes ??= new Notes(this.#around.now, key =>
          document.dispatchEvent(new KeyboardEvent('keydown', {key, cancelable: true})),
        );
        this.#notes.tell(this.#around.controller.state.moment);
        const trouble = this.#notes.open(this.#player);
        if (trouble !== undefined) this.#around.controller.notice(trouble);
      })
      .catch(() => this.#around.controller.notice(NOT_LOADED));
  }
}
