// What a panel shows of binary translation: the fragments in the cache, how often each ran, and of one of them the guest's code beside what
// runs in its place.

/** One instruction of the cache, as it stands there now: stubs that were patched are jumps. */
export interface CacheInstruction {
  readonly at: bigint;
  readonly text: string;
  /** 'callout' and 'miss' call the VMM, 'stub' traps to it; 'jump' goes to another fragment, 'next' falls through to it. */
  readonly what: 'code' | 'callout' | 'miss' | 'stub' | 'jump' | 'next';
  /** The guest's address that it goes on at, where it is a jump, a stub or the end. */
  readonly leadsTo: bigint | undefined;
  readonly executions: number;
  /** The processor executes it next. */
  readonly isNext: boolean;
}

export interface TranslatedInstructionRow {
  readonly rip: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly translation: 'ident' | 'in-cache' | 'callout' | 'control';
  readonly why: string;
  readonly cache: readonly CacheInstruction[];
}

export interface FragmentRow {
  /** The guest's address, and the linear address in the cache. */
  readonly rip: bigint;
  readonly at: bigint;
  readonly sourceBytes: number;
  readonly cacheBytes: number;
  readonly executions: number;
}

export interface TranslationContent {
  readonly sentence: string;
  readonly used: number;
  readonly capacity: number;
  readonly emptied: number;
  /** In the order of their addresses. */
  readonly fragments: readonly FragmentRow[];
  /** The one that was asked for, or the one that the processor is in or was in last; undefined where there is none. */
  readonly block: (FragmentRow & {readonly instructions: readonly TranslatedInstructionRow[]}) | undefined;
  readonly counters: readonly {readonly name: string; readonly value: number; readonly meaning: string}[];
}
