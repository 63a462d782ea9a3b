// Where the instructions of a line of the source lie: at the guest's own addresses, and, under binary translation, where what runs in
// their place begins in the translation cache.

import type {TraceEvent} from '@hyperscope/trace';
import type {ScenarioRun} from './scenario-run.js';

type TranslatedCode = Pick<Extract<TraceEvent, {kind: 'translation'}>['instructions'][number], 'at' | 'rip'>;

export class SourcePlaces {
  readonly #run: ScenarioRun;
  readonly #own: ReadonlySet<bigint>;
  /** By address in the cache, the step that made the translation: before it, a stub may have lain there. */
  readonly #translated = new Map<bigint, number>();
  /** Steps whose translations are known. */
  #looked = 0;

  /** `at`: a label, or a part of a line's text. */
  constructor(run: ScenarioRun, at: string) {
    this.#run = run;
    this.#own = addressesOf(run, at);
  }

  /** Whether a step of the guest's is at the line. */
  has(step: number): boolean {
    const {columns} = this.#run.record;
    if (!columns.who(step).startsWith('guest')) return false;
    const rip = columns.rip(step);
    return this.#own.has(rip) || (this.#translations().get(rip) ?? Infinity) < step;
  }

  #translations(): ReadonlyMap<bigint, number> {
    const {record} = this.#run;
    for (; this.#looked < record.length; this.#looked++)
      for (const event of record.eventsOf(this.#looked))
        if (event.kind === 'translation') this.#note(event.instructions, this.#looked);
    return this.#translated;
  }

  #note(instructions: readonly TranslatedCode[], step: number): void {
    for (const {rip, at} of instructions) if (this.#own.has(rip)) this.#translated.set(at, step);
  }
}

/** Of the first line with this label, or with this text in it. */
function addressesOf(run: ScenarioRun, at: string): ReadonlySet<bigint> {
  const lines = run.source.split('\n');
  const label = lines.findIndex(line => line.trim().startsWith(`${at}:`));
  const index = label >= 0 ? label : lines.findIndex(line => line.includes(at));
  if (index < 0) return new Set();
  const from = index + 1;
  const onLine = run.instructions.filter(each => each.line === from);
  if (onLine.length > 0) return new Set(onLine.map(({address}) => address));
  const after = run.instructions.filter(each => each.line > from).sort((a, b) => a.line - b.line)[0];
  return new Set(after === undefined ? [] : [after.address]);
}
