// The TLB at the playhead. Each entry is held against a walk of the tables as they are now: where that gives something else, the
// entry is stale, which is no fault of the processor's: it may go on using it until the guest says that it changed something.
// SDM vol. 3A, "Caching Translation Information", "Invalidation of TLBs and Paging-Structure Caches".

import {hex} from '@hyperscope/base';
import {
  TLB_CAPACITY,
  TLB_DIRTY,
  TLB_NO_EXECUTE,
  TLB_GLOBAL,
  TLB_USER,
  TLB_WRITABLE,
  knownTranslations,
} from '@hyperscope/machine';
import type {KnownTranslation} from '@hyperscope/machine';
import type {TlbContent, TlbRow} from '@hyperscope/trace';
import {HostSpace} from '../host-space.js';
import type {StateView} from '../state-view.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';
import {lookingWalk} from './looking-walk.js';
import type {LookingWalk} from './looking-walk.js';
import {physicalReader} from './physical-reader.js';
import {staleCause} from './stale-cause.js';
import type {EntryAt, StaleCause} from './stale-cause.js';
import {guestContext, processorContext} from './translation-context.js';
import type {TranslationContext} from './translation-context.js';

const PAGE = 4096;
const RIGHTS = [
  [TLB_USER, 'user'],
  [TLB_WRITABLE, 'writable'],
  [TLB_NO_EXECUTE, 'no execution'],
  [TLB_DIRTY, 'dirty'],
] as const;

/** `bank`: the bytes of the bank 'tlb'; `entryAt` reads table entries in other states. */
export function tlbContent(looked: LookedAt, bank: Uint8Array | undefined, entryAt: EntryAt): Found<TlbContent> {
  const {record, state} = looked;
  if (record.header.engine === 'kvm')
    return nothing('No processor tells software what its TLB holds: a recording of real KVM has none of it.');
  if (bank === undefined) return nothing('This recording was made without the TLB.');
  const words = new Float64Array(bank.slice().buffer);
  const contexts = [processorContext(record.header, state), guestContext(record.header, state)];
  const rows = knownTranslations(words)
    .map(entry => rowOf(entry, looked, contexts, entryAt))
    .toSorted(
      (a, b) => Number(b.current) - Number(a.current) || a.identifier - b.identifier || compare(a.linear, b.linear),
    );
  const stale = rows.filter(row => row.state === 'stale').length;
  return found({
    rows,
    identifierName: state.vmcb() === undefined ? 'VPID' : 'ASID',
    capacity: TLB_CAPACITY,
    sentence: sentenceOf(rows, stale),
  });
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function sentenceOf(rows: readonly TlbRow[], stale: number): string {
  if (rows.length === 0) return 'The TLB is empty: the next access of every page takes a walk.';
  const usable = rows.filter(row => row.current).length;
  const old = stale === 0 ? '' : ` ${stale === 1 ? 'One is' : `${stale} are`} stale.`;
  const taken = `${rows.length} of ${TLB_CAPACITY} places are taken`;
  if (usable === rows.length) return `${taken}; the processor can use all of them now.${old}`;
  const others = usable === 0 ? 'they wait for their' : `the other ${rows.length - usable} wait for their`;
  return `${taken}; the processor can use ${usable === 0 ? 'none' : usable} of them now, ${others} virtual processor or address space to come back.${old}`;
}

function rowOf(
  entry: KnownTranslation,
  looked: LookedAt,
  contexts: readonly (TranslationContext | undefined)[],
  entryAt: EntryAt,
): TlbRow {
  const linear = BigInt.asUintN(64, BigInt.asIntN(48, BigInt(entry.linearPage) * 4096n));
  const row = {
    linear,
    physical: entry.physicalPage * PAGE,
    pageBits: entry.pageBits,
    rights: RIGHTS.filter(([flag]) => (entry.flags & flag) !== 0).map(([, name]) => name),
    identifier: entry.identifier,
    ...belongsTo(entry, looked.state),
    root: entry.root === undefined ? undefined : entry.root * PAGE,
    pcid: entry.pcid,
    global: (entry.flags & TLB_GLOBAL) !== 0,
    current: entry.isCurrent,
  };
  const context = contexts.find(each => each !== undefined && isOf(entry, each));
  if (context === undefined)
    return {
      ...row,
      state: 'unchecked',
      changedAt: undefined,
      why: 'The tables it was read from are not in use now: no register names them.',
    };
  const walk = lookingWalk(linear, 'read', context, physicalReader(looked.state));
  const difference = differenceOf(entry, walk);
  if (difference === undefined)
    return {...row, state: 'fresh', changedAt: undefined, why: 'A walk of the tables gives the same now.'};
  const cause = staleCause(looked, walk, context.rules?.mode === '32-bit' ? 4 : 8, entryAt);
  return {...row, state: 'stale', changedAt: cause?.step, why: whyStale(entry, difference, cause, looked.index)};
}

/** What differs, who made it so, and what would have made the processor forget. */
function whyStale(
  {flags, pcid}: KnownTranslation,
  difference: string,
  cause: StaleCause | undefined,
  index: number,
): string {
  if (cause === undefined)
    return `${difference}. No entry of these tables was changed since the record began. Until the entry is flushed, the processor may use what it remembers.`;
  const forCr3 =
    (flags & TLB_GLOBAL) !== 0
      ? ' (a load of CR3 would leave it: the page is global)'
      : pcid === undefined
        ? ' and no load of CR3'
        : ` and no load of CR3 that flushes PCID ${pcid}`;
  const missed = {guest: `no INVLPG for this page${forCr3}`, ept: 'no INVEPT', npt: 'no flush by TLB_CONTROL'};
  const steps = index - cause.step - 1;
  const since = steps === 0 ? 'Since then' : `In the ${steps === 1 ? 'step' : `${steps} steps`} since then`;
  return `${difference}. ${cause.sentence}. ${since} there was ${missed[cause.table]}, or the entry would be gone. Until there is, the processor may use what it remembers, and that is legal.`;
}

/**
 * Whose address it is that was translated. Without VPID everybody has the identifier 0, and whatever changes sides empties the
 * TLB: what is in it is of whoever runs.
 */
function belongsTo({identifier, root}: KnownTranslation, state: StateView): Pick<TlbRow, 'space' | 'whose'> {
  const name = state.vmcb() === undefined ? 'VPID' : 'ASID';
  if (identifier !== 0) return {space: 'gva', whose: `${name} ${identifier}`};
  if (HostSpace.of(state) === undefined) return {space: 'gva', whose: ''};
  return root !== undefined || state.operation === 'non-root'
    ? {space: 'gva', whose: `guest, no ${name}`}
    : {space: 'hva', whose: 'host'};
}

/** Whether these tables are the ones that the entry was read from. */
function isOf(entry: KnownTranslation, context: TranslationContext): boolean {
  if (entry.identifier !== context.identifier) return false;
  const root = context.nested?.kind === 'ept' ? context.nested.root / PAGE : undefined;
  if (entry.root !== root) return false;
  return (entry.flags & TLB_GLOBAL) !== 0 || entry.pcid === undefined || entry.pcid === context.pcid;
}

/** What a walk gives that the entry does not have; undefined where both agree. Dirty is not asked: only a write looks at it. */
function differenceOf(entry: KnownTranslation, walk: LookingWalk): string | undefined {
  if (walk.hostPhysical === undefined) return `The tables map nothing here any more (${walk.why ?? 'not present'})`;
  const now = Math.floor(walk.hostPhysical / PAGE);
  if (now !== entry.physicalPage)
    return `The tables lead to ${hex(now * PAGE)} now, the TLB still to ${hex(entry.physicalPage * PAGE)}`;
  const {translation} = walk;
  if (translation === undefined) return undefined;
  const rights = [
    ['writable', (entry.flags & TLB_WRITABLE) !== 0, translation.writable],
    ['for user code', (entry.flags & TLB_USER) !== 0, translation.user],
    ['not executable', (entry.flags & TLB_NO_EXECUTE) !== 0, translation.noExecute],
  ] as const;
  const other = rights.find(([, remembered, present]) => remembered !== present);
  if (other === undefined) return undefined;
  return other[1]
    ? `The page is not ${other[0]} any more, in the TLB it still is`
    : `The page is ${other[0]} now, in the TLB it is not yet`;
}
