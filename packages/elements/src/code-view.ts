// The guest's code: addresses, bytes and text, or the source it was assembled from; the current line; and chips that
// say what classification found: privileged, sensitive, stealth, exits.

import {LitElement, css, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import type {Actor, Breakpoint, CodeLine} from '@hyperscope/trace';
import {actorLook} from './actors.js';
import {BreakpointEvent} from './breakpoint-list.js';
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
  static override readonly styles = [
    sharedStyles,
    css`
      :host {
        container-type: inline-size;
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .bar {
        display: flex;
        gap: 2px;
        margin-bottom: 6px;
      }
      .bar button {
        border: 0;
        border-bottom: 2px solid transparent;
        border-radius: 0;
        padding: 3px 8px;
        background: none;
        color: var(--mute);
      }
      .bar button[aria-pressed='true'] {
        color: var(--ink);
        border-color: var(--ink);
        font-weight: 650;
      }
      .lines {
        overflow: auto;
        min-height: 0;
        flex: 1;
        font-family: var(--mono);
        font-size: var(--code);
      }
      .line {
        display: grid;
        grid-template-columns: 12px minmax(4ch, max-content) 9ch minmax(max-content, 1fr) max-content;
        gap: 0 7px;
        align-items: center;
        padding: 2px 6px 2px 4px;
        border-radius: 4px;
        white-space: pre;
        min-width: min-content;
      }
      .line.bytes-off {
        grid-template-columns: 14px max-content minmax(16ch, 1fr) max-content;
      }
      .where,
      .bytes {
        color: var(--mute);
      }
      .bytes {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .current {
        background: var(--hit);
        color: var(--hit-ink);
        box-shadow: inset 3px 0 0 var(--who);
      }
      .current .where,
      .current .bytes {
        color: inherit;
      }
      .gutter {
        display: block;
        width: 12px;
        height: 14px;
        line-height: 14px;
        border-radius: 7px;
        cursor: pointer;
      }
      .gutter:hover {
        box-shadow: inset 0 0 0 1.5px var(--bad);
      }
      .gutter.set {
        background: var(--bad);
      }
      .gutter.set .pointer {
        fill: var(--panel);
      }
      .pointer {
        width: 12px;
        height: 12px;
        fill: var(--who);
      }
      .left {
        background: none;
        color: inherit;
        box-shadow:
          inset 3px 0 0 var(--who),
          inset 0 0 0 1px var(--strong-line);
      }
      .left .pointer {
        fill: none;
        stroke: var(--who);
        stroke-width: 1.6;
      }
      .comment {
        color: var(--mute);
      }
      .current .comment {
        color: inherit;
      }
      .chips {
        display: flex;
        gap: 4px;
        position: sticky;
        inset-inline-end: 2px;
        /* A long instruction fades out under what is said of it. */
        --under: var(--panel);
        background: var(--under);
        box-shadow: -6px 0 5px var(--under);
      }
      .chips:empty {
        display: none;
      }
      .current .chips {
        --under: var(--hit);
      }
      .left .chips {
        --under: var(--panel);
      }
      .bytes {
        font-size: 0.92em;
      }
      @container (max-width: 340px) {
        .line {
          grid-template-columns: 12px max-content 6ch minmax(max-content, 1fr) max-content;
          gap: 0 5px;
        }
        .chips {
          gap: 2px;
        }
        .chip {
          padding: 0 5px;
        }
      }
      @container (max-width: 250px) {
        .bytes {
          display: none;
        }
        .line {
          grid-template-columns: 12px max-content minmax(max-content, 1fr) max-content;
        }
      }
      .chip {
        font: 650 11px/1.5 var(--sans);
        padding: 0 7px;
        border-radius: 9px;
        border: 1px solid currentColor;
        cursor: help;
      }
      .chip.exits {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      .chip.privileged {
        background: var(--vmm-tint);
        color: var(--vmm-ink);
      }
      .chip.system-call,
      .chip.IOPL-sensitive {
        background: var(--device-tint);
        color: var(--device-ink);
      }
      .chip.stealth {
        background: var(--stealth-tint);
        color: var(--stealth-ink);
        border-style: dashed;
      }
    `,
  ];

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

  override render(): TemplateResult {
    const token = actorLook(this.who).token;
    // Where no code is known at the playhead (the host is setting up), the source still says what is going to run.
    const isSource = this.source !== undefined && (this.view === 'source' || this.lines.length === 0);
    return html`${this.source === undefined ? nothing : this.toggle(isSource ? 'source' : 'disassembly')}
      <div
        class="lines"
        tabindex="0"
        role="region"
        aria-label="Guest code, ${isSource ? 'source' : 'disassembly'}"
        .style=${`--who: var(${token})`}
      >
        ${isSource ? this.sourceLines(this.source ?? '') : this.disassembly()}
      </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('current') || changed.has('lines') || changed.has('source')) this.showCurrent();
  }

  private showCurrent(): void {
    const box = this.renderRoot.querySelector('.lines');
    const line = this.renderRoot.querySelector('.current');
    if (box === null || line === null) return;
    const above = line.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const room = box.clientHeight;
    if (above < 24 || above > room - 40) box.scrollTop += above - room * 0.35;
  }

  private toggle(shown: 'disassembly' | 'source'): TemplateResult {
    const button = (view: 'disassembly' | 'source', name: string): TemplateResult =>
      html`<button
        aria-pressed=${shown === view}
        @click=${() => {
          this.view = view;
          void this.updateComplete.then(() => {
            this.showCurrent();
          });
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
    return html`${this.lines.map(line => {
      const current = line.address === this.current;
      return html`<div class="line ${this.mark(current)}" aria-current=${current ? 'step' : nothing}>
        ${this.gutter({kind: 'address', address: line.address}, current)}<span class="where"
          >${line.address.toString(16)}</span
        >
        <span class="bytes" title=${line.bytes}>${line.bytes}</span
        ><span>${line.text.replaceAll(/ +/g, ' ')}</span>${chips(line.chips)}
      </div>`;
    })}`;
  }

  /** The pointer, and the place where a click sets a breakpoint. Keys set one at the current line, so that Tab need not stop here. */
  private gutter(breakpoint: Extract<Breakpoint, {kind: 'address' | 'line'}>, current: boolean): TemplateResult {
    const isSet = this.breakpoints.some(one => isSame(one, breakpoint));
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
      const at = text.indexOf(';');
      const code = at < 0 ? text : text.slice(0, at);
      return html`<div class="line bytes-off ${this.mark(current)}" aria-current=${current ? 'step' : nothing}>
        ${this.gutter({kind: 'line', line: index + 1}, current)}<span class="where"
          >${String(index + 1).padStart(3)}</span
        >
        <span>${code}${at < 0 ? nothing : html`<span class="comment">${text.slice(at)}</span>`}</span>
        ${chips(line?.chips ?? [])}
      </div>`;
    })}`;
  }
}

function chips(found: readonly Chip[]): TemplateResult {
  return html`<span class="chips"
    >${found.map(chip => html`<span class="chip ${chip.label}" title="${chip.label}: ${chip.why}">${CHIP_NAMES[chip.label]}</span>`)}</span
  >`;
}

const isSame = (a: Breakpoint, b: Breakpoint): boolean =>
  a.kind === 'address'
    ? b.kind === 'address' && a.address === b.address
    : a.kind === 'line' && b.kind === 'line' && a.line === b.line;
