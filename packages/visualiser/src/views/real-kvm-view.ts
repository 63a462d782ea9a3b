// The real run beside the simulated one, and what to do when there is no /dev/kvm.

import {sharedStyles, type CompareRow} from '@hyperscope/elements';
import type {DifferenceClass} from '@hyperscope/trace';
import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {RealComparison} from '../lab-client.js';
import type {RealState} from '../lab-state.js';
import type {KvmAvailability} from '../real-kvm.js';

const CLASS_NAMES: Readonly<Record<DifferenceClass, string>> = {
  timing: 'time',
  cpuid: 'another processor',
  'undefined-flags': 'undefined flags',
  'kept-inside-kvm': 'kept inside KVM',
  'no-hypervisor': 'no hypervisor',
  'host-quirk': 'this host’s KVM',
  unexplained: 'unexplained',
};

@customElement('hs-real-kvm-view')
export class RealKvmView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    css`
      .label {
        background: var(--device-tint);
        color: var(--device-ink);
        border-inline-start: 5px solid var(--device);
        border-radius: 0 8px 8px 0;
        padding: 8px 12px;
        margin-bottom: 10px;
      }
      .label p {
        margin: 2px 0;
      }
      .trouble {
        border-inline-start: 5px solid var(--bad);
        padding: 4px 12px;
      }
      ol {
        padding-inline-start: 1.3em;
        margin: 6px 0;
        display: grid;
        gap: 5px;
      }
      code {
        font: var(--code) var(--mono);
        background: var(--sunken);
        padding: 0 4px;
        border-radius: 4px;
        color: var(--ink);
      }
      summary {
        cursor: pointer;
        font-weight: 600;
        min-height: 24px;
      }
      table {
        margin-bottom: 12px;
      }
      caption {
        text-align: start;
        font-size: 0.786em;
        letter-spacing: 0.06em;
        text-transform: uppercase;
        color: var(--mute);
        font-weight: 650;
        padding-bottom: 3px;
      }
      td,
      table th {
        padding: 2px 8px 2px 0;
        border-bottom: 1px solid var(--line);
        vertical-align: top;
      }
      td.why {
        font-size: 0.86em;
        color: var(--mute);
      }
      .count {
        font-variant-numeric: tabular-nums;
      }
      .good b {
        color: var(--good);
      }
      .bad b {
        color: var(--bad);
      }
      p {
        margin: 0 0 8px;
      }
      ul {
        margin: 4px 0;
        padding-inline-start: 1.2em;
        display: grid;
        gap: 3px;
      }
      .start {
        border: 2px solid var(--device);
        font-weight: 650;
        margin: 6px 0 12px;
      }
    `,
  ];

  @property({attribute: false}) real: RealState = {kind: 'idle'};
  @property({attribute: false}) availability: KvmAvailability | undefined = undefined;
  @property({attribute: false}) index = 0;
  @property() technique = '';
  /** What can be shown instead of a run, or why nothing can. */
  @property({attribute: false}) instead: 'recording' | 'nothing' | {readonly never: string} = 'recording';

  override render(): TemplateResult {
    const {real} = this;
    switch (real.kind) {
      case 'idle':
        if (typeof this.instead === 'object') return html`<p>${this.instead.never}</p>`;
        if (this.instead === 'nothing' && this.availability?.kind === 'recording')
          return this.absent(this.availability.why);
        return html`<p>The same bytes, on a processor that exists. Its exits appear beside the simulated ones.</p>
          <button
            class="start"
            @click=${() => this.dispatchEvent(new CustomEvent('hs-run-real', {bubbles: true, composed: true}))}
          >
            ${this.availability?.kind === 'live' ? 'Run on real KVM' : 'Show the recording of real KVM'}
          </button>
          ${this.availability?.kind === 'recording' ? this.absent(this.availability.why) : nothing}`;
      case 'running':
        return html`<p role="status">${real.standing}</p>
          <button
            class="start"
            @click=${() => this.dispatchEvent(new CustomEvent('hs-cancel-real', {bubbles: true, composed: true}))}
          >
            ${this.instead === 'recording' ? 'Cancel and show the recording' : 'Cancel'}
          </button>`;
      case 'failed':
        return html`<div class="trouble" role="alert"><p>${real.why}</p></div>
          ${typeof this.instead === 'object' || this.availability?.kind === 'live' ? nothing : HOW_TO}`;
      case 'shown':
        return html`${this.label(real)} ${verdict(real.comparison)} ${this.counts(real)}
          <h3>Event by event</h3>
          <hs-compare-table
            .rows=${real.comparison.rows}
            .index=${this.index}
            left=${this.technique}
          ></hs-compare-table>
          <details>
            <summary>In words</summary>
            <ul>
              ${real.comparison.sentences.map(sentence => html`<li>${sentence}</li>`)}
            </ul>
          </details>
          ${real.from === 'recording' ? HOW_TO : nothing}`;
    }
  }

  private label(real: Extract<RealState, {kind: 'shown'}>): TemplateResult {
    const {host} = real.comparison.header;
    const where = host === undefined ? 'an unknown host' : html`${host.flavour}, Linux ${host.kernel}`;
    if (real.from === 'live')
      return html`<div class="label">
        <p><b>Real KVM on this machine</b> · ${where}</p>
      </div>`;
    return html`<div class="label">
      <p><b>No /dev/kvm here: showing a recording</b> made on ${host?.recordedOn ?? 'an unknown day'} · ${where}.</p>
      ${real.why === undefined ? nothing : html`<p>${real.why}</p>`}
    </div>`;
  }

  private counts(real: Extract<RealState, {kind: 'shown'}>): TemplateResult {
    return html`<table>
      <caption>
        Exits by reason
      </caption>
      <thead>
        <tr>
          <th scope="col">exit</th>
          <th scope="col">simulated</th>
          <th scope="col">real</th>
          <th scope="col">verdict</th>
        </tr>
      </thead>
      <tbody>
        ${real.comparison.exits.map(
          row =>
            html`<tr>
                <td>${row.reason}</td>
                <td class="count">${row.a}</td>
                <td class="count">${row.b}</td>
                <td>${row.verdict === 'matched' ? 'same' : CLASS_NAMES[row.class ?? 'unexplained']}</td>
              </tr>
              ${
                row.verdict === 'matched'
                  ? nothing
                  : html`<tr>
                      <td class="why" colspan="4">${row.why}</td>
                    </tr>`
              }`,
        )}
      </tbody>
    </table>`;
  }

  private absent(why: string): TemplateResult {
    return html`<div class="label">
        <p><b>No /dev/kvm here.</b> ${why}</p>
        <p>
          ${
            this.instead === 'recording'
              ? 'A recording of this guest on a real one is shown instead.'
              : 'Recordings are of the programs as they ship, and this is another one.'
          }
        </p>
      </div>
      ${HOW_TO}`;
  }
}

/** What comes out of it, in a line. Two machines that have different devices give a guest that looks for them different runs. */
function verdict({adapts, unexplained, sentences}: RealComparison): TemplateResult {
  if (adapts && unexplained > 0)
    return html`<p>
      This guest asks what its machine has, and does more on one that has more. Where the two machines differ, so do the
      runs, and no rule explains that.
    </p>`;
  return html`<p class=${unexplained === 0 ? 'good' : 'bad'}><b>${sentences.at(-1) ?? ''}</b></p>`;
}

const HOW_TO = html`<details>
  <summary>How to get the real thing</summary>
  <ol>
    <li>
      Use an x86 machine with Linux, and start the lab there with <code>npm start</code>; open the address that it
      prints.
    </li>
    <li>“Permission denied”: <code>sudo usermod -aG kvm $USER</code>, then log in again.</li>
    <li>
      No <code>/dev/kvm</code>: turn VT-x or AMD-V on in the firmware; in a virtual machine, turn nested virtualization
      on; in a container, add <code>--device /dev/kvm</code>.
    </li>
  </ol>
</details>`;

/** The row of the comparison at a state, for the card under the stage. */
export function rowAt(real: RealState, index: number): CompareRow | undefined {
  return real.kind === 'shown'
    ? real.comparison.rows.find(
        ({simulated}) => simulated !== undefined && simulated.index <= index && index <= simulated.until,
      )
    : undefined;
}
