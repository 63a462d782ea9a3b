// How the story of an exit ends, on VT-x and on SVM: what becomes of the instruction, of an event that was being delivered, and
// who answers.

import {exceptionAt} from '@hyperscope/isa';
import type {VmExitInformation} from '@hyperscope/machine';
import {routeOfExit} from './exit-routes.js';
import type {StepContext} from './step-context.js';

export function skipSentence({instructionLength: bytes}: VmExitInformation): string {
  return (
    'An exit comes before the instruction has any effect' +
    (bytes > 0
      ? `: the saved RIP still points at it, and whoever answers must also move RIP past its ${bytes} byte${bytes === 1 ? '' : 's'}.`
      : '.')
  );
}

export const REPEATED = 'The instruction has had no effect: the guest will repeat it when it is entered again.';
export const betweenSentence = (rip: string): string =>
  `It came between two instructions: at ${rip} the guest will go on as if nothing had been.`;

/** Whoever is a hypervisor in the guest program answers for itself. */
export function answerSentence(exit: VmExitInformation, {handled, hypervisor}: StepContext): string {
  if (hypervisor === 'guest') return '';
  if (handled === undefined) return routeOfExit(exit);
  return handled.route === 'kvm'
    ? `KVM answered it by itself (${handled.why}): the user-space VMM heard nothing of it.`
    : `KVM could not answer it by itself (${handled.why}), so ioctl(KVM_RUN) returned to the user-space VMM.`;
}

export function vectoring(exit: VmExitInformation): readonly string[] {
  if ((exit.idtVectoringInformation & 0x8000_0000) === 0) return [];
  const vector = exit.idtVectoringInformation & 0xff;
  return [
    `The exit came while the processor was delivering ${exceptionAt(vector)?.name ?? `vector ${vector}`}: the hypervisor must inject that event again.`,
  ];
}
