// What the TLB answered: a hit leaves nothing behind, so it is found by running the steps again and listening. What the TLB held is in
// the record, so each way of executing gives the same answers; nothing is counted while a guest runs, and nothing costs time there.

import {MOST_REPLAYED_STEPS} from '@hyperscope/trace';
import type {LookupContent, LookupTally} from '@hyperscope/trace';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';
import type {StepLookups, StepReplay} from './step-replay.js';

type Row = LookupContent['rows'][number];
const PAGE_MASK = ~0xfffn;

/** `replay` is undefined where there is no machine: in a file. */
export function lookupContent({index}: LookedAt, wanted: number, replay: StepReplay | undefined): Found<LookupContent> {
  if (replay === undefined)
    return nothing(
      'What the TLB answered is found by running the steps again, and a recording has no machine to run them. Open the guest itself.',
    );
  if (index === 0) return nothing('No step has been made yet.');
  const steps = Math.min(Math.max(Math.trunc(wanted), 1), MOST_REPLAYED_STEPS, index);
  const counts = new LookupCounts();
  const from = index - steps;
  const made = replay.over(from, index, counts) - from;
  if (made === 0) return nothing('This step cannot be run again: something came from outside, such as a key.');
  counts.beginStep();
  const {hits, walks, last} = counts;
  return found({from, steps: made, hits, walks, rows: last, sentence: sentenceOf(made, steps, hits, walks)});
}

/** A page counts once in a step for each kind of access; a walk goes before hits of the same page. */
class LookupCounts implements StepLookups {
  readonly hits = {execute: 0, read: 0, write: 0};
  readonly walks = {execute: 0, read: 0, write: 0};
  /** Of the step that was closed last. */
  last: readonly Row[] = [];
  #step = new Map<string, Row>();

  looked(linear: bigint, access: Row['access'], answer: Row['answer']): void {
    const page = linear & PAGE_MASK;
    const key = `${access} ${page}`;
    const known = this.#step.get(key);
    if (known === undefined) this.#step.set(key, {linear, access, answer});
    else if (answer === 'walk') this.#step.set(key, {...known, answer});
  }

  beginStep(): void {
    this.last = [...this.#step.values()];
    for (const {access, answer} of this.last) (answer === 'hit' ? this.hits : this.walks)[access]++;
    this.#step = new Map();
  }
}

const sum = ({execute, read, write}: LookupTally): number => execute + read + write;

function sentenceOf(made: number, wanted: number, hits: LookupTally, walks: LookupTally): string {
  const [hit, walked] = [sum(hits), sum(walks)];
  const what = made === 1 ? 'The last step' : `The last ${made} steps`;
  const cut = made < wanted ? ' Running again stopped where something came from outside, such as a key.' : '';
  if (hit + walked === 0)
    return `${what} asked for no translation: the hypervisor’s steps are not made of instructions here, and without paging there is nothing to translate.${cut}`;
  const share = Math.round((1000 * hit) / (hit + walked)) / 10;
  return made === 1
    ? `${what} needed ${hit + walked} ${hit + walked === 1 ? 'translation' : 'translations'}: the TLB answered ${hit}, tables were walked for ${walked}.${cut}`
    : `${what} needed ${hit + walked} translations: the TLB answered ${hit} (${share} %), tables were walked for ${walked}.${cut}`;
}
