// How the processor came into the guest, why it could not, and what a VMX instruction answered.

import {assertUnreachable, hex} from '@hyperscope/base';
import {entryFailure, exceptionAt, exitNumber, exitTitle} from '@hyperscope/isa';
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
  if (event.how === 'VMRUN') return explainVmrun(event);
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

function explainVmrun(event: Extract<VmxEvent, {kind: 'vm-entry'}>): Explanation {
  const injected =
    event.injected === undefined
      ? ''
      : `EVENTINJ asks for ${exceptionAt(event.injected)?.name ?? `vector ${event.injected}`}: it is delivered through the guest’s IDT before the first instruction.`;
  return explanation({
    title: `VMRUN enters the guest at ${hex(event.guestRip)}`,
    sentences: [
      `VMRUN entered the guest whose VMCB is at ${hex(event.vmcs)}: RIP ← ${hex(event.guestRip)}, and GIF ← 1.`,
      'The host’s state is in the page that VM_HSAVE_PA names. The VMCB passed every check; control registers, ES, CS, SS, DS, RIP, RSP, RAX and RFLAGS came from it. FS, GS, LDTR, TR and the system-call MSRs only VMLOAD moves; the other general registers software had loaded.',
      injected,
    ].filter(text => text !== ''),
    sources: ['APM vol. 2, "VMRUN"'],
  });
}

function explainEntryFailure(event: Extract<VmxEvent, {kind: 'vm-entry-failure'}>): Explanation {
  const failure = entryFailure(event.reason);
  const failed = event.checks.filter(check => !check.holds);
  return explanation({
    title: `VM entry failed: ${exitTitle(failure)}`,
    sentences: [
      failure.svm === undefined
        ? `VM-entry failure, reason ${exitNumber(failure)} with bit 31 set; qualification ${hex(event.qualification)}. The processor is back in the host, and nothing of the guest ran.`
        : 'VMRUN refused the VMCB: EXITCODE = −1 (VMEXIT_INVALID). The processor tells no more than that; nothing of the guest ran.',
      failed.length > 0
        ? `${failed.length} check${failed.length === 1 ? '' : 's'} failed: ${failed.map(check => `“${check.rule}”`).join(', ')}.`
        : '',
    ].filter(text => text !== ''),
    checks: event.checks,
    sources: [
      failure.svm === undefined
        ? 'SDM vol. 3C, "VM-Entry Failures During or After Loading Guest State"'
        : 'APM vol. 2, "Canonicalization and Consistency Checks"',
    ],
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
