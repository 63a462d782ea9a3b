// The sentence under the stage: what the step before the playhead was, told by its most important event.

import {assertUnreachable, hex} from '@hyperscope/base';
import type {Explanation} from '../session-view.js';
import type {Step, TraceEvent} from '../record-format.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {explainEvent} from './explain-event.js';
import {explanation} from './explanation.js';
import {labelEvent} from './label-event.js';

/** The most important kinds first: what a lecturer would talk about when several things happen at once. */
const IMPORTANCE: readonly TraceEvent['kind'][] = [
  'unsupported',
  'triple-fault',
  'vm-entry-failure',
  'vm-exit',
  'kvm-exit',
  'vm-entry',
  'exit-handled',
  'ioctl',
  'exception',
  'mode',
  'ring',
  'halt',
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

/** Explains a step. `instruction` is its text, '' where it has none; `handled` the later answer to its exit, where recorded. */
export function explainStep(
  step: Step,
  events: readonly TraceEvent[],
  instruction: string,
  handled?: Extract<TraceEvent, {kind: 'exit-handled'}>,
): Explanation {
  const number = `Step ${step.index + 1}`;
  const main = step.kind === 'kvm-step' ? undefined : mainEvent(events);
  if (main === undefined) return explainQuietStep(step, number, instruction);
  const told = explainEvent(main, instruction === '' ? undefined : instruction);
  const rest = events.filter(
    event => event !== main && event.kind !== 'page-walk' && event.kind !== 'host-step' && event.kind !== 'ioctl',
  );
  const walks = events.filter(event => event.kind === 'page-walk' && event !== main).length;
  return {
    ...told,
    title: `${number} · ${main.kind === 'kvm-exit' && step.kind === 'kvm-exit' && instruction !== '' ? `${instruction} came back as ${told.title}` : told.title}`,
    sentences: [
      ...told.sentences,
      ...(handled === undefined || main.kind !== 'vm-exit'
        ? []
        : [
            `What happened then: ${handled.route === 'kvm' ? 'KVM answered by itself' : 'KVM returned to user space'} — ${handled.why}.`,
          ]),
      ...(rest.length === 0 ? [] : [`In the same step: ${rest.map(labelEvent).join('; ')}.`]),
      ...(walks === 0
        ? []
        : [`${walks} address translation${walks === 1 ? '' : 's'} missed the TLB and needed a page walk.`]),
    ],
  };
}

function explainQuietStep(step: Step, number: string, instruction: string): Explanation {
  const what = instruction === '' ? `the instruction at ${hex(step.rip)}` : instruction;
  switch (step.kind) {
    case 'instruction':
      return explanation({
        title: `${number} · ${what}`,
        sentences: [
          `${capital(ACTOR_NAMES[step.who])} ran ${what} at ${hex(step.rip)}. No check stood in its way, and nothing but the registers and bytes shown as changed is different.`,
        ],
      });
    case 'delivery':
      return explanation({
        title: `${number} · an event was delivered`,
        sentences: ['The processor delivered an event that was waiting.'],
      });
    case 'host-action':
      return explanation({
        title: `${number} · ${ACTOR_NAMES[step.who]}`,
        sentences: [`${capital(ACTOR_NAMES[step.who])} did a step of its own work.`],
      });
    case 'kvm-exit':
      return explanation({title: `${number} · KVM_RUN came back`, sentences: ['The real KVM returned to user space.']});
    case 'kvm-step':
      return explanation({
        title: `${number} · ${what} on the real processor`,
        sentences: [
          `The real KVM single-stepped ${what} at ${hex(step.rip)}; the registers are what KVM_GET_REGS gave afterwards.`,
        ],
      });
    default:
      return assertUnreachable(step.kind);
  }
}

/** What the page says before the first step. */
export const explainStart = (guest: string): Explanation =>
  explanation({
    title: 'Before the first step',
    sentences: [
      `${guest} is loaded, and the processor is in the state that the loader hands over. Step forward to run its first instruction.`,
    ],
  });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
