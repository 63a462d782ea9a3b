// The editor of a guest's source: type, see what is wrong and what bytes it makes, run it, go back. Loaded when it is first
// asked for. It knows no simulator: assembling is asked of `tools`, and running of whoever hears its events.

import {sharedStyles} from '@hyperscope/elements';
import {EditorView, type ViewUpdate} from '@codemirror/view';
import type {EditorState} from '@codemirror/state';
import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {AssembledText, AssemblyVocabulary, SourceDiagnostic} from '../lab-client.js';
import {showBytes} from './bytes-gutter.js';
import {placeOf, showDiagnostics} from './diagnostics.js';
import {editorState} from './editor-state.js';
import {knownWords, type KnownWords} from './nasm-words.js';
import {showRunningLine} from './running-line.js';
import {sourceEditorStyles} from './source-editor-styles.js';
import {saveFile} from '../save-file.js';
import {openText} from './text-file.js';

/** Between the last key and the assembler, in milliseconds. */
const PAUSE = 250;

export interface EditorTools {
  assemble(guest: string, source: string): Promise<AssembledText>;
  vocabulary(): Promise<AssemblyVocabulary>;
}

/** Runs a text in the place of the guest's own; undefined: the guest's own again. */
export class RunSourceEvent extends CustomEvent<{readonly source: string | undefined}> {
  constructor(source: string | undefined) {
    super('hs-run-source', {detail: {source}, bubbles: true, composed: true});
  }
}

interface Draft {
  state: EditorState;
  /** The text as it ships, or as it was last saved. */
  kept: string;
}

@customElement('hs-source-editor')
export class SourceEditor extends LitElement {
  static override readonly styles = [sharedStyles, sourceEditorStyles];

  @property({attribute: false}) guest = '';
  /** The text as it ships. */
  @property({attribute: false}) shipped = '';
  /** The text that runs. */
  @property({attribute: false}) running = '';
  /** The line of `running` that is executed next, from 1. */
  @property({attribute: false}) line: number | undefined = undefined;
  @property({attribute: false}) tools: EditorTools | undefined = undefined;

  @state() private problems: readonly SourceDiagnostic[] = [];
  @state() private text = '';
  @state() private standing = '';

  private readonly drafts = new Map<string, Draft>();
  private words: KnownWords | undefined = undefined;
  private view: EditorView | undefined = undefined;
  private shownGuest = '';
  private timer: ReturnType<typeof setTimeout> | undefined = undefined;

  /** Whether a draft differs from what ships and from what was saved. */
  get hasUnsaved(): boolean {
    this.keepDraft();
    return [...this.drafts.values()].some(draft => draft.state.doc.toString() !== draft.kept);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.view?.requestMeasure();
  }

  protected override firstUpdated(): void {
    void this.start();
  }

  private async start(): Promise<void> {
    if (this.tools === undefined) return;
    this.words = knownWords(await this.tools.vocabulary());
    this.showGuest();
    this.focusText();
  }

  /** Puts the cursor into the text. */
  focusText(): void {
    this.view?.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('guest') || changed.has('shipped')) this.showGuest();
    if (changed.has('line') || changed.has('running') || changed.has('guest')) this.showLine();
  }

  private showGuest(): void {
    const {words} = this;
    if (words === undefined || this.guest === '' || this.shownGuest === this.guest) return;
    this.keepDraft();
    const draft = this.drafts.get(this.guest) ?? this.newDraft(words);
    this.drafts.set(this.guest, draft);
    this.shownGuest = this.guest;
    this.view ??= this.newView();
    this.view.setState(draft.state);
    this.text = draft.state.doc.toString();
    this.standing = '';
    this.showLine();
    void this.assemble();
  }

  private newView(): EditorView {
    const parent = this.renderRoot.querySelector('.text');
    return new EditorView({...(parent === null ? {} : {parent}), root: this.shadowRoot ?? document});
  }

  private newDraft(words: KnownWords): Draft {
    const state = editorState(this.running, words, {
      run: () => void this.run(),
      save: this.save,
      leave: this.leave,
      changed: this.textChanged,
    });
    return {state, kept: this.shipped};
  }

  private keepDraft(): void {
    const draft = this.drafts.get(this.shownGuest);
    if (draft !== undefined && this.view !== undefined) draft.state = this.view.state;
  }

  private readonly textChanged = (update: ViewUpdate): void => {
    if (!update.docChanged) return;
    this.text = update.state.doc.toString();
    this.standing = '';
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.assemble(), PAUSE);
  };

  /** Assembles the text and shows what came of it; undefined when the text has changed meanwhile. */
  private async assemble(): Promise<AssembledText | undefined> {
    const {view, tools, guest} = this;
    clearTimeout(this.timer);
    if (view === undefined || tools === undefined) return undefined;
    const text = view.state.doc;
    const result = await tools.assemble(guest, text.toString());
    if (view.state.doc !== text || guest !== this.guest) return undefined;
    if (result.isRunnable) view.dispatch({effects: showBytes.of(result.lines)});
    view.dom.classList.toggle('cm-stale', !result.isRunnable);
    showDiagnostics(view, result.diagnostics);
    this.problems = result.diagnostics;
    this.showLine();
    return result;
  }

  private showLine(): void {
    const isRunning = this.view?.state.doc.toString() === this.running;
    this.view?.dispatch({effects: showRunningLine.of(isRunning ? this.line : undefined)});
  }

  private async run(): Promise<void> {
    const result = await this.assemble();
    if (result === undefined) return;
    if (!result.isRunnable) {
      this.standing = 'This text does not assemble, so the run before it stays.';
      return this.showProblem();
    }
    const source = this.view?.state.doc.toString();
    this.standing = '';
    // The same text runs the same way again.
    if (source === this.running) return;
    this.dispatchEvent(new RunSourceEvent(source === this.shipped ? undefined : source));
  }

  private showProblem(): void {
    const first = this.problems.find(problem => problem.severity === 'error');
    if (first === undefined || this.view === undefined) return;
    const {from} = placeOf(first, this.view.state.doc);
    this.view.dispatch({selection: {anchor: from}, effects: EditorView.scrollIntoView(from, {y: 'center'})});
    this.view.focus();
  }

  private readonly original = (): void => {
    this.replaceText(this.shipped);
    this.dispatchEvent(new RunSourceEvent(undefined));
    this.standing = 'The original is back; undo brings the change back.';
  };

  private replaceText(text: string): void {
    const {view} = this;
    if (view === undefined || view.state.doc.toString() === text) return;
    view.dispatch({changes: {from: 0, to: view.state.doc.length, insert: text}, selection: {anchor: 0}});
    view.focus();
  }

  private readonly openFile = async (event: Event): Promise<void> => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const file = event.target.files?.[0];
    event.target.value = '';
    if (file === undefined) return;
    const read = await openText(file);
    if (read.kind === 'text') this.replaceText(read.text);
    this.standing = read.kind === 'text' ? `${file.name} is in the editor.` : read.why;
  };

  private readonly save = (): void => {
    saveFile(`${this.guest}.asm`, new Blob([this.text], {type: 'text/plain;charset=utf-8'}));
    const draft = this.drafts.get(this.shownGuest);
    if (draft !== undefined) draft.kept = this.text;
    this.standing = `Saved as ${this.guest}.asm.`;
  };

  private readonly leave = (): void => {
    this.renderRoot.querySelector<HTMLButtonElement>('.run')?.focus();
  };

  private readonly close = (): void => {
    this.dispatchEvent(new CustomEvent('hs-close-editor', {bubbles: true, composed: true}));
  };

  override render(): TemplateResult {
    const isUnsaved = this.text !== (this.drafts.get(this.shownGuest)?.kept ?? this.text);
    return html`<div class="bar" role="group" aria-label="Editor">
        <button class="run" title="Assemble and run (Ctrl-Enter)" @click=${() => void this.run()}>
          Assemble and run
        </button>
        <button
          ?disabled=${this.text === this.shipped && this.running === this.shipped}
          aria-label="Back to the original"
          title="The text as it ships, run again"
          @click=${this.original}
        >
          Original
        </button>
        <label class="open" title="Open a file of assembly in place of this text"
          >Open…<input class="visually-hidden" type="file" accept=".asm,.nasm,.s,.txt" @change=${this.openFile}
        /></label>
        <button title="Save as ${this.guest}.asm (Ctrl-S)" @click=${this.save}>Save</button>
        <button title="Back to disassembly; the text is kept" @click=${this.close}>Done</button>
      </div>
      <div class="text"></div>
      <div class="standing">
        <p role="status">${this.verdict()}</p>
        ${isUnsaved ? html`<span class="unsaved" title="Not saved to a file">● unsaved</span>` : nothing}
      </div>`;
  }

  private verdict(): TemplateResult {
    const errors = this.problems.filter(problem => problem.severity === 'error');
    const [first] = errors;
    const state = this.standing === '' ? '' : `${this.standing} `;
    if (first !== undefined)
      return html`${state}<button class="problem" @click=${() => this.showProblem()}>
          ${errors.length === 1 ? 'One error' : `${errors.length} errors`}, line ${first.line}: ${first.message}
        </button>`;
    if (state !== '') return html`${state}`;
    return this.text === this.running
      ? html`This is the text that runs.`
      : html`This text assembles; Ctrl-Enter runs it.`;
  }
}
