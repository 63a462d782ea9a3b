// An interrupt that arrives: the one event that no instruction causes. It comes between two of them.

import {hex} from '@hyperscope/base';
import type {Explanation} from '../session-view.js';
import type {Step, TraceEvent} from '../record-format.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {explainEvent} from './explain-event.js';
import {capital} from './explanation.js';
import type {StepContext} from './step-context.js';

const NMI = 2;

/** A step in which the processor took an interrupt; undefined for one in which it delivered something else. */
export function explainInterrupt(
  step: Step,
  number: string,
  events: readonly TraceEvent[],
  context: StepContext,
): Explanation | undefined {
  const delivery = events.find(event => event.kind === 'delivery');
  if (delivery === undefined || events.some(event => event.kind === 'exception')) return undefined;
  const told = explainEvent(delivery);
  const who = capital(ACTOR_NAMES[step.who]);
  const asleep = (context.before('ACTIVITY') ?? 0n) !== 0n;
  const name = delivery.vector === NMI ? 'a non-maskable interrupt' : `interrupt ${delivery.vector}`;
  return {
    ...told,
    changes: context.changes,
    title: `${number} · ${name}, ${asleep ? 'and HLT is over' : `between two instructions of ${ACTOR_NAMES[step.who]}`}`,
    sentences: [
      asleep
        ? `${who} slept in HLT, with ${hex(step.rip)} to come next. An interrupt wakes the processor.`
        : `${who} was about to run the instruction at ${hex(step.rip)}, and did nothing to cause this: an interrupt comes from outside.`,
      ...(delivery.vector === NMI
        ? []
        : [`RFLAGS.IF was 1, so the processor asked the interrupt controller for the vector: ${delivery.vector}.`]),
      ...told.sentences,
      `What was pushed there leads back: IRET will go on at ${hex(step.rip)}.`,
    ],
  };
}
