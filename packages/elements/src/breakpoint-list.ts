// The breakpoints of the lab: each with a button that takes it away, and a line to add one that no click in the code can:
// an exit by its reason, a port, a byte of memory.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Breakpoint} from '@hyperscope/trace';
import {sharedStyles} from './shared-styles.js';

/** A breakpoint was set, or taken away where it stood already. */
export class BreakpointEvent extends CustomEvent<Breakpoint> {
  constructor(breakpoint: Breakpoint) {
    super('hs-breakpoint', {detail: breakpoint, bubbles: true, composed: true});
  }
}

/** Run until the next breakpoint, or back to the one before. */
export class RunEvent extends CustomEvent<{readonly direction: 'forward' | 'back'}> {
  constructor(direction: 'forward' | 'back') {
    super('hs-run', {detail: {direction}, bubbles: true, composed: true});
  }
}

/** `port 0x3f8`, `line 12`, `exit: I/O instruction`. */
export function breakpointName(breakpoint: Breakpoint): string {
  switch (breakpoint.kind) {
    case 'address':
      return `0x${breakpoint.address.toString(16)}`;
    case 'line':
      return `line ${breakpoint.line}`;
    case 'exit':
      return breakpoint.reason === '' ? 'any exit' : `exit: ${breakpoint.reason}`;
    case 'port':
      return `port 0x${breakpoint.port.toString(16)}`;
    case 'write':
      return `write to GPA 0x${breakpoint.gpa.toString(16)}`;
  }
}

@customElement('hs-breakpoints')
export class BreakpointList extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      section {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 10px;
        align-items: center;
      }
      ul {
        display: contents;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        border: 1px solid var(--bad);
        border-radius: 12px;
        padding-inline-start: 9px;
        font: var(--code) / 1 var(--mono);
      }
      li button {
        border: 0;
        background: none;
        min-width: 26px;
        min-height: 26px;
        padding: 0;
      }
      form {
        display: flex;
        gap: 4px;
      }
      select,
      input {
        font: inherit;
        color: inherit;
        background: var(--panel);
        border: 1px solid var(--strong-line);
        border-radius: 6px;
        min-height: 28px;
        padding: 0 6px;
      }
      input {
        width: 9em;
        font-family: var(--mono);
      }
      button {
        min-height: 28px;
        padding: 1px 10px;
      }
    `,
  ];

  @property({attribute: false}) breakpoints: readonly Breakpoint[] = [];
  /** Names of the exits that the run has had, to choose from. */
  @property({attribute: false}) reasons: readonly string[] = [];

  override render(): TemplateResult {
    return html`<section aria-label="Breakpoints">
      <b>Stop at</b>
      <ul>
        ${this.breakpoints.map(
          breakpoint =>
            html`<li>
              ${breakpointName(breakpoint)}
              <button
                aria-label="Remove ${breakpointName(breakpoint)}"
                @click=${() => this.dispatchEvent(new BreakpointEvent(breakpoint))}
              >
                ✕
              </button>
            </li>`,
        )}
      </ul>
      <form @submit=${this.add}>
        <select name="kind" aria-label="Kind of breakpoint">
          <option value="exit">exit</option>
          <option value="port">port</option>
          <option value="write">write to GPA</option>
          <option value="address">address</option>
        </select>
        <input name="value" aria-label="Reason, port or address" placeholder="any, or 0x3f8" list="reasons" />
        <datalist id="reasons">${this.reasons.map(reason => html`<option value=${reason}></option>`)}</datalist>
        <button>Add</button>
      </form>
      <button @click=${() => this.run('back')}>Run back</button>
      <button @click=${() => this.run('forward')}>Run</button>
      <button
        aria-label="Close the breakpoints; they stay"
        @click=${() => this.dispatchEvent(new CustomEvent('hs-open-breakpoints', {bubbles: true, composed: true}))}
      >
        Close
      </button>
      ${this.breakpoints.length === 0 ? html`<span class="mute">Click beside a line of code, or press x.</span>` : nothing}
    </section>`;
  }

  private run(direction: 'forward' | 'back'): void {
    this.dispatchEvent(new RunEvent(direction));
  }

  private readonly add = (event: SubmitEvent): void => {
    event.preventDefault();
    const {target} = event;
    if (!(target instanceof HTMLFormElement)) return;
    const input = target.querySelector('input');
    const breakpoint = breakpointOf(target.querySelector('select')?.value ?? '', input?.value.trim() ?? '');
    input?.setCustomValidity(breakpoint === undefined ? 'A number is needed here: 0x3f8 or 1016.' : '');
    input?.reportValidity();
    if (breakpoint === undefined) return;
    this.dispatchEvent(new BreakpointEvent(breakpoint));
    target.reset();
  };
}

function breakpointOf(kind: string, text: string): Breakpoint | undefined {
  if (kind === 'exit') return {kind, reason: text === 'any' ? '' : text};
  if (!/^(0x[\da-f]+|\d+)$/i.test(text)) return undefined;
  if (kind === 'port') return {kind, port: Number(text)};
  return kind === 'write' ? {kind, gpa: Number(text)} : {kind: 'address', address: BigInt(text)};
}
