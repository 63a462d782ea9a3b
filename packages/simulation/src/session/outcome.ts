// How a run ended, as a sentence.

import {assertUnreachable, hex, hexBytes} from '@hyperscope/base';
import {exceptionAt} from '@hyperscope/isa';
import {NO_FETCH, ON_PURPOSE} from '@hyperscope/vmm';
import type {RunOutcome} from '@hyperscope/vmm';

const HALTED = {
  one: 'The guest halted with nothing that could wake it.',
  over: 'All virtual machines have come to their ends.',
  waiting: 'Nobody can go on: virtual machines wait for interrupts, and none can come any more.',
} as const;

export function outcomeSentence(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case 'halted':
      return HALTED[outcome.machines ?? 'one'];
    case 'debug-exit':
      return `The guest ended the run through the debug-exit port with status ${outcome.value}.`;
    case 'power-off':
      return outcome.by === 'reset'
        ? 'The guest pulled the reset line. The run ends here; this machine does not start again.'
        : 'The guest switched the machine off.';
    case 'triple-fault':
      return `Triple fault. ${outcome.chain
        .map(
          link =>
            `${exceptionAt(link.vector)?.name ?? `vector ${link.vector}`}${link.errorCode === undefined ? '' : ` (error code ${hex(link.errorCode)})`}` +
            `${link.address === undefined ? '' : ` at address ${hex(link.address)}`}: ${link.why}`,
        )
        .join('; then ')}.`;
    case 'unsupported':
      return `At ${hex(outcome.address)}${outcome.bytes.length === 0 ? '' : `, bytes ${hexBytes(outcome.bytes)}`}: ${outcome.what}.${[ON_PURPOSE, NO_FETCH].some(ending => outcome.what.endsWith(ending)) ? '' : ' The simulator does not have this, and stopped rather than guess.'}`;
    case 'error':
      return `The hypervisor could not go on: ${outcome.message}`;
    default:
      return assertUnreachable(outcome);
  }
}
