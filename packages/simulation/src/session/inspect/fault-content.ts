// The fault that connects the tables: where the processor's last refused walk stopped, who was told, what the hypervisor decided,
// and whether the access went through in the end. Every sentence is an event of the record, and names its step.

import {hex} from '@hyperscope/base';
import {exitNumber, exitTitle} from '@hyperscope/isa';
import {ACTOR_NAMES, explainEvent, whereWalkStopped} from '@hyperscope/trace';
import type {FaultContent, RunRecord, TraceEvent} from '@hyperscope/trace';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

type Walk = Extract<TraceEvent, {kind: 'page-walk'}>;
type Sentence = FaultContent['sentences'][number];

/** How many walks back a refused one is looked for, and how many steps on for what became of it. */
const MOST_WALKS = 24;
const MOST_STEPS = 60;
const PAGE = 12n;
const PAGE_FAULT = 14;
const VERB = {read: 'read of', write: 'write to', execute: 'fetch from'} as const;
const DECISIONS: ReadonlySet<string> = new Set([
  'hidden-fault',
  'true-fault',
  'mmio',
  'page-table-write',
  'tracked-write',
]);

export function faultContent({record, index, textOf}: LookedAt): Found<FaultContent> {
  const refused = lastRefused(record, index);
  if (refused === undefined) return nothing('None of the last walks was refused.');
  const {walk, step} = refused;
  const who = record.step(step)?.who;
  const text = textOf(step);
  const tables = record.header.shadowPool === undefined ? 'guest' : 'shadow';
  const first: Sentence = {
    step,
    text: `${who === undefined ? 'Somebody' : capital(ACTOR_NAMES[who])}${text === '' ? '' : `, ${text}`}: the ${VERB[walk.access]} GVA ${hex(walk.linear)} was refused. ${whereWalkStopped(walk, tables) ?? ''}`,
  };
  return found({linear: walk.linear, sentences: [first, ...answers(record, index, refused)]});
}

interface Refused {
  readonly walk: Walk;
  readonly step: number;
}

function lastRefused({events}: RunRecord, index: number): Refused | undefined {
  let walks = 0;
  for (let at = events.firstAt(index) - 1; at >= 0 && walks < MOST_WALKS; at--) {
    const event = events.at(at);
    if (event?.kind !== 'page-walk') continue;
    walks++;
    if (event.outcome !== 'mapped') return {walk: event, step: events.stepOf(at)};
  }
  return undefined;
}

/** What the record says that happened because of it, in order; each kind of answer once. */
function answers(record: RunRecord, index: number, {walk, step}: Refused): readonly Sentence[] {
  const sentences: Sentence[] = [];
  const told = new Set<string>();
  for (let at = step; at < Math.min(index, step + MOST_STEPS); at++) {
    for (const event of record.eventsOf(at)) {
      const text = answer(event, walk);
      if (text === undefined || told.has(event.kind)) continue;
      told.add(event.kind);
      sentences.push({step: at, text});
      if (event.kind === 'page-walk') return sentences;
    }
  }
  return sentences;
}

function answer(event: TraceEvent, walk: Walk): string | undefined {
  switch (event.kind) {
    case 'vm-exit':
      return `The processor left the guest: ${exitTitle(event.exit)} (${exitNumber(event.exit)}).`;
    case 'exception':
      return event.vector === PAGE_FAULT
        ? `The processor raised #PF; CR2 is ${hex(event.address ?? walk.linear)}.`
        : undefined;
    case 'delivery':
      return event.vector === PAGE_FAULT
        ? `#PF was delivered from ring ${event.from} to the handler at ${hex(event.handler)} in ring ${event.to}.`
        : undefined;
    case 'shadow-paging':
      return DECISIONS.has(event.action) ? `${explainEvent(event).title}. ${sentence(event.why)}` : undefined;
    case 'exit-handled':
      return event.route === 'kvm' ? `KVM answered: ${event.why}.` : `QEMU had to answer: ${event.why}.`;
    case 'page-walk':
      return event.outcome === 'mapped' && event.linear >> PAGE === walk.linear >> PAGE
        ? 'The access was made again, and its walk reached memory.'
        : undefined;
    default:
      return undefined;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const sentence = (text: string): string => `${capital(text)}${text.endsWith('.') ? '' : '.'}`;
