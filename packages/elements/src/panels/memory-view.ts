// Memory as bytes and characters, row by row: what the last step changed is marked, a byte can be asked who wrote it, and the
// keys move through it: arrows by a byte or a row, Page Up and Page Down by a page of the view, Enter asks.

import {LitElement, html, nothing, type PropertyValues, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {hex} from '@hyperscope/base';
import type {InspectionContents} from '@hyperscope/trace';
import {address, addressStyles} from '../address.js';
import {characterOf} from '../code-page-437.js';
import {SeekEvent} from '../exit-table.js';
import {sharedStyles} from '../shared-styles.js';
import {LookEvent} from './address-box.js';
import {memoryStyles} from './memory-styles.js';
import {panelStyles} from './panel-styles.js';
import {SPACE_NAMES} from './space-names.js';

type Memory = InspectionContents['memory'];
type Writer = InspectionContents['writer'];

/** From this width on sixteen bytes stand in a row. */
const WIDE = 560;
const LEAST_ADDRESS = 0x1000n;
const CHARACTER_SETS = ['ASCII', 'CP 437'] as const;

/** Asks who last wrote a byte. */
export class AskWriterEvent extends CustomEvent<{readonly address: bigint}> {
  constructor(at: bigint) {
    super('hs-ask-writer', {detail: {address: at}, bubbles: true, composed: true});
  }
}

@customElement('hs-memory')
export class MemoryView extends LitElement {
  static override readonly styles = [sharedStyles, addressStyles, panelStyles, memoryStyles];

  @property({attribute: false}) memory: Memory | undefined = undefined;
  /** The byte that was chosen. */
  @property({attribute: false}) selected = 0n;
  /** The answer about a byte, while it is about the chosen one. */
  @property({attribute: false}) writer: Writer | undefined = undefined;
  /** Why nobody can be named. */
  @property() noWriter = '';
  @state() private perRow: 8 | 16 = 8;
  @state() private characters: (typeof CHARACTER_SETS)[number] = 'ASCII';
  private readonly watcher = new ResizeObserver(() =>
    requestAnimationFrame(() => {
      this.perRow = this.clientWidth >= WIDE ? 16 : 8;
    }),
  );
  private focusNext = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.watcher.observe(this);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher.disconnect();
  }

  /** The keyboard's place follows the chosen byte, also into bytes that had to be asked for first. */
  override updated(changed: PropertyValues): void {
    if (!this.focusNext || !(changed.has('memory') || changed.has('selected'))) return;
    const cell = this.renderRoot.querySelector('td[tabindex="0"]');
    if (!(cell instanceof HTMLElement)) return;
    this.focusNext = false;
    cell.focus();
  }

  override render(): TemplateResult {
    const {memory} = this;
    if (memory === undefined) return html`<p class="empty" role="status">Asking for memory…</p>`;
    const rows = Array.from({length: Math.ceil(memory.bytes.length / this.perRow)}, (_, row) => row * this.perRow);
    const name = SPACE_NAMES[memory.space];
    return html`${this.detail(memory)}
      <div class="scroll">
        <table
          role="grid"
          aria-label="${name} ${hex(memory.address)}, ${memory.bytes.length} bytes"
          @keydown=${(event: KeyboardEvent) => this.roam(event, memory)}
        >
          <tbody>
            ${rows.map(row => this.row(memory, row))}
          </tbody>
        </table>
      </div>
      ${this.legend(memory)}`;
  }

  private row(memory: Memory, from: number): TemplateResult {
    const offsets = Array.from({length: Math.min(this.perRow, memory.bytes.length - from)}, (_, at) => from + at);
    const text = offsets.map(at => this.character(memory, at)).join('');
    const wide = memory.address + BigInt(memory.bytes.length) > 0x1_0000_0000n;
    const at = BigInt.asUintN(64, memory.address + BigInt(from));
    return html`<tr>
      <th scope="row" class=${SPACE_NAMES[memory.space]}>${at.toString(16).padStart(wide ? 16 : 8, '0')}</th>
      ${offsets.map(offset => this.cell(memory, offset))}
      <td role="gridcell" class="text"><span aria-hidden="true">${text}</span></td>
    </tr>`;
  }

  private cell(memory: Memory, offset: number): TemplateResult {
    const stretch = stretchOf(memory, offset);
    const at = BigInt.asUintN(64, memory.address + BigInt(offset));
    const mark = memory.marks.find(each => each.offset === offset);
    const isSelected = at === this.selected;
    const changed = memory.changed.includes(offset);
    const rewritten = memory.rewritten.includes(offset);
    const classes = [
      changed ? 'changed' : rewritten ? 'rewritten' : '',
      isSelected ? 'selected' : '',
      mark === undefined ? '' : 'mark',
      offset % 8 === 7 ? 'eighth' : '',
    ];
    const words = [changed ? 'changed' : rewritten ? 'written as it was' : '', mark?.label ?? '']
      .filter(word => word !== '')
      .join(', ');
    return html`<td
      role="gridcell"
      class=${classes.join(' ')}
      title=${`${hex(at)}${words === '' ? '' : `: ${words}`}`}
      aria-selected=${isSelected}
      tabindex=${isSelected ? 0 : -1}
      @click=${() => this.choose(at, memory)}
    >
      ${stretch?.missing === undefined ? hexByte(memory.bytes[offset] ?? 0) : '··'}${words === '' ? nothing : html`<span class="visually-hidden"> ${words}</span>`}
    </td>`;
  }

  private character(memory: Memory, offset: number): string {
    if (stretchOf(memory, offset)?.missing !== undefined) return ' ';
    const byte = memory.bytes[offset] ?? 0;
    if (this.characters === 'CP 437') return byte === 0 ? '·' : characterOf(byte);
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
  }

  private legend(memory: Memory): TemplateResult {
    const missing = [...new Set(memory.stretches.flatMap(each => each.missing ?? []))];
    const changes = memory.changed.length;
    return html`<p class="mute below">
      ${changes === 0 ? 'The last step changed nothing here.' : html`The last step changed <b class="changed">${changes} ${changes === 1 ? 'byte' : 'bytes'}</b>.`}
      ${memory.rewritten.length === 0 ? nothing : html`It wrote <b class="rewritten">${memory.rewritten.length}</b> ${memory.rewritten.length === 1 ? 'byte' : 'bytes'} as ${memory.rewritten.length === 1 ? 'it was' : 'they were'}. `}
      ${memory.marks.map(mark => html`<span class="tag mark">${mark.label}</span> ${hex(BigInt.asUintN(64, memory.address + BigInt(mark.offset)))}. `)}
      ${missing.map(why => html`<b>··</b> ${why}. `)}
      <label class="set"
        >Characters
        <select
          @change=${(event: Event) => {
            const wanted = event.target instanceof HTMLSelectElement ? event.target.value : '';
            this.characters = CHARACTER_SETS.find(each => each === wanted) ?? 'ASCII';
          }}
        >
          ${CHARACTER_SETS.map(set => html`<option ?selected=${set === this.characters}>${set}</option>`)}
        </select></label
      >
    </p>`;
  }

  /** The chosen byte: where else it is known, what it says as a number, who wrote it. */
  private detail(memory: Memory): TemplateResult | typeof nothing {
    const offset = Number(this.selected - memory.address);
    if (offset < 0 || offset >= memory.bytes.length) return nothing;
    const stretch = stretchOf(memory, offset);
    if (stretch === undefined || stretch.missing !== undefined) return nothing;
    const inside = offset - stretch.offset;
    const left = stretch.length - inside;
    const number = (size: number): bigint => littleEndian(memory.bytes, offset, size);
    return html`<div class="detail">
      <p>
        ${address(SPACE_NAMES[memory.space], this.selected)}
        ${memory.space === 'gpa' || stretch.gpa === undefined ? nothing : address('GPA', stretch.gpa + inside)}
        ${memory.space === 'hva' || stretch.hva === undefined ? nothing : address('HVA', stretch.hva + BigInt(inside))}
        ${memory.space === 'hpa' || stretch.hpa === undefined ? nothing : address('HPA', stretch.hpa + inside)}
      </p>
      <dl>
        <div>
          <dt>byte</dt>
          <dd>${hex(number(1), 2)} = ${number(1)}</dd>
        </div>
        ${
          left < 2
            ? nothing
            : html`<div>
                <dt>word</dt>
                <dd>${hex(number(2), 4)}</dd>
              </div>`
        }
        ${
          left < 4
            ? nothing
            : html`<div>
                <dt>dword</dt>
                <dd>${hex(number(4), 8)}</dd>
              </div>`
        }
        ${
          left < 8
            ? nothing
            : html`<div>
                <dt>qword</dt>
                <dd>${asAddress(memory.space, number(8))}</dd>
              </div>`
        }
      </dl>
      <div class="writer" role="status">${this.answer()}</div>
    </div>`;
  }

  private answer(): TemplateResult {
    const {writer} = this;
    if (this.noWriter !== '') return html`<p>${this.noWriter}</p>`;
    if (writer === undefined || writer.address !== this.selected)
      return html`<button class="small" @click=${() => this.ask()}>Who last wrote this byte?</button>`;
    const {step} = writer;
    return html`<p>${writer.sentence}</p>
      ${
        step === undefined
          ? nothing
          : html`<button class="small" @click=${() => this.dispatchEvent(new SeekEvent(step.index + 1))}>
              Go to step ${step.index + 1}
            </button>`
      }`;
  }

  private ask(): void {
    this.dispatchEvent(new AskWriterEvent(this.selected));
  }
  private choose(at: bigint, memory: Memory): void {
    this.dispatchEvent(new LookEvent(memory.space, at, 'scroll'));
  }

  private roam(event: KeyboardEvent, memory: Memory): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      return this.ask();
    }
    const inRow = Number((this.selected - memory.address) % BigInt(this.perRow));
    const by: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.perRow,
      ArrowUp: -this.perRow,
      PageDown: memory.bytes.length,
      PageUp: -memory.bytes.length,
      Home: -inRow,
      End: this.perRow - 1 - inRow,
    };
    const step = by[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.focusNext = true;
    this.choose(BigInt.asUintN(64, this.selected + BigInt(step)), memory);
  }
}

/** Eight bytes that can be an address there: canonical, and not in the first page, where numbers are. */
function asAddress(space: Memory['space'], value: bigint): TemplateResult | string {
  const isPhysical = space === 'gpa' || space === 'hpa';
  const isAddress = isPhysical ? value < 1n << 52n : BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
  return isAddress && value >= LEAST_ADDRESS ? address(SPACE_NAMES[space], value) : hex(value);
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

const stretchOf = (memory: Memory, offset: number): Memory['stretches'][number] | undefined =>
  memory.stretches.find(each => offset >= each.offset && offset < each.offset + each.length);

function littleEndian(bytes: Uint8Array, from: number, size: number): bigint {
  let value = 0n;
  for (let at = size - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[from + at] ?? 0);
  return value;
}
