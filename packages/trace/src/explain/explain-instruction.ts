// An instruction that completed: what it means, what it changed, what let it run, and what happened on the way.

import {hex} from '@hyperscope/base';
import type {Explanation} from '../session-view.js';
import type {Step, TraceEvent} from '../record-format.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {explainEvent} from './explain-event.js';
import {capital, explanation, someOf} from './explanation.js';
import {instructionStory} from './instruction-story.js';
import type {InstructionStory} from './instruction-story.js';
import {labelEvent} from './label-event.js';
import type {StepContext} from './step-context.js';
import {walkSentences} from './walk-sentences.js';

/** Events that are worth the title, the most telling first. */
const HEADLINES: readonly TraceEvent['kind'][] = [
  'unsupported',
  'triple-fault',
  'mode',
  'ring',
  'halt',
  'device',
  'serial',
  'control-register',
  'port',
];

/** How many changes a sentence names; the rest is in the table. */
const MOST_CHANGES = 4;

export function explainInstructionStep(
  step: Step,
  number: string,
  events: readonly TraceEvent[],
  context: StepContext,
): Explanation {
  const {text} = context;
  const story =
    context.instruction === undefined
      ? undefined
      : instructionStory(context.instruction, context.before, context.after);
  const headline = HEADLINES.map(kind => events.find(event => event.kind === kind)).find(event => event !== undefined);
  const told = headline === undefined ? undefined : explainEvent(headline);
  const rest = events.filter(event => event !== headline && event.kind !== 'page-walk' && !isPartOf(event, headline));
  const checks = [...(story?.checks ?? []), ...(context.stayed?.checks ?? []), ...(story?.rightChecks ?? [])];
  const what = text === '' ? `the instruction at ${hex(step.rip)}` : text;
  return explanation({
    title: `${number} · ${what}${headline === undefined ? '' : ` · ${headlineText(headline)}`}`,
    sentences: [
      `${capital(ACTOR_NAMES[step.who])} ran ${what}${text === '' ? '' : ` at ${hex(step.rip)}`}${effectText(story)}.`,
      ...(context.standsFor === undefined ? [] : [`In the translation cache, for the guest’s ${context.standsFor}.`]),
      ...(told?.sentences ?? []),
      ...(story?.jumps ?? []),
      ...(story?.rights ?? []),
      ...verdictSentences(story, what),
      ...(context.stayed === undefined ? [] : [context.stayed.sentence]),
      ...changeSentences(context, events),
      ...(rest.length === 0 ? [] : [`In the same step: ${rest.map(labelEvent).join('; ')}.`]),
      ...walkSentences(events),
    ],
    checks,
    sources: [...(story?.sources ?? []), ...(told?.sources ?? [])],
    otherwise: story?.otherwise ?? context.stayed?.otherwise ?? told?.otherwise,
    meaning: story?.meaning ?? [],
    changes: context.changes,
  });
}

/** A few words for the title, where the instruction itself is named already. */
function headlineText(event: TraceEvent): string {
  switch (event.kind) {
    case 'ring':
      return `ring ${event.from} → ${event.to}`;
    case 'halt':
      return 'the processor stops';
    case 'port':
      return explainEvent(event).title.replace(/^Port/, 'port');
    default:
      return labelEvent(event);
  }
}

/** A port access behind a serial byte, and a ring change behind a mode change, are told already. */
const isPartOf = (event: TraceEvent, headline: TraceEvent | undefined): boolean =>
  headline?.kind === 'serial' && event.kind === 'port';

function effectText(story: InstructionStory | undefined): string {
  return story === undefined || story.effects.length === 0 ? '' : `: ${story.effects.join('; ')}`;
}

function verdictSentences(story: InstructionStory | undefined, what: string): readonly string[] {
  return story?.verdict === undefined ? [] : [`“${what}” is ${story.verdict}.`];
}

/** What an event has told already is left out; where nothing at all has changed, that is worth a sentence. */
function changeSentences({changes, before}: StepContext, events: readonly TraceEvent[]): readonly string[] {
  const told = new Set<string>(events.flatMap(event => (event.kind === 'control-register' ? [event.register] : [])));
  const rest = changes.filter(change => !told.has(change.name));
  if (rest.length > 0) {
    return [
      `Changed: ${someOf(
        rest.map(change => `${change.name} ${change.before} → ${change.after}`),
        MOST_CHANGES,
      )}.`,
    ];
  }
  const isKnown = before('RIP') !== undefined;
  return isKnown && changes.length === 0 && events.every(event => event.kind === 'page-walk')
    ? ['Nothing but RIP has another value than before.']
    : [];
}
