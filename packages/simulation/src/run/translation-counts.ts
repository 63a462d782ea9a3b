// What binary translation did in a run: counted from what the VMM tells and from where the processor was in the translation cache, since
// of jumps that are chained and look-ups that find something nobody tells.

import type {HypervisorEvent} from '@hyperscope/vmm';

const CALLOUT_ROUTINE = 'vmm_entry_callout';
/** The cache is aligned to its size: RIP in 64-bit mode, EIP or IP in the segment that begins there. */
const OFFSET = 0xffffn;
const offsetOf = (address: bigint): number => Number(address & OFFSET);

type Way = Extract<HypervisorEvent, {kind: 'translation'}>['instructions'][number]['translation'];
type Role = 'begins' | 'hit' | 'miss';

/** Counts that a reader sees, by name. */
export interface TranslationStatistics {
  readonly blocks: number;
  /** Instructions translated, by what became of them. */
  readonly instructions: Readonly<Record<Way, number>>;
  readonly sourceBytes: number;
  readonly cacheBytes: number;
  readonly chained: number;
  /** Calls of the VMM, those of look-ups that found nothing among them. */
  readonly callouts: number;
  readonly lookUpHits: number;
  readonly lookUpMisses: number;
  readonly invalidated: number;
  readonly emptied: number;
  /** Instructions that became callouts because they kept writing to watched pages, and those that were copied again. */
  readonly calledOut: number;
  readonly copiedAgain: number;
}

export class TranslationCounts {
  readonly #kinds: Record<Way, number> = {ident: 0, 'in-cache': 0, callout: 0, control: 0};
  readonly #sums = {
    blocks: 0,
    sourceBytes: 0,
    cacheBytes: 0,
    chained: 0,
    callouts: 0,
    lookUpHits: 0,
    lookUpMisses: 0,
    invalidated: 0,
    emptied: 0,
    calledOut: 0,
    copiedAgain: 0,
  };
  #roles = new Map<number, Role>();
  /** How often the processor was at an address of the cache, since what is there was put there. */
  #visits = new Map<number, number>();

  copy(): TranslationCounts {
    const copy = new TranslationCounts();
    Object.assign(copy.#kinds, this.#kinds);
    Object.assign(copy.#sums, this.#sums);
    copy.#roles = new Map(this.#roles);
    copy.#visits = new Map(this.#visits);
    return copy;
  }

  tell(event: HypervisorEvent): void {
    const sums = this.#sums;
    if (event.kind === 'translation') this.#translated(event);
    else if (event.kind === 'translation-chained') sums.chained++;
    else if (event.kind === 'translation-adapted') sums[event.to === 'callout' ? 'calledOut' : 'copiedAgain']++;
    else if (event.kind === 'host-step' && event.routine === CALLOUT_ROUTINE) sums.callouts++;
    else if (event.kind === 'translation-invalidated') {
      sums[event.rip === undefined ? 'emptied' : 'invalidated']++;
      if (event.rip !== undefined) return;
      this.#roles.clear();
      this.#visits.clear();
    }
  }

  #translated({at, source, translated, instructions}: Extract<HypervisorEvent, {kind: 'translation'}>): void {
    this.#sums.blocks++;
    this.#sums.sourceBytes += source.length;
    this.#sums.cacheBytes += translated.length;
    for (let offset = offsetOf(at); offset < offsetOf(at) + translated.length; offset++) {
      this.#roles.delete(offset);
      this.#visits.delete(offset);
    }
    for (const {translation, at: place, lookUp} of instructions) {
      this.#kinds[translation]++;
      if (translation !== 'callout') this.#roles.set(offsetOf(place), 'begins');
      if (lookUp === undefined) continue;
      this.#roles.set(offsetOf(lookUp.hit), 'hit');
      this.#roles.set(offsetOf(lookUp.miss), 'miss');
    }
  }

  /** The processor executed an instruction of the cache: how many instructions of the guest's that makes, beside what the VMM carries out. */
  ran(rip: bigint): number {
    const offset = offsetOf(rip);
    this.#visits.set(offset, (this.#visits.get(offset) ?? 0) + 1);
    const role = this.#roles.get(offset);
    if (role === 'hit') this.#sums.lookUpHits++;
    if (role === 'miss') this.#sums.lookUpMisses++;
    // What began as a look-up and ends as a callout is counted by whoever counts callouts.
    return role === 'begins' ? 1 : role === 'miss' ? -1 : 0;
  }

  /** How often the instruction of the cache at this address was executed. */
  visitsAt(address: bigint): number {
    return this.#visits.get(offsetOf(address)) ?? 0;
  }

  get statistics(): TranslationStatistics {
    return {...this.#sums, instructions: {...this.#kinds}};
  }
}
