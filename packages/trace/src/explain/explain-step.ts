// The sentence under the stage: what the step before the playhead was. Each kind of step is told by its own rules: a guest
// instruction by its meaning, an exit by the control that asked for it, a host's step by its routine.

import {assertUnreachable, hex} from '@hyperscope/base';
import type {Explanation} from '../session-view.js';
import type {Step, TraceEvent} from '../record-format.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {explainEvent} from './explain-event.js';
import {explainExit} from './explain-exit.js';
import {explainHostAction} from './explain-host-action.js';
import {explainInstructionStep} from './explain-instruction.js';
import {explainInterrupt} from './explain-interrupt.js';
import {capital, explanation} from './explanation.js';
import {meaningOf} from './instruction-story.js';
import {labelEvent} from './label-event.js';
import {textContext} from './step-context.js';
import type {StepContext} from './step-context.js';
import {walkSentences} from './walk-sentences.js';

/** The most important kinds first: what a lecturer would talk about when several things happen at once. */
const IMPORTANCE: readonly TraceEvent['kind'][] = [
  'unsupported',
  'triple-fault',
  'vm-entry-failure',
  'vm-exit',
  'kvm-exit',
  'vm-entry',
  'control-program',
  'injection',
  'translation-adapted',
  'emulation',
  'translation',
  'translation-invalidated',
  'translation-chained',
  'guest-callback',
  'hypercall',
  'page-table-update',
  'shadow-paging',
  'virtual-cpu',
  'exit-handled',
  'ioctl',
  'exception',
  'mode',
  'ring',
  'halt',
  'device',
  'serial',
  'delivery',
  'control-register',
  'vmx-instruction',
  'port',
  'host-step',
  'page-walk',
];

/** The event that a step is told by; undefined for a step in which nothing happened. */
export function mainEvent(events: readonly TraceEvent[]): TraceEvent | undefined {
  return [...events].sort((a, b) => IMPORTANCE.indexOf(a.kind) - IMPORTANCE.indexOf(b.kind))[0];
}

/** Explains a step. What is not known of it (`context`) is left out of the sentences. */
export function explainStep(
  step: Step,
  events: readonly TraceEvent[],
  context: StepContext = textContext(''),
): Explanation {
  const number = `Step ${step.index + 1}`;
  const main = mainEvent(events);
  const exit = events.find(event => event.kind === 'vm-exit');
  // A hypervisor in guest code that is refused: what it wants to know are the checks that failed.
  const refused = events.find(
    event => event.kind === 'vm-entry-failure' || (event.kind === 'vmx-instruction' && event.outcome !== 'VMsucceed'),
  );
  if (exit !== undefined) {
    const told = explainExit(exit.exit, context, step.who);
    return {
      ...told,
      title: `${number} · ${told.title}`,
      sentences: [...told.sentences, ...restSentences(events, exit)],
    };
  }
  switch (step.kind) {
    case 'host-action':
      return explainHostAction(number, events) ?? explainEventful(step, number, main, events, context);
    case 'instruction':
      if (refused !== undefined) return explainEventful(step, number, refused, events, context);
      return isAsleep(step, events, context)
        ? explainSleep(number)
        : explainInstructionStep(step, number, events, context);
    case 'kvm-step':
      return explainRealStep(step, number, context);
    case 'delivery':
      return explainInterrupt(step, number, events, context) ?? explainEventful(step, number, main, events, context);
    case 'kvm-exit':
      return explainEventful(step, number, main, events, context);
    default:
      return assertUnreachable(step.kind);
  }
}

/** What follows from an event in the same step, and is told in full after it. */
const COMPANIONS: Partial<Readonly<Record<TraceEvent['kind'], TraceEvent['kind']>>> = {
  exception: 'delivery',
  'kvm-exit': 'serial',
};

/** A step told by its main event; with none, by its kind. */
function explainEventful(
  step: Step,
  number: string,
  main: TraceEvent | undefined,
  events: readonly TraceEvent[],
  context: StepContext,
): Explanation {
  if (main === undefined) return explainQuietStep(step, number);
  const told = explainEvent(main, context.text === '' ? undefined : context.text);
  const title =
    main.kind === 'kvm-exit' && context.text !== ''
      ? `${context.text} came back as ${told.title}`
      : main.kind === 'exception' && context.text !== ''
        ? `${context.text} · ${told.title}`
        : told.title;
  const attempt =
    main.kind === 'exception' && context.text !== ''
      ? [`${capital(ACTOR_NAMES[step.who])} tried ${context.text} at ${hex(step.rip)}.`]
      : [];
  const companion: TraceEvent['kind'] | undefined = COMPANIONS[main.kind];
  const follower = companion === undefined ? undefined : events.find(event => event.kind === companion);
  return {
    ...told,
    meaning: meaningOf(context.instruction),
    changes: context.changes,
    title: `${number} · ${title}`,
    sentences: [
      ...attempt,
      ...told.sentences,
      ...(follower === undefined ? [] : explainEvent(follower).sentences),
      ...restSentences(events, main, follower),
      ...walkSentences(events),
    ],
    sources: follower === undefined ? told.sources : [...new Set([...told.sources, ...explainEvent(follower).sources])],
  };
}

/** What else happened in the step; a ring change belongs to the delivery or the exit that made it. */
function restSentences(events: readonly TraceEvent[], ...told: readonly (TraceEvent | undefined)[]): readonly string[] {
  const quiet: readonly TraceEvent['kind'][] = ['page-walk', 'host-step', 'ioctl', 'ring'];
  const rest = events.filter(event => !told.includes(event) && !quiet.includes(event.kind));
  return rest.length === 0 ? [] : [`In the same step: ${rest.map(labelEvent).join('; ')}.`];
}

function explainQuietStep(step: Step, number: string): Explanation {
  switch (step.kind) {
    case 'delivery':
      return explanation({
        title: `${number} · an event was delivered`,
        sentences: ['The processor delivered an event that was waiting.'],
      });
    case 'kvm-exit':
      return explanation({title: `${number} · KVM_RUN came back`, sentences: ['The real KVM returned to user space.']});
    default:
      return explanation({
        title: `${number} · ${ACTOR_NAMES[step.who]}`,
        sentences: [`${capital(ACTOR_NAMES[step.who])} did a step of its own work.`],
      });
  }
}

function explainRealStep(step: Step, number: string, context: StepContext): Explanation {
  const told = explainInstructionStep(step, number, [], context);
  return {
    ...told,
    title: `${told.title} on the real processor`,
    sentences: [
      ...told.sentences,
      'The real KVM single-stepped it; the registers are what KVM_GET_REGS gave afterwards.',
    ],
  };
}

/** The processor stands in HLT: a step in which it runs nothing. */
const isAsleep = (step: Step, events: readonly TraceEvent[], context: StepContext): boolean =>
  step.length === 0 && events.length === 0 && (context.before('ACTIVITY') ?? 0n) !== 0n;

const explainSleep = (number: string): Explanation =>
  explanation({
    title: `${number} · the processor sleeps`,
    sentences: ['HLT has stopped the processor, and nothing is left that could wake it: the run is over.'],
    sources: ['SDM vol. 2, "HLT—Halt"'],
  });

const BY_KVM =
  ' into the memory of a process, the user-space VMM. Before its first instruction runs, that process asks KVM for a virtual machine';
const PREPARED = {
  'VT-x': `${BY_KVM}, and KVM switches VMX operation on and fills in a VMCS.`,
  SVM: `${BY_KVM}, and KVM switches SVM on and fills in a VMCB.`,
  'a hypervisor':
    ' into memory that a hypervisor gives it. Before its first instruction runs, the hypervisor makes the tables that it will run in.',
  'the guest':
    ', and the processor is in the state that the loader hands over. Step forward to run its first instruction.',
} as const;

/** What the page says before the first step. */
export const explainStart = (guest: string, virtualized: keyof typeof PREPARED = 'the guest'): Explanation =>
  explanation({
    title: 'Before the first step',
    sentences: [`${guest} is loaded${PREPARED[virtualized]}`],
  });
