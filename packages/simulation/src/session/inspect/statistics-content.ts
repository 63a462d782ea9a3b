// Counters up to the playhead, in the manner of `perf kvm stat`: why the guest was left, how often, and what it cost until it ran
// again; who had the processor; how often page tables were walked. Everything is counted in the record.

import {hex} from '@hyperscope/base';
import {ACTOR_ORDER, kvmExitName} from '@hyperscope/trace';
import type {ExitCost, RunRecord, StatisticsContent, TraceEvent} from '@hyperscope/trace';
import {exitTitle} from '@hyperscope/isa';
import {shadowPanel, shadowRoots} from '../shadow-panel.js';
import {found} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';
import {machineAccounts} from './machine-accounts.js';
import type {StepCounts} from './step-counts.js';

type Group = StatisticsContent['groups'][number];
type Counter = Group['counters'][number];

export function statisticsContent(looked: LookedAt, counts: StepCounts): Found<StatisticsContent> {
  const {record, index} = looked;
  const cycle = record.cycleAt(index);
  const sums = new Float64Array(ACTOR_ORDER.length);
  if (record.length > 0) record.cycleSums.upTo(cycle, record.endCycle, sums);
  const tallies = counts.upTo(index);
  const actors = ACTOR_ORDER.map((who, at) => ({
    who,
    steps: tallies.steps[at] ?? 0,
    instructions: tallies.instructions[at] ?? 0,
    cycles: sums[at] ?? 0,
  })).filter(row => row.steps > 0);
  return found({
    steps: index,
    cycles: cycle,
    actors,
    exits: exitCosts(record, index),
    groups: [
      memoryGroup(record, index),
      eventGroup(record, index),
      ...shadowGroup(looked),
      ...translationGroup(record, index),
      ...machineAccounts(looked),
    ].filter(group => group.counters.length > 0),
  });
}

/** From the step that left the guest to the end of the one that entered it again. */
function exitCosts(record: RunRecord, index: number): readonly ExitCost[] {
  const rows = new Map<string, {-readonly [K in keyof ExitCost]: ExitCost[K]}>();
  const leave = (reason: string): void => {
    const row = rows.get(reason) ?? {reason, count: 0, answered: 0, cycles: 0, least: Infinity, most: 0};
    row.count++;
    rows.set(reason, row);
  };
  let open: {readonly reason: string; readonly from: number} | undefined;
  const entries = record.events.allOf('vm-entry');
  let entry = entries.next();
  for (const {step, event} of record.events.allOf('vm-exit')) {
    if (step >= index) break;
    const reason = exitTitle(event.exit);
    leave(reason);
    open = {reason, from: record.cycleAt(step)};
    while (!entry.done && entry.value.step <= step) entry = entries.next();
    if (entry.done || entry.value.step >= index) continue;
    const row = rows.get(open.reason);
    if (row === undefined) continue;
    const cost = record.cycleAt(entry.value.step + 1) - open.from;
    row.answered++;
    row.cycles += cost;
    row.least = Math.min(row.least, cost);
    row.most = Math.max(row.most, cost);
  }
  if (rows.size === 0 && record.header.engine === 'kvm')
    for (const {step, event} of record.events.allOf('kvm-exit')) {
      if (step >= index) break;
      leave(kvmExitName(event.exit));
    }
  return [...rows.values()]
    .map(row => ({...row, least: row.answered === 0 ? 0 : row.least}))
    .toSorted((a, b) => b.cycles - a.cycles || b.count - a.count);
}

const counter = (name: string, value: number, meaning: string): Counter => ({name, value, meaning});
const counted = (record: RunRecord, kind: TraceEvent['kind'], index: number): number =>
  record.events.countBefore(kind, index);

function memoryGroup(record: RunRecord, index: number): Group {
  const walks = counted(record, 'page-walk', index);
  if (walks === 0) return {title: 'Address translation', counters: []};
  let references = 0;
  let faults = 0;
  for (const {step, event} of record.events.allOf('page-walk')) {
    if (step >= index) break;
    references += event.references.length;
    if (event.outcome !== 'mapped') faults++;
  }
  return {
    title: 'Address translation',
    counters: [
      counter(
        'page walks',
        walks,
        'accesses that the TLB could not answer; its hits leave no trace and are counted below',
      ),
      counter('table entries read', references, 'by these walks, through EPT or nested tables as well'),
      counter('walks that failed', faults, 'in a page fault or an exit'),
    ],
  };
}

const EVENTS = [
  ['exception', 'exceptions', 'raised, whoever got them'],
  ['delivery', 'deliveries', 'of exceptions and interrupts through an IDT'],
  ['injection', 'injections', 'decisions of the hypervisor about an interrupt that waited'],
  ['ring', 'ring changes', 'of the processor’s real CPL'],
  ['emulation', 'emulated instructions', 'carried out by the hypervisor in software'],
  ['ioctl', 'ioctl boundaries', 'calls and returns between user space and KVM'],
  ['virtual-cpu', 'virtual registers changed', 'by the VMM, in the place of the processor’s'],
  ['halt', 'halts', 'HLT with nothing to do'],
] as const satisfies readonly (readonly [TraceEvent['kind'], string, string])[];

const eventGroup = (record: RunRecord, index: number): Group => ({
  title: 'Events',
  counters: EVENTS.flatMap(([kind, name, meaning]) => {
    const value = counted(record, kind, index);
    return value === 0 ? [] : [counter(name, value, meaning)];
  }),
});

/** A shadow page is a table and a page of bookkeeping (vmm, shadow-paging/ports.ts). */
const SHADOW_PAGE_KIB = 8;

const SHADOW_WORDS = {
  hiddenFaults: ['hidden faults', 'of the shadow tables alone: the guest never knows'],
  trueFaults: ['true faults', 'of the guest’s own tables: handed to it'],
  pageTableWrites: ['page-table writes', 'of the guest to a table that is shadowed'],
  cr3Loads: ['CR3 loads', 'of the guest'],
  invalidations: ['invalidations', 'INVLPG of the guest'],
  unsyncs: ['tables unsynced', 'left to the guest to write, until it says so'],
  syncs: ['tables synced', 'brought in step again'],
  deviceFaults: ['device faults', 'accesses of a page that is a device’s'],
  zaps: ['shadow pages zapped', 'thrown away'],
  floods: ['write floods', 'a table written so often that its shadow was given up'],
  poolExhaustions: ['pool exhausted', 'no shadow page was left'],
} as const;

function shadowGroup({record, state, index}: LookedAt): readonly Group[] {
  const shadow = shadowPanel(record, state, index);
  if (shadow === undefined) return [];
  const {statistics, pages} = shadow;
  const names = Object.keys(SHADOW_WORDS).filter((name): name is keyof typeof SHADOW_WORDS => name in statistics);
  return [
    {
      title: 'Shadow MMU',
      counters: [
        ...names.map(name => counter(SHADOW_WORDS[name][0], statistics[name], SHADOW_WORDS[name][1])),
        counter('shadow pages in use', pages.used, `of ${pages.capacity}`),
        ...shadowRoots(record, state).map(({guestRoot, pages: under, own}) =>
          counter(
            `shadow pages of guest root ${hex(guestRoot)}`,
            under,
            `${own} of them its own; each takes ${SHADOW_PAGE_KIB} KiB, half of it for what the shadow MMU notes`,
          ),
        ),
      ],
    },
  ];
}

function translationGroup(record: RunRecord, index: number): readonly Group[] {
  const translated = counted(record, 'translation', index);
  if (translated === 0) return [];
  const kinds = {ident: 0, 'in-cache': 0, callout: 0, control: 0};
  let source = 0;
  let bytes = 0;
  for (const {step, event} of record.events.allOf('translation')) {
    if (step >= index) break;
    for (const {translation} of event.instructions) kinds[translation]++;
    source += event.source.length;
    bytes += event.translated.length;
  }
  return [
    {
      title: 'Binary translation',
      counters: [
        counter('blocks translated', translated, `${source} bytes of guest code became ${bytes}`),
        counter('instructions copied as they are', kinds.ident, 'innocuous: they run as the guest wrote them'),
        counter('replaced in the cache', kinds['in-cache'], 'by a sequence on the virtual CPU'),
        counter('replaced by callouts', kinds.callout, 'into the VMM'),
        counter('jumps', kinds.control, 'whose target is translated too'),
        counter('jumps chained', counted(record, 'translation-chained', index), 'that need the VMM no more'),
        counter(
          'translations thrown away',
          counted(record, 'translation-invalidated', index),
          'because their source changed',
        ),
      ],
    },
  ];
}
