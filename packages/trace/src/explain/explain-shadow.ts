// What the shadow MMU decided, and why: hidden and true faults, entries made and dropped, tables protected and synchronized.
// The reason comes with the event; here it becomes a title and sentences. Linux, Documentation/virt/kvm/x86/mmu.rst.

import {hex, keysOf} from '@hyperscope/base';
import type {ShadowEvent} from '@hyperscope/vmm';
import type {TraceEvent} from '../record-format.js';
import type {Explanation} from '../session-view.js';
import {explanation, sentence} from './explanation.js';

type Action = ShadowEvent['action'];

/** What each action is, in a few words; first those that a step is about, last what they bring about. */
const ACTIONS: Readonly<Record<Action, string>> = {
  'pool-empty': 'The pool of shadow pages is empty',
  'true-fault': 'True page fault: the guest’s own tables refuse',
  'page-table-write': 'The guest writes to its own page table',
  'tracked-write': 'The guest writes to a page whose code has been translated',
  'hidden-fault': 'Hidden page fault: the shadow is mended',
  mmio: 'No memory to map: the instruction is carried out in software',
  'new-root': 'A new shadow root',
  'reuse-root': 'A shadow root found again',
  'invalidate-page': 'INVLPG reaches the shadow',
  flood: 'Written too often to be a page table',
  sync: 'A shadow table is synchronized',
  unsync: 'A page table may be written unseen',
  'write-protect': 'A page that holds a page table is write-protected',
  'set-dirty': 'The guest’s Dirty bit is set in its place',
  'set-accessed': 'The guest’s Accessed bit is set in its place',
  zap: 'Shadow entries are dropped',
  map: 'A shadow entry is made',
  'new-table': 'A new shadow table',
};
/** Every action, the most telling first. */
export const SHADOW_ACTIONS: readonly Action[] = keysOf(ACTIONS);

/** How many decisions a step tells in full. */
const MOST_DECISIONS = 8;
const SOURCE = 'Linux, Documentation/virt/kvm/x86/mmu.rst';
const FAULTS = 'K. Adams, O. Agesen, ASPLOS 2006, section 2.4: hidden and true page faults';

/** `hidden fault at 0x40_0000` for an arrow or a mark. */
export function shadowLabel(event: ShadowEvent): string {
  const words = event.action.replaceAll('-', ' ');
  if (event.linear !== undefined) return `${words} · ${hex(event.linear)}`;
  return event.gpa === undefined ? words : `${words} · GPA ${hex(event.gpa)}`;
}

export function explainShadow(event: ShadowEvent): Explanation {
  const isFault = event.action === 'hidden-fault' || event.action === 'true-fault';
  return explanation({
    title: ACTIONS[event.action],
    sentences: [decision(event)],
    sources: isFault ? [FAULTS, SOURCE] : [SOURCE],
  });
}

/** The decision that a step is about. */
export function mainShadowEvent(events: readonly TraceEvent[]): ShadowEvent | undefined {
  const rank = ({action}: ShadowEvent): number => SHADOW_ACTIONS.indexOf(action);
  return events.filter(event => event.kind === 'shadow-paging').toSorted((a, b) => rank(a) - rank(b))[0];
}

/** All decisions of a step in their order, apart from the one that was told already. */
export function otherDecisions(events: readonly TraceEvent[], told: TraceEvent | undefined): readonly string[] {
  const rest = events.filter(event => event.kind === 'shadow-paging').filter(event => event !== told);
  const shown = rest.slice(0, MOST_DECISIONS).map(decision);
  const more = rest.length - shown.length;
  return more === 0 ? shown : [...shown, `${more} more ${more === 1 ? 'decision' : 'decisions'} of the shadow MMU.`];
}

function decision({why, entry}: ShadowEvent): string {
  if (entry === undefined) return sentence(why);
  const change = `shadow entry of level ${entry.level} at HPA ${hex(entry.at)}: ${hex(entry.from)} → ${hex(entry.to)}`;
  return sentence(`${why} (${change})`);
}
