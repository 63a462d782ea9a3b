// The guest's code: addresses, bytes and text, or the source it was assembled from; the current line; and chips that
// say what classification found: privileged, sensitive, stealth, exits. While the guest plays this is drawn for every picture:
// a line that says what it said before is left as it is, and the current one is found without measuring anything.

import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {guard} from 'lit/directives/guard.js';
import {repeat} from 'lit/directives/repeat.js';
import type {Actor, Breakpoint, CodeLine} from '@hyperscope/trace';
import {actorLook} from './actors.js';
import {BreakpointEvent} from './breakpoint-list.js';
import {codeViewStyles} from './code-view-styles.js';
import {sharedStyles} from './shared-styles.js';

type Chip = CodeLine['chips'][number];

const CHIP_NAMES: Readonly<Record<Chip['label'], string>> = {
  privileged: 'privileged',
  'IOPL-sensitive': 'IOPL',
  'system-call': 'system call',
  stealth: 'stealth',
  exits: 'exits',
};

@customElement('hs-code-view')
export class CodeView extends LitElement {
  static override readonly styles = [sharedStyles, codeViewStyles];

  @property({attribute: false}) lines: readonly CodeLine[] = [];
  @property({attribute: false}) current: bigint | undefined = undefined;
  /** NASM source, when there is one; then a toggle appears. */
  @property({attribute: false}) source: string | undefined = undefined;
  /** 'left': the guest stopped here and its host runs. */
  @property() standing: 'running' | 'left' = 'running';
  /** Who runs, for the pointer's colour. */
  @property({attribute: false}) who: Actor = 'guest-kernel';
  /** Where runs stop: a dot beside the line. */
  @property({attribute: false}) breakpoints: readonly Breakpoint[] = [];
  @state() private view: 'disassembly' | 'source' = 'disassembly';
  /** As the last layout left it, in CSS pixels: the room for lines, the height of one, and how far they are scrolled. */
  private room = 0;
  private lineHeight = 0;
  private scrolled = 0;
  /** Told after a layout, when measuring makes none. */
  private readonly sizes = new ResizeObserver(entries => this.measured(entries));

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  protected override firstUpdated(): void {
    this.watch();
  }

  private watch(): void {
    for (const part of this.renderRoot.querySelectorAll('.lines, .ruler')) this.sizes.observe(part);
  }

  private measured(entries: readonly ResizeObserverEntry[]): void {
    for (const {target, contentRect} of entries) {
      if (target.classList.contains('lines')) this.room = contentRect.height;
      else this.lineHeight = contentRect.height;
    }
    this.showCurrent();
  }

  override render(): TemplateResult {
    const token = actorLook(this.who).token;
    const {isSource} = this;
    return html`${this.source === undefined ? nothing : this.toggle(isSource ? 'source' : 'disassembly')}
      <div
        class="lines"
        tabindex="0"
        role="region"
        aria-label="Guest code, ${isSource ? 'source' : 'disassembly'}"
        .style=${`--who: var(${token})`}
        @scroll=${this.onScroll}
      >
        ${isSource ? this.sourceLines(this.source ?? '') : this.disassembly()}
        <div class="ruler" aria-hidden="true"></div>
      </div>`;
  }

  /** Where no code is known at the playhead (the host is setting up), the source still says what is going to run. */
  private get isSource(): boolean {
    return this.source !== undefined && (this.view === 'source' || this.lines.length === 0);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('current') || changed.has('lines') || changed.has('source')) this.showCurrent();
  }

  private readonly onScroll = (event: Event): void => {
    if (event.target instanceof Element) this.scrolled = event.target.scrollTop;
  };

  /** Scrolls the current line into sight, by what was measured last: measuring here would lay the whole page out at once. */
  private showCurrent(): void {
    const line = this.lines.find(each => each.address === this.current);
    const row = this.isSource ? (line?.sourceLine ?? 0) - 1 : this.lines.findIndex(each => each === line);
    const box = this.renderRoot.querySelector('.lines');
    if (line === undefined || row < 0 || box === null || this.lineHeight === 0) return;
    const top = row * this.lineHeight;
    const above = top - this.scrolled;
    if (above >= 24 && above <= this.room - 40) return;
    this.scrolled = Math.max(0, top - this.room * 0.35);
    box.scrollTop = this.scrolled;
  }

  private toggle(shown: 'disassembly' | 'source'): TemplateResult {
    const button = (view: 'disassembly' | 'source', name: string): TemplateResult =>
      html`<button
        aria-pressed=${shown === view}
        @click=${() => {
          this.view = view;
        }}
      >
        ${name}
      </button>`;
    return html`<div class="bar" role="group" aria-label="How the code is shown">
      ${button('disassembly', 'Disassembly')}${button('source', 'Source')}<slot name="tools"></slot>
    </div>`;
  }

  private mark(current: boolean): string {
    return current ? `current ${this.standing}` : '';
  }

  private disassembly(): TemplateResult {
    if (this.lines.length === 0) return html`<p class="empty">No code is known at this address.</p>`;
    return html`${repeat(
      this.lines,
      line => line.address,
      line => {
        const current = line.address === this.current;
        const breakpoint = {kind: 'address', address: line.address} as const;
        const said = [line.bytes, line.text, this.mark(current), this.isSet(breakpoint), chipsText(line.chips)];
        return guard(
          said,
          () =>
            html`<div class="line ${this.mark(current)}" aria-current=${current ? 'step' : nothing}>
              ${this.gutter(breakpoint, current)}<span class="where">${line.address.toString(16)}</span>
              <span class="bytes" title=${line.bytes}>${line.bytes}</span
              ><span>${line.text.replaceAll(/ +/g, ' ')}</span>${chips(line.chips)}
            </div>`,
        );
      },
    )}`;
  }

  private isSet(breakpoint: Breakpoint): boolean {
    return this.breakpoints.some(one => isSame(one, breakpoint));
  }

  /** The pointer, and the place where a click sets a breakpoint. Keys set one at the current line, so that Tab need not stop here. */
  private gutter(breakpoint: Extract<Breakpoint, {kind: 'address' | 'line'}>, current: boolean): TemplateResult {
    const isSet = this.isSet(breakpoint);
    return html`<span
      class="gutter ${isSet ? 'set' : ''}"
      title=${isSet ? 'Breakpoint; click to take it away' : 'Click to stop here (x at the current line)'}
      @click=${() => this.dispatchEvent(new BreakpointEvent(breakpoint))}
      >${isSet ? html`<span class="visually-hidden">breakpoint</span>` : nothing}${
        current
          ? html`<svg class="pointer" viewBox="0 0 12 12" role="img" aria-label="next">
              <path d="M2 1L11 6L2 11z"></path>
            </svg>`
          : nothing
      }</span
    >`;
  }

  private sourceLines(source: string): TemplateResult {
    // Of the instructions that a macro made of one line, the current one stands for the line.
    const byLine = new Map<number, CodeLine>();
    for (const line of this.lines) {
      if (line.sourceLine === undefined) continue;
      if (!byLine.has(line.sourceLine) || line.address === this.current) byLine.set(line.sourceLine, line);
    }
    return html`${source.split('\n').map((text, index) => {
      const line = byLine.get(index + 1);
      const current = line !== undefined && line.address === this.current;
      const breakpoint = {kind: 'line', line: index + 1} as const;
      const said = [text, this.mark(current), this.isSet(breakpoint), chipsText(line?.chips ?? [])];
      return guard(said, () => {
        const at = text.indexOf(';');
        const code = at < 0 ? text : text.slice(0, at);
        return html`<div class="line bytes-off ${this.mark(current)}" aria-current=${current ? 'step' : nothing}>
          ${this.gutter(breakpoint, current)}<span class="where">${String(index + 1).padStart(3)}</span>
          <span>${code}${at < 0 ? nothing : html`<span class="comment">${text.slice(at)}</span>`}</span>
          ${chips(line?.chips ?? [])}
        </div>`;
      });
    })}`;
  }
}

function chips(found: readonly Chip[]): TemplateResult {
  return html`<span class="chips"
    >${found.map(chip => html`<span class="chip ${chip.label}" title="${chip.label}: ${chip.why}">${CHIP_NAMES[chip.label]}</span>`)}</span
  >`;
}

/** What chips say, as one value to compare. */
const chipsText = (found: readonly Chip[]): string => found.map(({label, why}) => `${label} ${why}`).join('\n');

const isSame = (a: Breakpoint, b: Breakpoint): boolean =>
  a.kind === 'address'
    ? b.kind === 'address' && a.address === b.address
    : a.kind === 'line' && b.kind === 'line' && a.line === b.line;
