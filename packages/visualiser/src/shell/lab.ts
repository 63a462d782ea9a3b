// The lab: toolbar, code, stage, inspector, timeline; and what joins them: events in, the controller, properties out.

import {
  type FollowEvent,
  TraceFinds,
  applyTheme,
  sharedStyles,
  type Theme,
  type TransportCommand,
} from '@hyperscope/elements';
import type {Remote} from 'comlink';
import {LitElement, html, nothing, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {embedStyles} from '../embed/embed-styles.js';
import {EmbeddedPage, readEmbedding} from '../embed/embedded-page.js';
import {commandFor, focusOf, type Command, type Focus} from '../keys.js';
import type {LabClient} from '../lab-client.js';
import {Comparing, KEYS_OF_ANY_VIEW, type ComparingSurroundings, type OpenedImage} from '../compare/comparing.js';
import type {LeaveComparisonEvent} from '../compare/leave-comparison.js';
import {runOverSocket, socketAddress} from '../kvm-socket.js';
import {LabController} from '../lab-controller.js';
import {FIRST_STATE, type LabState} from '../lab-state.js';
import {keepTheme, needsHint, readTheme, watchMotion} from '../preferences.js';
import type {ComparedPlace, SharedMoment} from '../share-link.js';
import type {Inspectable} from '../inspection.js';
import {Inspector} from '../views/inspector.js';
import {TABS, type Tab} from '../views/inspector-tabs.js';
import '../views/beside.js';
import '../views/real-kvm-view.js';
import {AddressBar, linkedText} from './address-bar.js';
import {AskStep} from './ask-step.js';
import {listenToPanels, listenToWishes} from './panel-events.js';
import {listenToTime} from './time-events.js';
import {perform, type ShellParts} from './commands.js';
import {Help} from './help.js';
import {advanceHint} from './hints.js';
import {LinkedView} from './linked-view.js';
import {Lessons} from '../lesson/lessons.js';
import {lessonStyles} from '../lesson/lesson-styles.js';
import {changedBar, changedBarStyles} from '../switches/changed-bar.js';
import {dialogs, panels, partOf, phasePanel} from './lab-panels.js';
import {labStyles} from './lab-styles.js';
import {showParadox, showPort, showSharing, showWalkDialog} from './later-dialogs.js';
import {Editing} from './editing.js';
import {chooseFile, openFile, watchDrops} from './opening-files.js';
import {Presentation} from './presentation.js';
import {hasPanel, presentationParts, showPresentation} from './presented-panels.js';
import {presentStyles} from './present-styles.js';
import type {ToolbarChoice} from './toolbar.js';
import './toolbar.js';

/** What a key means while presenting, whatever is shown. */
const ALWAYS_PRESENT: ReadonlySet<string> = new Set(['b', '.', 'F5', 'Escape']);

@customElement('hs-lab')
export class Lab extends LitElement implements ShellParts {
  static override readonly styles = [
    sharedStyles,
    labStyles,
    embedStyles,
    lessonStyles,
    presentStyles,
    changedBarStyles,
  ];

  @state() private lab: LabState = FIRST_STATE;
  private readonly embedding = readEmbedding(location.search);
  @state() private theme: Theme = this.embedding?.theme ?? readTheme();
  @state() private tab: Tab = 'registers';
  @property({type: Boolean, reflect: true}) presenting = false;
  /** What fills the screen while presenting. */
  private readonly presentation = new Presentation(() => this.requestUpdate());
  /** The panels shown inside somebody else's page; absent where the lab has the window for itself. */
  @property({reflect: true}) embed = this.embedding?.panels.join(' ');
  private readonly surrounding = this.embedding === undefined ? undefined : new EmbeddedPage();
  private controller: LabController | undefined = undefined;
  private readonly redrawn = async (): Promise<boolean> => {
    this.requestUpdate();
    return this.updateComplete;
  };
  private readonly editing = new Editing(this.redrawn);
  private client: Remote<LabClient> | undefined = undefined;
  /** The client for templates: a proxy of everything must not be a value in one. */
  private inspectable: Inspectable | undefined = undefined;
  private startWorker: ComparingSurroundings['start'] | undefined = undefined;
  private comparing: Comparing | undefined = undefined;
  /** Files of the reader's, by the ids of the guests that they became. */
  private readonly images = new Map<string, OpenedImage>();
  private lessons: Lessons | undefined = undefined;
  private readonly linked = new LinkedView({
    theme: theme => this.showTheme(theme),
    panel: name => this.showPanel(name),
    look: place => void this.updateComplete.then(() => this.inspectorElement?.look(place)),
    present: () => !this.presenting && this.togglePresent(),
    compare: place => this.openComparison(place),
  });
  private readonly address = new AddressBar(
    () => this.lab,
    () => ({
      scenario: this.lessons?.place,
      panel: this.tab === 'registers' ? undefined : this.tab,
      look: this.tab === 'memory' ? this.inspectorElement?.looked : undefined,
      theme: this.linked.theme,
      compare: this.comparing?.place,
    }),
    () => this.requestUpdate(),
  );

  constructor() {
    super();
    applyTheme(document, this.theme);
    listenToTime(this, use => this.with(use));
    listenToPanels(this, {
      seek: index => this.seek(index),
      seekCycle: cycle => this.with(lab => (lab.pause(), lab.seekCycle(cycle))),
      look: (from, to, columns) => this.with(lab => lab.look(from, to, columns)),
      perform: command => this.perform(command),
      setGranularity: granularity => this.with(lab => lab.setGranularity(granularity)),
      showPanel: tab => this.showPanel(tab),
      follow: place => this.follow(place),
      leaveComparison: where => this.leaveComparison(where),
      runSource: source => this.attempt(async lab => lab.runEdited(source)),
      choose: choice => this.chosen(choice),
    });
    listenToWishes(this, {
      'hs-open-finds': () => this.find(),
      'hs-look': () => this.address.keep(),
      'hs-places': () => this.address.keep(),
      'hs-edit': () => this.edit(),
      'hs-close-editor': () => this.editing.close(),
      'hs-paradox': () => this.paradox(),
      'hs-port': () => this.port(),
      'hs-keep-walk': () => this.keepWalk(),
      'hs-run-real': () => this.realKvm(),
      'hs-cancel-real': () => this.controller?.cancelReal(),
    });
  }

  /** Starts the lab over a simulator in a worker. */
  connect(client: Remote<LabClient>, start: ComparingSurroundings['start']): void {
    this.startWorker = start;
    const runOnServer = runOverSocket(socketAddress(location.href));
    const motion = watchMotion();
    this.comparing = new Comparing({
      start,
      runOnServer,
      motion,
      changed: () => this.requestUpdate(),
      moved: () => {
        this.address.keep();
        // The dialog that asks for an instruction, and the way out of a frame, say where the playhead is.
        this.requestUpdate();
      },
    });
    const changed = (next: LabState): void => {
      // What is compared is what the lab has open.
      if (next.opening === 'under way' && this.lab.opening === 'settled') this.comparing?.close();
      this.lab = next;
      this.ariaBusy = String(next.opening === 'under way');
      this.linked.shown(next);
      this.address.keep();
      this.surrounding?.tell(next, this.address.link);
    };
    const controller = new LabController({client, motion, fetch: fetch.bind(globalThis), runOnServer, changed});
    this.controller = controller;
    this.client = client;
    this.lessons = new Lessons({
      controller,
      client,
      changed: this.redrawn,
      panel: name => this.showPanel(name),
      compare: machines => this.openComparison({machines}),
      now: () => performance.now(),
    });
    this.lessons.listen(this);
    this.inspectable = {inspect: request => client.inspect(request)};
    const wanted = this.address.follow(controller);
    this.surrounding?.listen(controller, linked => this.followMoment(linked, controller));
    if (needsHint() && this.surrounding === undefined) controller.hint('exit');
    this.openLinked(wanted, controller, async edited => controller.start(wanted && {...wanted, edited}));
    document.addEventListener('keydown', this.key);
    watchDrops(
      this,
      standing => this.toggleAttribute('dropping', standing === 'over'),
      file => this.openFile(file),
    );
    addEventListener('hashchange', this.followLink);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.key);
    removeEventListener('hashchange', this.followLink);
  }

  /** Shows that the simulator broke. */
  fail(error: Error): void {
    if (this.controller === undefined) this.lab = {...this.lab, phase: {kind: 'failed', why: error.message}};
    else this.controller.fail(error);
  }

  private with(use: (lab: LabController) => void): void {
    if (this.controller !== undefined) use(this.controller);
  }

  /** Carries out a command; the hints end when what they tell has been done. */
  private perform(command: Command | TransportCommand): void {
    this.with(lab => {
      // What is on the screen is about to go: a step would be one of the next run.
      if (lab.state.opening === 'under way') return;
      perform(command, lab, this);
      advanceHint(lab, command);
    });
  }

  inspector(): void {
    this.inspectorElement?.toggleSize();
  }

  private get inspectorElement(): Inspector | undefined {
    return partOf(this, 'hs-inspector', Inspector);
  }

  /** Opens memory at an address that somebody pressed. */
  private follow({space, address}: FollowEvent['detail']): void {
    this.inspectorElement?.follow(space, address);
    this.showPanel('memory');
  }

  /** Moves the playhead to a state, or that of machines which are compared to an instruction. */
  private seek(index: number): void {
    if (this.comparing?.element !== undefined) return this.comparing.go(index);
    this.with(lab => {
      lab.pause();
      lab.seek(index);
    });
  }

  help(): void {
    partOf(this, 'hs-help', Help)?.show();
  }

  askStep(): void {
    partOf(this, 'hs-ask-step', AskStep)?.show();
  }

  /** Opens the search and puts the cursor into it. */
  find(): void {
    if (this.presenting) return;
    this.with(lab => lab.time.openFinds());
    void this.updateComplete.then(() => partOf(this, 'hs-finds', TraceFinds)?.ask());
  }

  /** Opens the editor in place of the code. */
  edit(): void {
    const {client} = this;
    if (client === undefined || this.presenting) return;
    this.with(lab => void this.editing.open(client).then(trouble => trouble !== undefined && lab.notice(trouble)));
  }

  /** Opens the view that compares machines in place of the panels, or closes it. */
  compare(): void {
    if (this.comparing?.element === undefined) this.openComparison();
    else this.comparing.close();
  }

  private openComparison(place?: Partial<ComparedPlace>): void {
    const {client, comparing, controller} = this;
    if (client === undefined || comparing === undefined || controller === undefined) return;
    controller.pause();
    void comparing
      .open(this.lab, client, place, this.images.get(this.lab.guest))
      .then(trouble => trouble !== undefined && controller.notice(trouble));
  }

  private leaveComparison({technique, step}: LeaveComparisonEvent['detail']): void {
    this.comparing?.close();
    const {guest, edited, switches} = this.lab;
    if (technique !== undefined) this.attempt(async lab => lab.open({technique, guest, edited, switches, step}));
  }

  /** Opens what a link names: the run, and what it carries beside it. */
  private openLinked(
    wanted: SharedMoment | undefined,
    lab: LabController,
    open: (edited: string | undefined) => Promise<void>,
  ): void {
    this.linked.ask(wanted);
    void linkedText(wanted, lab)
      .then(open)
      .catch((error: unknown) => lab.fail(error));
    if (wanted?.scenario !== undefined) this.lessons?.playWhenOpen(wanted.scenario);
  }

  scenarios(): void {
    this.lessons?.showList();
  }

  switches(): void {
    this.lessons?.showSwitches();
  }

  private showPanel(name: string): void {
    const tab = TABS.find(each => each === name);
    if (tab === undefined) return;
    this.tab = tab;
    this.address.keep();
  }

  private showTheme(theme: Theme): void {
    this.theme = theme;
    applyTheme(document, theme);
  }

  private openFile(file: File): void {
    const {client} = this;
    if (client !== undefined)
      this.with(lab => void openFile(file, client, lab, (id, image) => this.images.set(id, image)));
  }

  togglePresent(): void {
    if (this.inspectorElement?.size === 'large') this.inspector();
    this.presenting = !this.presenting;
    this.presentation.reset();
  }

  toggleBlackout(): void {
    if (this.presenting) this.presentKey('b', 'page');
  }

  /** A key that was pressed while presenting; true where it was one of the presentation's. */
  private presentKey(key: string, focus: Focus): boolean {
    // Machines beside each other have keys of their own.
    if (this.comparing?.element !== undefined && !ALWAYS_PRESENT.has(key)) return false;
    const what = this.presentation.key(key, focus, panel => hasPanel(this.renderRoot, panel));
    if (what === 'leave') this.togglePresent();
    else if (what === 'notes') this.lessons?.openNotes();
    else if (what === 'next-tab') this.inspectorElement?.openBeside(1);
    else if (what === 'previous-tab') this.inspectorElement?.openBeside(-1);
    return what !== 'not-mine';
  }

  realKvm(): void {
    if (this.comparing?.element !== undefined && this.comparing.perform('real-kvm') === 'done') return;
    this.showPanel('real');
    this.with(lab => void lab.runReal());
  }

  machine(number: number): void {
    const technique = this.lab.catalogue.techniques[number - 1];
    if (technique !== undefined) this.chosen({kind: 'technique', id: technique.id});
  }

  private chosen(choice: ToolbarChoice): void {
    switch (choice.kind) {
      case 'guest':
        return this.open(this.lab.technique, choice.id);
      case 'technique':
        return this.open(choice.id, this.lab.guest, this.lab.edited);
      case 'theme':
        this.linked.forgetTheme();
        this.showTheme(choice.theme);
        this.address.keep();
        return keepTheme(choice.theme);
      case 'real-kvm':
        return this.realKvm();
      case 'share':
        return this.share();
      case 'compare':
        return this.compare();
      case 'scenarios':
        return this.scenarios();
      case 'switches':
        return this.switches();
      case 'open-file':
        return void chooseFile().then(file => file && this.openFile(file));
      case 'present':
        return this.togglePresent();
      case 'help':
        return this.help();
    }
  }

  private open(technique: string, guest: string, edited?: string): void {
    this.attempt(async lab => lab.open({technique, guest, edited}));
  }

  /** Does what may fail: then the lab says so. */
  private attempt(work: (lab: LabController) => Promise<void>): void {
    this.with(lab => void work(lab).catch((error: unknown) => lab.fail(error)));
  }

  private paradox(): void {
    const {startWorker: start} = this;
    if (start !== undefined) this.attempt(async () => showParadox(this, start));
  }

  private port(): void {
    const {client} = this;
    if (client !== undefined) this.attempt(async () => showPort(this, client, this.lab.guest));
  }

  private keepWalk(): void {
    const {startWorker: start, lab, lessons} = this;
    if (start === undefined) return;
    this.address.write();
    const image = this.images.get(lab.guest);
    this.attempt(async () => showWalkDialog({element: this, lab, scenario: lessons?.played, image, start}));
  }

  private share(): void {
    this.address.write();
    this.attempt(async () => showSharing(this, this.lab, this.address.moment, this.theme));
  }

  private readonly followLink = (): void => {
    this.with(lab => {
      const moment = this.address.follow(lab);
      if (moment !== undefined) this.followMoment(moment, lab);
    });
  };

  private followMoment(moment: SharedMoment, lab: LabController): void {
    this.openLinked(moment, lab, async edited => lab.open({...moment, edited}));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    if (path.some(target => target instanceof HTMLDialogElement)) return;
    if (event.key === 'Escape' && this.controller?.time.cancel() === true) return;
    const focus = focusOf(path);
    const comparing = this.comparing?.element === undefined ? undefined : this.comparing;
    // Panels that are not there cannot fill the screen, and a scenario does not go on behind a comparison.
    const isForAll = comparing === undefined || KEYS_OF_ANY_VIEW.has(event.key);
    if (this.presenting && isForAll && this.presentKey(event.key, focus)) return event.preventDefault();
    if (event.key === 'Escape' && comparing !== undefined) return comparing.close();
    if (
      focus !== 'types' &&
      isForAll &&
      this.lessons?.key(event.key, this.presenting ? 'presenting' : 'working') === true
    )
      return event.preventDefault();
    const command = commandFor(event.key, focus);
    if (command === undefined || this.lab.moment === undefined) return;
    event.preventDefault();
    if (comparing?.perform(command) !== 'done') this.perform(command);
  };

  protected override updated(): void {
    showPresentation(this, this.presenting ? this.presentation : undefined);
  }

  override render(): TemplateResult {
    const {lab} = this;
    this.editing.show(lab);
    this.lessons?.show(lab, this.presenting ? 'presenting' : 'working');
    return html` <hs-toolbar
        .state=${lab}
        .theme=${this.theme}
        ?hidden=${this.presenting || this.surrounding !== undefined}
      ></hs-toolbar>
      <div>
        ${
          lab.notice === undefined
            ? nothing
            : html`<div class="notice" role="status">
                <p>${lab.notice}</p>
                <button @click=${() => this.with(controller => controller.notice(undefined))}>Dismiss</button>
              </div>`
        }
        ${changedBar(lab.offers, lab.switches, () => this.lessons?.flip({}))}
      </div>
      ${this.body()} ${this.lessons?.switches} ${this.lessons?.chooser}
      ${
        this.surrounding === undefined || this.presenting
          ? nothing
          : html`<a class="whole" href=${`./index.html${this.address.link}`} target="_blank" rel="noopener"
              >Open in the lab</a
            >`
      }
      ${dialogs(lab, this.comparing?.range)} ${this.presenting ? presentationParts(this.presentation) : nothing}`;
  }

  private body(): TemplateResult {
    const {lab, presentation} = this;
    const comparison = this.comparing?.element;
    if (lab.phase.kind === 'failed' || lab.phase.kind === 'loading' || lab.moment === undefined)
      return phasePanel(lab.phase);
    if (comparison !== undefined) return html`<main class="comparing">${comparison}</main>`;
    return panels(lab, lab.moment, {
      editor: this.editing.element,
      scenario: this.lessons?.scenario,
      where: this.presenting ? 'presenting' : 'working',
      filling: presentation.panel,
      tab: this.tab,
      client: this.inspectable,
    });
  }
}
