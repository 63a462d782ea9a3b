// The lab: toolbar, code, stage, inspector, timeline; and what joins them: events in, the controller, properties out.

import {
  FollowEvent,
  SeekCycleEvent,
  SeekEvent,
  GranularityEvent,
  TraceFinds,
  TransportEvent,
  WindowEvent,
  applyTheme,
  sharedStyles,
  stagePicture,
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
import {LeaveComparisonEvent} from '../compare/leave-comparison.js';
import {runOverSocket, socketAddress} from '../kvm-socket.js';
import {LabController} from '../lab-controller.js';
import {FIRST_STATE, type LabState} from '../lab-state.js';
import {keepHinted, keepTheme, needsHint, readTheme} from '../preferences.js';
import type {ComparedPlace, SharedMoment} from '../share-link.js';
import type {Inspectable} from '../inspection.js';
import {Inspector, TabEvent} from '../views/inspector.js';
import {TABS, type Tab} from '../views/inspector-tabs.js';
import '../views/beside.js';
import '../views/real-kvm-view.js';
import {AddressBar, linkedMoment, linkedText} from './address-bar.js';
import {AskStep} from './ask-step.js';
import {listenToTime} from './time-events.js';
import {perform, type ShellParts} from './commands.js';
import {Help} from './help.js';
import {LinkedView} from './linked-view.js';
import {Lessons} from '../lesson/lessons.js';
import {lessonStyles} from '../lesson/lesson-styles.js';
import {changedBar, changedBarStyles} from '../switches/changed-bar.js';
import {labStyles} from './lab-styles.js';
import {codePanel} from './code-panel.js';
import {Editing, isRunSource} from './editing.js';
import {chooseFile, openFile, watchDrops} from './opening-files.js';
import {Presentation} from './presentation.js';
import {hasPanel, presentationParts, showPresentation} from './presented-panels.js';
import {presentStyles} from './present-styles.js';
import {stagePanel} from './stage-panel.js';
import {timelinePanel} from './timeline-panel.js';
import {ToolbarEvent, type ToolbarChoice} from './toolbar.js';

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
  private readonly editing = new Editing(() => {
    this.requestUpdate();
    return this.updateComplete;
  });
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
    this.addEventListener('hs-seek', event => {
      if (event instanceof SeekEvent) this.seek(event.detail.index);
    });
    this.addEventListener('hs-seek-cycle', event => {
      if (event instanceof SeekCycleEvent)
        this.with(lab => {
          lab.pause();
          lab.seekCycle(event.detail.cycle);
        });
    });
    this.addEventListener('hs-window', event => {
      if (event instanceof WindowEvent)
        this.with(lab => lab.look(event.detail.from, event.detail.to, event.detail.columns));
    });
    this.addEventListener('hs-transport', event => {
      if (event instanceof TransportEvent) this.perform(event.detail.command);
    });
    this.addEventListener('hs-granularity', event => {
      if (event instanceof GranularityEvent) this.with(lab => lab.setGranularity(event.detail.granularity));
    });
    listenToTime(this, use => this.with(use));
    this.addEventListener('hs-open-finds', () => this.find());
    this.addEventListener('hs-tab', event => {
      if (event instanceof TabEvent) this.showPanel(event.detail.tab);
    });
    for (const type of ['hs-look', 'hs-places']) this.addEventListener(type, () => this.address.keep());
    this.addEventListener('hs-follow', event => {
      if (event instanceof FollowEvent) this.follow(event);
    });
    this.addEventListener('hs-edit', () => this.edit());
    this.addEventListener('hs-paradox', () => void this.paradox());
    this.addEventListener('hs-port', () => void this.port());
    this.addEventListener('hs-keep-walk', () => void this.keepWalk());
    this.addEventListener('hs-leave-comparison', event => {
      if (event instanceof LeaveComparisonEvent) this.leaveComparison(event.detail);
    });
    this.addEventListener('hs-close-editor', () => this.editing.close());
    this.addEventListener('hs-run-source', event => {
      if (event instanceof CustomEvent && isRunSource(event)) this.runSource(event.detail.source);
    });
    this.addEventListener('hs-run-real', () => this.realKvm());
    this.addEventListener('hs-cancel-real', () => this.controller?.cancelReal());
    this.addEventListener('hs-toolbar', event => {
      if (event instanceof ToolbarEvent) this.chosen(event.detail);
    });
  }

  /** Starts the lab over a simulator in a worker. */
  connect(client: Remote<LabClient>, start: ComparingSurroundings['start']): void {
    this.startWorker = start;
    const runOnServer = runOverSocket(socketAddress(location.href));
    const reduced = matchMedia('(prefers-reduced-motion: reduce)');
    const motion = (): 'full' | 'reduced' => (reduced.matches ? 'reduced' : 'full');
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
    const controller = new LabController({
      client,
      motion,
      fetch: (input, init) => fetch(input, init),
      runOnServer,
      changed,
    });
    this.controller = controller;
    this.client = client;
    this.lessons = new Lessons({
      controller,
      client,
      changed: () => {
        this.requestUpdate();
        return this.updateComplete;
      },
      panel: name => this.showPanel(name),
      compare: machines => this.openComparison({machines}),
      now: () => performance.now(),
    });
    this.lessons.listen(this);
    this.inspectable = {inspect: request => client.inspect(request)};
    const wanted = linkedMoment(controller);
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
      if (lab.state.hint === 'exit' && command === 'next-exit') {
        keepHinted();
        lab.hint('route');
      } else if (lab.state.hint === 'route' && command !== 'help' && command !== 'present') lab.hint(undefined);
    });
  }

  inspector(): void {
    this.inspectorElement?.toggleSize();
  }

  private get inspectorElement(): Inspector | undefined {
    const inspector = this.renderRoot.querySelector('hs-inspector');
    return inspector instanceof Inspector ? inspector : undefined;
  }

  /** Opens memory at an address that somebody pressed. */
  private follow({detail: {space, address}}: FollowEvent): void {
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
    const help = this.renderRoot.querySelector('hs-help');
    if (help instanceof Help) help.show();
  }

  askStep(): void {
    const ask = this.renderRoot.querySelector('hs-ask-step');
    if (ask instanceof AskStep) ask.show();
  }

  /** Opens the search and puts the cursor into it. */
  find(): void {
    if (this.presenting) return;
    this.with(lab => lab.time.openFinds());
    void this.updateComplete.then(() => {
      const finds = this.renderRoot.querySelector('hs-finds');
      if (finds instanceof TraceFinds) finds.ask();
    });
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
    if (technique === undefined) return;
    this.with(
      lab => void lab.open({technique, guest, edited, switches, step}).catch((error: unknown) => lab.fail(error)),
    );
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

  private runSource(source: string | undefined): void {
    this.with(lab => void lab.runEdited(source).catch((error: unknown) => lab.fail(error)));
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
        return void this.share().catch((error: unknown) => this.controller?.fail(error));
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
    this.with(lab => void lab.open({technique, guest, edited}).catch((error: unknown) => lab.fail(error)));
  }

  private async paradox(): Promise<void> {
    if (this.startWorker === undefined) return;
    try {
      const {openParadox} = await import('../costs/open-paradox.js');
      await openParadox(this, this.startWorker);
    } catch (error) {
      this.with(lab => lab.fail(error));
    }
  }

  /** What a ported guest's port changed. */
  private async port(): Promise<void> {
    const {client, lab} = this;
    if (client === undefined) return;
    try {
      const {openPort} = await import('../port/open-port.js');
      await openPort(this, client, lab.guest);
    } catch (error) {
      this.with(controller => controller.fail(error));
    }
  }

  /** A scenario or a stretch of the run as a page to print, or as an animated picture. */
  private async keepWalk(): Promise<void> {
    const {startWorker: start, lab, lessons} = this;
    if (start === undefined) return;
    try {
      this.address.write();
      const {openWalkDialog} = await import('../walk/open-walk.js');
      const image = this.images.get(lab.guest);
      await openWalkDialog({element: this, lab, scenario: lessons?.played, image, start});
    } catch (error) {
      this.with(controller => controller.fail(error));
    }
  }

  private async share(): Promise<void> {
    this.address.write();
    const {openShareDialog} = await import('./sharing.js');
    await openShareDialog(this, this.lab, this.address.moment, this.theme);
  }

  private readonly followLink = (): void => {
    this.with(lab => {
      const moment = linkedMoment(lab);
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
      ${this.dialogs()} ${this.presenting ? presentationParts(this.presentation) : nothing}`;
  }

  private dialogs(): TemplateResult {
    const {moment} = this.lab;
    const compared = this.comparing?.range;
    return html`<hs-help .view=${compared === undefined ? 'lab' : 'comparison'}></hs-help>
      <hs-ask-step
        .of=${compared === undefined ? 'step' : 'instruction'}
        .index=${compared?.instruction ?? moment?.index ?? 0}
        .length=${compared?.instructions ?? moment?.length ?? 0}
      ></hs-ask-step>`;
  }

  private body(): TemplateResult {
    const {phase, moment} = this.lab;
    if (phase.kind === 'failed') {
      return html`<main class="panel center">
        <div class="failed" role="alert">
          <h2>The simulator stopped</h2>
          <p>${phase.why}</p>
          <button @click=${() => location.reload()}>Reload the page</button>
        </div>
      </main>`;
    }
    if (phase.kind === 'loading' || moment === undefined) {
      return html`<main class="panel center">
        <div role="status">
          <div class="spinner"></div>
          ${phase.kind === 'loading' ? phase.what : 'Starting'}…
        </div>
      </main>`;
    }
    const comparison = this.comparing?.element;
    if (comparison !== undefined) return html`<main class="comparing">${comparison}</main>`;
    const technique = this.lab.catalogue.techniques.find(entry => entry.id === this.lab.technique);
    const host = technique?.host ?? 'none';
    const hypervised = host === 'hardware';
    const guest = this.lab.catalogue.guests.find(entry => entry.id === this.lab.guest);
    const hasExits = hypervised || (guest?.isHypervisor ?? false);
    const picture = stagePicture(moment, host);
    const editor = this.editing.element;
    const scenario = this.lessons?.scenario;
    const kinds = [editor === undefined ? '' : 'editing', scenario === undefined ? '' : 'lesson'];
    return html`<main class=${kinds.join(' ').trim()}>
        ${scenario === undefined ? nothing : html`<section class="panel scenario">${scenario}</section>`}
        ${codePanel(this.lab, hypervised, editor)}
        ${stagePanel(this.lab, picture, this.presenting ? 'presenting' : 'working', this.presentation.panel)}
        <section class="panel right" aria-label="Inspector">
          <hs-inspector
            .state=${this.lab}
            .tab=${this.tab}
            .client=${this.inspectable}
            ?hypervised=${hasExits}
            .under=${host}
            technique=${technique?.title ?? ''}
            ?hall=${this.presenting}
          ></hs-inspector>
        </section>
      </main>
      ${timelinePanel(this.lab, host, hasExits)}`;
  }
}
