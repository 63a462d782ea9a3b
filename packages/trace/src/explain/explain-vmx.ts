// Why the processor left the guest, how it came in, and what a VMX instruction answered.

import {assertUnreachable, hex} from '@hyperscope/base';
import {exceptionAt, exitReasonTitle} from '@hyperscope/isa';
import type {MachineEvent, VmExitInformation} from '@hyperscope/machine';
import type {Explanation} from '../session-view.js';
import {becauseSentence, decisiveCheck, explanation, otherwiseSentence} from './explanation.js';
import {describeQualification} from './exit-qualification.js';
import {routeSentence} from './exit-routes.js';

type VmxEvent = Extract<MachineEvent, {kind: 'vm-exit' | 'vm-entry' | 'vm-entry-failure' | 'vmx-instruction'}>;

/** `instruction` is the text of the guest instruction at the exit, where known: 'OUT DX, AL'. */
export function explainVmx(event: VmxEvent, instruction?: string): Explanation {
  switch (event.kind) {
    case 'vm-exit':
      return explainExit(event.exit, instruction);
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

/** The exits that no control can prevent (SDM vol. 3C, "Instructions That Cause VM Exits Unconditionally" and what follows it). */
const UNCONDITIONAL: ReadonlySet<number> = new Set([
  2, 3, 4, 9, 10, 11, 13, 18, 19, 20, 21, 22, 24, 26, 27, 50, 53, 55,
]);

function explainExit(exit: VmExitInformation, instruction: string | undefined): Explanation {
  const reason = exit.reason & 0xffff;
  const title = exitReasonTitle(reason);
  const detail = describeQualification(exit);
  const because = becauseSentence(exit.checks);
  const decided = decisiveCheck(exit.checks);
  const caused = instruction !== undefined && isInstructionExit(reason);
  return explanation({
    title: caused ? `${instruction} left the guest` : `VM exit ${reason}: ${title}`,
    sentences: [
      `VM exit, reason ${reason}: ${title}${detail === undefined ? '' : ` — ${detail}`}.`,
      because ??
        (UNCONDITIONAL.has(reason) ? 'No control of the VMCS can prevent this exit: it is unconditional.' : ''),
      `The processor stored the guest state in the VMCS, wrote exit reason ${reason} and qualification ${hex(exit.qualification)}, ` +
        `and loaded RIP from the host-state area. The guest’s RIP stays at ${hex(exit.guestRip)}: an exit comes before the instruction has any effect` +
        (exit.instructionLength > 0
          ? `, and the hypervisor must add the instruction’s ${exit.instructionLength} byte${exit.instructionLength === 1 ? '' : 's'} itself.`
          : '.'),
      ...vectoring(exit),
      routeSentence(reason),
    ].filter(text => text !== ''),
    checks: exit.checks,
    sources: ['SDM vol. 3C, "VM Exits"'],
    otherwise:
      UNCONDITIONAL.has(reason) || decided === undefined
        ? undefined
        : otherwiseSentence(exit.checks, otherwiseOfExit(reason)),
  });
}

/** Reasons that name something the running instruction did, rather than an event that came from elsewhere. */
const isInstructionExit = (reason: number): boolean => reason >= 9 && ![37, 43, 48, 49, 52, 56, 62].includes(reason);

function otherwiseOfExit(reason: number): string {
  switch (reason) {
    case 0:
      return 'the exception would have been delivered through the guest’s own IDT, and the hypervisor would not have known';
    case 1:
      return 'the interrupt would have gone to the guest’s own handler';
    case 12:
      return 'the processor itself would have slept inside the guest';
    case 30:
      return 'the port access would have reached the real port, with no exit';
    case 48:
      return 'the access would have gone to memory, with no exit';
    default:
      return 'the instruction would have run in the guest, with no exit';
  }
}

function vectoring(exit: VmExitInformation): readonly string[] {
  if ((exit.idtVectoringInformation & 0x8000_0000) === 0) return [];
  const vector = exit.idtVectoringInformation & 0xff;
  return [
    `The exit came while the processor was delivering ${exceptionAt(vector)?.name ?? `vector ${vector}`}: the hypervisor must inject that event again.`,
  ];
}

function explainEntry(event: Extract<VmxEvent, {kind: 'vm-entry'}>): Explanation {
  const injected =
    event.injected === undefined
      ? undefined
      : `It injects ${exceptionAt(event.injected)?.name ?? `vector ${event.injected}`}: the event is delivered through the guest’s IDT before its first instruction.`;
  return explanation({
    title: `${event.how}: VM entry`,
    sentences: [
      `${event.how} entered the guest whose VMCS is at ${hex(event.vmcs)}; it goes on at RIP ${hex(event.guestRip)}.`,
      event.how === 'VMLAUNCH'
        ? 'VMLAUNCH is for the first entry with a VMCS that is clear; it makes the VMCS launched, and later entries use VMRESUME.'
        : 'VMRESUME is for a VMCS that was launched before.',
      'The controls, the host-state area and the guest-state area passed every check; the guest’s registers were loaded from the VMCS, except the general ones, which software loads.',
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
      `${event.name}${operands === '' ? '' : ` with ${operands}`} ended with ${event.outcome}.`,
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
