// How the processor came into the guest, why it could not, and what a VMX instruction answered.

import {assertUnreachable, hex} from '@hyperscope/base';
import {exceptionAt, exitReasonTitle} from '@hyperscope/isa';
import type {MachineEvent} from '@hyperscope/machine';
import type {Explanation} from '../session-view.js';
import {becauseSentence, explanation, otherwiseSentence} from './explanation.js';
import {explainExit} from './explain-exit.js';
import {textContext} from './step-context.js';

type VmxEvent = Extract<MachineEvent, {kind: 'vm-exit' | 'vm-entry' | 'vm-entry-failure' | 'vmx-instruction'}>;

/** `instruction` is the text of the guest instruction at the exit, where known: 'OUT DX, AL'. */
export function explainVmx(event: VmxEvent, instruction?: string): Explanation {
  switch (event.kind) {
    case 'vm-exit':
      return explainExit(event.exit, textContext(instruction ?? ''));
    case 'vm-entry':
      return explainEntry(event);
    case 'vm-entry-failure':
      return explainEntryFailure(event);
    case 'vmx-instruction':
      return explainInstruction(event);
    default:
      return assertUnreachable(event);
  }
}

function explainEntry(event: Extract<VmxEvent, {kind: 'vm-entry'}>): Explanation {
  const injected =
    event.injected === undefined
      ? undefined
      : `It injects ${exceptionAt(event.injected)?.name ?? `vector ${event.injected}`}: the event is delivered through the guest’s IDT before its first instruction.`;
  return explanation({
    title: `${event.how} enters the guest at ${hex(event.guestRip)}`,
    sentences: [
      `${event.how} entered the guest whose VMCS is at ${hex(event.vmcs)}: RIP ← GUEST_RIP, ${hex(event.guestRip)}.`,
      'The controls, the host-state area and the guest-state area passed every check. The guest’s control registers, segments, RSP, RIP and RFLAGS came from the VMCS; the general registers software had loaded just before.',
      event.how === 'VMLAUNCH'
        ? 'VMLAUNCH is for the first entry, with a VMCS whose launch state is clear; it becomes launched, and later entries use VMRESUME.'
        : 'VMRESUME, because this VMCS was launched before.',
      ...(injected === undefined ? [] : [injected]),
    ],
    sources: ['SDM vol. 3C, "VM Entries"'],
  });
}

function explainEntryFailure(event: Extract<VmxEvent, {kind: 'vm-entry-failure'}>): Explanation {
  const reason = event.reason & 0xffff;
  const failed = event.checks.filter(check => !check.holds);
  return explanation({
    title: `VM entry failed: ${exitReasonTitle(reason)}`,
    sentences: [
      `VM-entry failure, reason ${reason} with bit 31 set; qualification ${hex(event.qualification)}. The processor is back in the host, and nothing of the guest ran.`,
      failed.length > 0
        ? `${failed.length} check${failed.length === 1 ? '' : 's'} failed: ${failed.map(check => `“${check.rule}”`).join(', ')}.`
        : '',
    ].filter(text => text !== ''),
    checks: event.checks,
    sources: ['SDM vol. 3C, "VM-Entry Failures During or After Loading Guest State"'],
    otherwise: failed.length === 1 ? otherwiseSentence(failed, 'the guest would have been entered') : undefined,
  });
}

function explainInstruction(event: Extract<VmxEvent, {kind: 'vmx-instruction'}>): Explanation {
  const operands = event.operands.map(([name, value]) => `${name} = ${value}`).join(', ');
  return explanation({
    title: `${event.name}: ${event.outcome}`,
    sentences: [
      `${event.name}${operands === '' ? '' : ` with ${operands}`}: ${event.outcome}.`,
      ...(event.outcome === 'VMsucceed'
        ? []
        : [
            event.outcome === 'VMfailInvalid'
              ? 'CF = 1 says so: there is no current VMCS in which an error number could be stored.'
              : `ZF = 1 says so, and the VM-instruction error field of the current VMCS holds ${event.error ?? 'a number'}.`,
          ]),
      ...(event.outcome === 'VMsucceed' ? [] : [becauseSentence(event.checks) ?? ''].filter(text => text !== '')),
    ],
    checks: event.checks,
    sources: ['SDM vol. 3C, "Conventions"'],
    otherwise:
      event.outcome === 'VMsucceed' ? undefined : otherwiseSentence(event.checks, `${event.name} would have succeeded`),
  });
}
