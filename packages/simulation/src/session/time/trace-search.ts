// Finds in a record: events by what they are called, instructions by their text or address, registers by what they come to
// hold. A slice looks at so many steps and says where the next begins, so that a long search can be given up in between.

import {codeAddress, codeSizeOf, labelEvent} from '@hyperscope/trace';
import {StateView} from '../state-view.js';
import type {Hit, Playhead, RunRecord, SearchQuery, SearchSlice} from '@hyperscope/trace';

export interface SearchSurroundings {
  readonly record: RunRecord;
  /** The text of a step's instruction; '' for steps that are none. */
  readonly textOf: (step: number) => string;
  /** Of the search alone: it walks through the states. */
  readonly head: () => Playhead;
}

const NO_HITS: readonly string[] = [];

export class TraceSearch {
  readonly #around: SearchSurroundings;
  readonly #texts: InstructionTexts;

  constructor(around: SearchSurroundings) {
    this.#around = around;
    this.#texts = new InstructionTexts(around);
  }

  /** Up to `steps` steps from step `from` on, for at most `most` hits. */
  slice(query: SearchQuery, from: number, steps: number, most: number): SearchSlice {
    const {record} = this.#around;
    const end = Math.min(record.length, from + steps);
    const find = this.#finder(query);
    const hits: Hit[] = [];
    for (let step = Math.max(0, from); step < end; step++) {
      hits.push(...find(step));
      if (hits.length >= most) return {hits, next: step + 1 < record.length ? step + 1 : undefined};
    }
    return {hits, next: end < record.length ? end : undefined};
  }

  #finder(query: SearchQuery): (step: number) => readonly Hit[] {
    const {record} = this.#around;
    switch (query.kind) {
      case 'address':
        return step =>
          record.columns.rip(step) === query.address && record.columns.kind(step) !== 'host-action'
            ? [this.#hit(step, step, this.#texts.of(step) || 'delivery of an event')]
            : [];
      case 'text': {
        const wanted = query.text.toLowerCase();
        return step => this.#textHits(step, wanted);
      }
      case 'register':
        return this.#registerFinder(query.register, query.value);
    }
  }

  #textHits(step: number, wanted: string): readonly Hit[] {
    const {record} = this.#around;
    const labels = record.events.has(step) ? record.eventsOf(step).map(labelEvent) : NO_HITS;
    const label = labels.find(text => text.toLowerCase().includes(wanted));
    if (label !== undefined) return [this.#hit(step + 1, step, label)];
    const text = this.#texts.of(step);
    return text.toLowerCase().includes(wanted) ? [this.#hit(step, step, text)] : [];
  }

  #registerFinder(register: string, value: bigint): (step: number) => readonly Hit[] {
    const head = this.#around.head();
    const name = register.toUpperCase();
    return step => {
      if (head.index !== step) head.seek(step);
      const held = head.cell(name) === value;
      head.seek(step + 1);
      return !held && head.cell(name) === value
        ? [this.#hit(step + 1, step, `${name} becomes 0x${value.toString(16)}`)]
        : [];
    };
  }

  #hit(index: number, step: number, text: string): Hit {
    const {record} = this.#around;
    const {who, kind} = record.columns.at(step);
    return {index, cycle: record.cycleAt(index), who, kind, text};
  }
}

interface KnownText {
  readonly text: string;
  /** Where the bytes lay in the bank 'memory', and which they were. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly codeSize: number;
  readonly cr3: bigint | undefined;
}

/**
 * The text of each step's instruction, walking forwards: an instruction that was read before is known again by its address
 * and page tables' root, as long as its bytes are still the same; the others are read anew through the guest's page tables.
 */
class InstructionTexts {
  readonly #around: SearchSurroundings;
  readonly #known = new Map<bigint, KnownText>();

  constructor(around: SearchSurroundings) {
    this.#around = around;
  }

  of(step: number): string {
    const {record, textOf} = this.#around;
    const {columns} = record;
    if (columns.kind(step) === 'host-action') return '';
    // A delivery is mostly no instruction; which it attempted, the record says.
    if (columns.kind(step) !== 'instruction') return textOf(step);
    // A VMM's own code and its translations lie in the host's memory, under the host's page tables.
    if (columns.who(step) === 'hypervisor' || record.header.technique === 'binary-translation') return textOf(step);
    const head = this.#around.head();
    if (head.index !== step) head.seek(step);
    const memory = head.bank('memory');
    const rip = columns.rip(step);
    const cells = (name: string): bigint | undefined => head.cell(name);
    const [codeSize, cr3] = [codeSizeOf(cells), head.cell('CR3')];
    const known = this.#known.get(rip);
    if (memory !== undefined && known?.codeSize === codeSize && known.cr3 === cr3 && isAt(memory, known))
      return known.text;
    const text = textOf(step);
    const state = new StateView(record.header, head.banks);
    const guest = state.guestCells();
    const gpa = state.guestMemory.translate(guest, codeAddress(guest, rip));
    const offset = gpa === undefined ? undefined : state.guestMemory.offsetOf(gpa);
    const length = columns.instructionLength(step);
    if (offset !== undefined && length > 0)
      this.#known.set(rip, {text, offset, bytes: state.memory.slice(offset, offset + length), codeSize, cr3});
    return text;
  }
}

function isAt(memory: Uint8Array, {offset, bytes}: KnownText): boolean {
  for (let i = 0; i < bytes.length; i++) if (memory[offset + i] !== bytes[i]) return false;
  return true;
}
