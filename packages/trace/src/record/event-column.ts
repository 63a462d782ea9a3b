// The events of a run: sparse, in the order in which they happened, each with the step during which it happened.

import type {TraceEvent} from '../record-format.js';
import {NumberColumn} from './growable-columns.js';

/** Of so many events one is measured. */
const SAMPLING = 64;

export class EventColumn {
  readonly #steps = new NumberColumn();
  readonly #events: TraceEvent[] = [];
  /** For each kind, the indexes of its events. */
  readonly #byKind = new Map<TraceEvent['kind'], NumberColumn>();

  #sampled = 0;
  #sampledBytes = 0;

  get length(): number {
    return this.#events.length;
  }
  push(step: number, event: TraceEvent): void {
    const kind = this.#byKind.get(event.kind) ?? new NumberColumn();
    kind.push(this.#events.length);
    this.#byKind.set(event.kind, kind);
    this.#steps.push(step);
    this.#events.push(event);
  }
  stepOf(index: number): number {
    return this.#steps.at(index);
  }
  at(index: number): TraceEvent | undefined {
    return this.#events[index];
  }
  /** The index of the first event of this step or a later one. */
  firstAt(step: number): number {
    return this.#steps.countAtMost(step - 1);
  }
  /** Whether anything happened during a step. */
  has(step: number): boolean {
    const at = this.firstAt(step);
    return at < this.length && this.stepOf(at) === step;
  }
  /** Bytes of memory: exact of the columns, estimated of the events from every 64th of them. */
  get memoryBytes(): number {
    const kinds = [...this.#byKind.values()].reduce((sum, column) => sum + column.memoryBytes, 0);
    for (; this.#sampled < this.#events.length; this.#sampled += SAMPLING)
      this.#sampledBytes += SAMPLING * bytesOf(this.#events[this.#sampled]);
    return this.#steps.memoryBytes + kinds + this.#sampledBytes;
  }
  /** How many events of a kind happened in steps before `step`. */
  countBefore(kind: TraceEvent['kind'], step: number): number {
    return this.#byKind.get(kind)?.countAtMost(this.firstAt(step) - 1) ?? 0;
  }
  /** The index of the last event of a kind that happened in a step before `step`; undefined where there is none. */
  lastIndexBefore(kind: TraceEvent['kind'], step: number): number | undefined {
    const indexes = this.#byKind.get(kind);
    const found = indexes === undefined ? 0 : indexes.countAtMost(this.firstAt(step) - 1);
    return found === 0 ? undefined : indexes?.at(found - 1);
  }
  /** The last event of a kind that happened in a step before `step`; undefined where there is none. */
  lastBefore<K extends TraceEvent['kind']>(kind: K, step: number): Extract<TraceEvent, {kind: K}> | undefined {
    const index = this.lastIndexBefore(kind, step);
    return index === undefined ? undefined : this.#ofKind(kind, index);
  }
  /** The first event of a kind in step `step` or a later one. */
  firstOfKind<K extends TraceEvent['kind']>(kind: K, step: number): Extract<TraceEvent, {kind: K}> | undefined {
    const indexes = this.#byKind.get(kind);
    const before = indexes === undefined ? 0 : indexes.countAtMost(this.firstAt(step) - 1);
    return indexes === undefined || before >= indexes.length ? undefined : this.#ofKind(kind, indexes.at(before));
  }
  /** How many events of a kind come before the event of this index. */
  countBeforeIndex(kind: TraceEvent['kind'], index: number): number {
    return this.#byKind.get(kind)?.countAtMost(index - 1) ?? 0;
  }
  /** How many events of a kind there are. */
  countOf(kind: TraceEvent['kind']): number {
    return this.#byKind.get(kind)?.length ?? 0;
  }
  /** An event of a kind by its number among those of its kind, from 0. */
  nth<K extends TraceEvent['kind']>(
    kind: K,
    number: number,
  ): {readonly step: number; readonly event: Extract<TraceEvent, {kind: K}> | undefined} {
    const index = this.#byKind.get(kind)?.at(number) ?? 0;
    return {step: this.stepOf(index), event: this.#ofKind(kind, index)};
  }
  /** All events of a kind, with their steps. */
  *allOf<K extends TraceEvent['kind']>(
    kind: K,
  ): IterableIterator<{readonly step: number; readonly event: Extract<TraceEvent, {kind: K}>}> {
    const indexes = this.#byKind.get(kind);
    for (let i = 0; i < (indexes?.length ?? 0); i++) {
      const index = indexes?.at(i) ?? 0;
      const event = this.#ofKind(kind, index);
      if (event !== undefined) yield {step: this.stepOf(index), event};
    }
  }
  #ofKind<K extends TraceEvent['kind']>(kind: K, index: number): Extract<TraceEvent, {kind: K}> | undefined {
    const event = this.#events[index];
    return event !== undefined && isOfKind(event, kind) ? event : undefined;
  }
  of(step: number): readonly TraceEvent[] {
    return this.#events.slice(this.firstAt(step), this.firstAt(step + 1));
  }
}

function isOfKind<K extends TraceEvent['kind']>(event: TraceEvent, kind: K): event is Extract<TraceEvent, {kind: K}> {
  return event.kind === kind;
}

/** What a value takes in an engine that keeps 8 bytes a field and a header of 16; text is counted by its letters. */
function bytesOf(value: unknown): number {
  if (typeof value === 'bigint') return 24;
  if (typeof value === 'string') return 8 + value.length;
  if (ArrayBuffer.isView(value)) return 96 + value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + 8 + bytesOf(part), 16);
}
