// The registers: values with what the last step changed, and the fields of the ones that have fields.

import {LitElement, css, html, nothing, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import {guard} from 'lit/directives/guard.js';
import {bits, hex} from '@hyperscope/base';
import {fieldsOf} from '@hyperscope/isa';
import type {Actor, Moment} from '@hyperscope/trace';
import {actorLook, actorName} from './actors.js';
import {addressStyles, addressValue} from './address.js';
import type {StageHost} from './actors.js';
import {hostRegisterAddress, registerAddress} from './register-address.js';
import type {RegisterAddress} from './register-address.js';
import {REGISTER_GROUPS, decoded, splitZeros, type RegisterGroup} from './register-groups.js';
import {sharedStyles} from './shared-styles.js';
import type {Unit} from './stage-picture.js';

interface Shown {
  readonly cell: string;
  readonly now: bigint;
  readonly before: bigint;
}

@customElement('hs-register-file')
export class RegisterFile extends LitElement {
  static override readonly styles = [
    sharedStyles,
    addressStyles,
    css`
      dl {
        margin: 0 0 12px;
        font: var(--code)/1.5 var(--mono);
      }
      .owner {
        border-inline-start: 5px solid var(--who);
        background: var(--who-tint);
        border-radius: 0 var(--radius) var(--radius) 0;
        padding: 5px 10px;
        margin-bottom: 10px;
      }
      .owner h2 {
        margin: 0;
        font-size: 1em;
        color: var(--who-ink);
      }
      .owner p {
        margin: 2px 0 0;
        font-size: 0.9em;
      }
      /* On a small projector the registers come first; the rule is still read aloud. */
      @media (max-width: 1199px) {
        .rule {
          position: absolute;
          clip-path: inset(50%);
        }
      }
      .saved {
        border: 1px solid var(--guest-kernel);
        border-radius: 5px;
        background: var(--guest-kernel-tint);
        padding: 2px;
      }
      dl.two {
        display: grid;
        grid-template-columns: 1fr;
      }
      .row {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 0 12px;
        padding: 0 4px;
        border-radius: 3px;
      }
      dd {
        margin: 0;
        text-align: end;
        overflow-wrap: anywhere;
      }
      .zero {
        color: var(--mute);
      }
      .changed {
        background: var(--hit);
        color: var(--hit-ink);
        font-weight: 650;
      }
      .changed .zero {
        color: inherit;
        font-weight: 400;
      }
      .was {
        grid-column: 1 / -1;
        text-align: end;
        font-size: 0.88em;
        font-weight: 400;
      }
      .note {
        margin: 0 4px 4px;
        color: var(--mute);
        font-size: 0.88em;
      }
      .meaning {
        grid-column: 1 / -1;
        font: 0.92em/1.4 var(--sans);
        color: var(--mute);
      }
      .changed .meaning {
        color: inherit;
      }
      .fields {
        grid-column: 1 / -1;
        display: flex;
        flex-wrap: wrap;
        gap: 3px;
        justify-content: flex-end;
        padding: 1px 0 3px;
      }
      .field {
        font: 600 11px/1.5 var(--sans);
        padding: 0 5px;
        border: 1px solid var(--strong-line);
        border-radius: 4px;
        cursor: help;
        background: var(--panel);
        color: var(--ink);
      }
      .field.flipped {
        border-width: 2px;
        border-color: var(--hit-ink);
      }
      .field.cleared {
        text-decoration: line-through;
        border-style: dashed;
      }
    `,
  ];

  /** Cell names in the order of the two banks. */
  @property({attribute: false}) cells: readonly string[] = [];
  @property({attribute: false}) registers: BigUint64Array = new BigUint64Array();
  @property({attribute: false}) previous: BigUint64Array = new BigUint64Array();

  /** Who has the processor, so that nobody takes the host's registers for the guest's. */
  @property({attribute: false}) who: Actor | undefined = undefined;
  /** What is under the guest. */
  @property() under: StageHost = 'hardware';
  /** The current VMCS: while the host runs it holds what was the guest's. */
  @property({attribute: false}) vmcs: Moment['vmcs'] = [];
  /** The x87, MMX and SSE registers, once something of them is used. */
  @property({attribute: false}) vector: Moment['vector'] = [];

  override render(): TemplateResult {
    if (this.registers.length === 0) return html`<p class="empty">No registers are recorded here.</p>`;
    return html`${this.owner()} ${REGISTER_GROUPS.map(group => this.group(group))} ${this.vectors()}`;
  }

  /** Whose registers these are; while the host runs, also where the guest's are. */
  private owner(): TemplateResult | typeof nothing {
    if (this.who === undefined) return nothing;
    const {token} = actorLook(this.who);
    const vars = `--who: var(${token}); --who-tint: var(${token}-tint); --who-ink: var(${token}-ink)`;
    const isVmcb = this.vmcs.some(row => row.name === 'EXITCODE');
    const saved = (isVmcb ? VMCB_FIELDS : VMCS_FIELDS).flatMap(field => this.vmcs.filter(row => row.name === field));
    const host = this.who === 'hypervisor' || this.who === 'vmm' || this.who === 'device';
    return html`<div class="owner" .style=${vars}>
        <h2>The processor’s registers, now ${host ? 'the host’s' : 'the guest’s'}</h2>
        <p>
          ${actorName(this.who, this.under)} runs.
          ${
            host && saved.length > 0
              ? html`<span class="rule"
                  >${
                    isVmcb
                      ? '#VMEXIT loads RIP, RSP, RAX, RFLAGS, control registers and ES, CS, SS and DS for the host; the others keep the guest’s values until software changes them.'
                      : 'An exit loads RIP, RSP, RFLAGS, control and segment registers for the host; the general-purpose registers keep the guest’s values until software changes them.'
                  }</span
                >`
              : nothing
          }
        </p>
      </div>
      ${
        host && saved.length > 0
          ? html`<h3>The guest’s, kept in the ${isVmcb ? 'VMCB' : 'VMCS'}</h3>
              <dl class="saved">
                ${saved.map(
                  row =>
                    html`<div class="row ${row.changed ? 'changed' : ''}">
                      <dt>${row.name.replace('GUEST_', '')}</dt>
                      <dd>${savedValue(row, this.vmcs)}</dd>
                    </div>`,
                )}
              </dl>`
          : nothing
      }`;
  }

  private group(group: RegisterGroup): TemplateResult | typeof nothing {
    const shown = group.cells.flatMap(cell => this.shown(cell)).filter(item => this.isThere(item));
    if (shown.length === 0) return nothing;
    return html`<h3>${group.name}</h3>
      <dl>
        ${shown.map(item => {
          const points = this.addressIn(item);
          const said = [item.cell, item.now, item.before, this.unit, points?.space, points?.address];
          return guard(said, () => registerRow(item, group.digits, this.unit, points));
        })}
      </dl>`;
  }

  /** Without hardware for virtualization, or before anybody uses it, there is no VMX operation to tell of. */
  private isThere({cell, now, before}: Shown): boolean {
    return cell !== 'VMX_OPERATION' || this.under === 'hardware' || now !== 0n || before !== 0n;
  }

  /** Where a register points, in the space of whoever runs. */
  private addressIn({cell, now}: Shown): RegisterAddress | undefined {
    if (this.who !== 'guest-kernel' && this.who !== 'guest-user')
      return this.under === 'hardware' ? hostRegisterAddress(cell, now) : undefined;
    return registerAddress(cell, now, this.under, name => this.registers[this.cells.indexOf(name)] ?? 0n);
  }

  /** SVM once it has been switched on; a guest under it has the bit too. */
  private get unit(): Unit {
    const efer = this.registers[this.cells.indexOf('EFER')] ?? 0n;
    return (efer & EFER_SVME) === 0n ? 'VMX' : 'SVM';
  }

  private vectors(): TemplateResult | typeof nothing {
    if (this.vector.length === 0) return nothing;
    const omitsZeros = this.vector.some(row => row.name === 'MXCSR');
    return html`<h3>Vector and x87 state</h3>
      ${omitsZeros ? html`<p class="note">XMM registers that are not listed hold 0.</p>` : nothing}
      <dl>${this.vector.map(vectorRow)}</dl>`;
  }

  private shown(cell: string): readonly Shown[] {
    const at = this.cells.indexOf(cell);
    const now = this.registers[at];
    return now === undefined ? [] : [{cell, now, before: this.previous[at] ?? now}];
  }
}

/** What of the guest an exit saves that this panel would show for the guest. */
const VMCS_FIELDS = ['GUEST_RIP', 'GUEST_RSP', 'GUEST_RFLAGS', 'GUEST_CR0', 'GUEST_CR3', 'GUEST_CR4'] as const;
const VMCB_FIELDS = ['RIP', 'RSP', 'RAX', 'RFLAGS', 'CR0', 'CR3', 'CR4'] as const;

/** RIP and RSP of the guest can be followed while the host runs; its segments' bases count, where they are not 0. */
function savedValue({name, value}: Moment['vmcs'][number], rows: Moment['vmcs']): TemplateResult | string {
  const register = /(?:^|_)(RIP|RSP)$/u.exec(name)?.[1];
  if (register === undefined || !HEXADECIMAL.test(value) || value === '0x0') return value;
  const segment = register === 'RIP' ? /^(?:GUEST_)?CS_BASE$/u : /^(?:GUEST_)?SS_BASE$/u;
  const base = rows.find(row => segment.test(row.name) && HEXADECIMAL.test(row.value))?.value ?? '0x0';
  return addressValue('GVA', BigInt.asUintN(64, BigInt(base) + BigInt(value)), html`${value}`);
}
const HEXADECIMAL = /^0x[0-9a-f]+$/u;

const EFER_SVME = 1n << 12n;
/** SVM has no root and non-root operation. */
const SVM_MODES = ['no guest yet', 'host', 'guest mode'];
const WORDS: Readonly<Record<string, readonly string[]>> = {
  VMX_OPERATION: ['outside VMX', 'root', 'non-root'],
  ACTIVITY: ['active', 'HLT', 'shutdown', 'wait-for-SIPI'],
};

function registerRow(item: Shown, digits: number, unit: Unit, points: RegisterAddress | undefined): TemplateResult {
  const changed = item.now !== item.before;
  const [zeros, rest] = splitZeros(item.now, digits);
  const value = html`<span class="zero">0x${zeros}</span>${rest}`;
  const isSvmMode = unit === 'SVM' && item.cell === 'VMX_OPERATION';
  const words = isSvmMode ? SVM_MODES : WORDS[item.cell];
  const word = item.cell === 'CPL' ? `ring ${item.now}` : words?.[Number(item.now)];
  const name = isSvmMode ? 'SVM mode' : item.cell.replace('.selector', '').replace('.base', ' base').replace('_', ' ');
  return html`<div class="row ${changed ? 'changed' : ''}">
    <dt>${name}</dt>
    <dd>${word ?? (points === undefined ? value : addressValue(points.space, points.address, value))}</dd>
    ${changed ? html`<dd class="was">was ${hex(item.before)}</dd>` : nothing} ${fieldChips(item)}
  </div>`;
}

function vectorRow({name, value, changed, was, meaning}: Moment['vector'][number]): TemplateResult {
  const [, zeros = '', rest = value] = /^(0x0*)([0-9a-f]+)$/u.exec(value) ?? [];
  return html`<div class="row ${changed ? 'changed' : ''}">
    <dt>${name}</dt>
    <dd><span class="zero">${zeros}</span>${rest}</dd>
    ${was === undefined ? nothing : html`<dd class="was">was ${was}</dd>`}
    ${meaning === '' ? nothing : html`<dd class="meaning">${meaning}</dd>`}
  </div>`;
}

function fieldChips(item: Shown): TemplateResult | typeof nothing {
  const fields = fieldsOf(item.cell);
  if (fields.length === 0 || item.cell === 'CR3') return nothing;
  const gone = decoded(fields, item.before).filter(({field}) => bits(item.now, field.high, field.low) === 0n);
  const set = decoded(fields, item.now).map(({text, field}) => {
    const flipped = bits(item.before, field.high, field.low) !== bits(item.now, field.high, field.low);
    return html`<span class="field ${flipped ? 'flipped' : ''}" title=${field.meaning}
      >${text}${flipped ? html`<span class="visually-hidden"> (now set)</span>` : nothing}</span
    >`;
  });
  const cleared = gone.map(
    ({field}) =>
      html`<span class="field cleared" title="cleared by this step: ${field.meaning}"
        >${field.name}<span class="visually-hidden"> (cleared)</span></span
      >`,
  );
  return set.length + cleared.length === 0 ? nothing : html`<dd class="fields">${set}${cleared}</dd>`;
}
