// Why the processor left the guest: what the guest did and where, which control asked for the exit, what the processor
// saved and loaded, and who answered.

import {exitReasonTitle} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {VmExitInformation} from '@hyperscope/machine';
import type {Explanation} from '../session-view.js';
import type {Actor} from '../record-format.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {becauseSentence, capital, decisiveCheck, explanation, otherwiseSentence} from './explanation.js';
import {REPEATED, answerSentence, betweenSentence, skipSentence, vectoring} from './exit-endings.js';
import {describeQualification} from './exit-qualification.js';
import {explainSvmExit} from './explain-svm.js';
import {guestDeed} from './guest-deed.js';
import {meaningOf} from './instruction-story.js';
import type {StepContext} from './step-context.js';

/** The exits that no control can prevent (SDM vol. 3C, "Instructions That Cause VM Exits Unconditionally" and what follows it). */
const UNCONDITIONAL: ReadonlySet<number> = new Set([
  2, 3, 4, 9, 10, 11, 13, 18, 19, 20, 21, 22, 24, 26, 27, 50, 53, 55,
]);

/** External interrupt, interrupt window, NMI window. */
const BETWEEN_INSTRUCTIONS: ReadonlySet<number> = new Set([1, 7, 8]);

/** `who` ran when it happened. */
export function explainExit(exit: VmExitInformation, context: StepContext, who: Actor = 'guest-kernel'): Explanation {
  if (exit.svm !== undefined) return explainSvmExit(exit, exit.svm, context, who);
  const reason = exit.reason & 0xffff;
  const caused = context.text !== '' && isInstructionExit(reason);
  return explanation({
    title: caused ? `${context.text} left the guest` : `VM exit: ${exitTitle(exit)}`,
    sentences: [
      ...(context.text === '' ? [] : [`${capital(ACTOR_NAMES[who])} ${guestDeed(exit, context)}.`]),
      reasonSentence(exit),
      becauseSentence(exit.checks) ?? '',
      UNCONDITIONAL.has(reason) ? 'No control of the VMCS can prevent this exit: it is unconditional.' : '',
      savedSentence(exit, context),
      caused ? skipSentence(exit) : BETWEEN_INSTRUCTIONS.has(reason) ? betweenSentence(hex(exit.guestRip)) : REPEATED,
      ...acknowledged(exit),
      ...vectoring(exit),
      answerSentence(exit, context),
    ].filter(text => text !== ''),
    checks: exit.checks,
    sources: ['SDM vol. 3C, "VM Exits"', 'SDM vol. 3C, "Saving Guest State"'],
    otherwise: otherwiseOfExit(exit),
    meaning: meaningOf(context.instruction),
  });
}

/** The reason's title, and for a fault of memory the address. */
function exitTitle(exit: VmExitInformation): string {
  const reason = exit.reason & 0xffff;
  return `${exitReasonTitle(reason)}${reason === 48 || reason === 49 ? ` at GPA ${hex(exit.guestPhysicalAddress)}` : ''}`;
}

function reasonSentence(exit: VmExitInformation): string {
  const reason = exit.reason & 0xffff;
  const detail = describeQualification(exit);
  return `VM exit, reason ${reason}: ${exitReasonTitle(reason)}${detail === undefined ? '' : ` — ${detail}`}.`;
}

/** Reasons that name something the running instruction did, rather than an event that came from elsewhere. */
const isInstructionExit = (reason: number): boolean => reason >= 9 && ![37, 43, 48, 49, 52, 56, 62].includes(reason);

function savedSentence(exit: VmExitInformation, context: StepContext): string {
  const [rip, cr3, vmcs] = [context.after('RIP'), context.after('CR3'), context.after('CURRENT_VMCS')];
  const host =
    rip === undefined
      ? 'RIP from HOST_RIP'
      : `RIP ← HOST_RIP, ${hex(rip)}${cr3 === undefined ? '' : `, and CR3 ← HOST_CR3, ${hex(cr3)}`}`;
  return (
    `The processor saved the guest’s state in the VMCS${vmcs === undefined ? '' : ` at ${hex(vmcs)}`} (GUEST_RIP = ${hex(exit.guestRip)}), ` +
    `wrote EXIT_REASON = ${exit.reason & 0xffff} and EXIT_QUALIFICATION = ${hex(exit.qualification)}, and loaded the host’s: ${host}.`
  );
}

function otherwiseOfExit(exit: VmExitInformation): string | undefined {
  const reason = exit.reason & 0xffff;
  if (UNCONDITIONAL.has(reason))
    return isInstructionExit(reason)
      ? `Nothing in the VMCS could have kept it in the guest. Without a hypervisor, ${withoutHypervisor(reason)}.`
      : undefined;
  return decisiveCheck(exit.checks) === undefined ? undefined : otherwiseSentence(exit.checks, consequence(reason));
}

const withoutHypervisor = (reason: number): string =>
  reason === 10
    ? 'the processor would have answered CPUID by itself'
    : 'the processor would have carried it out by itself';

function consequence(reason: number): string {
  switch (reason) {
    case 0:
      return 'the exception would have been delivered through the guest’s own IDT, and the hypervisor would not have known';
    case 1:
      return 'the interrupt would have gone to the guest’s own handler';
    case 7:
    case 8:
      return 'the guest would have gone on, and what waits for it would have waited longer';
    case 12:
      return 'the processor itself would have slept inside the guest';
    case 28:
      return 'the guest’s own value would have gone into or come out of the register, with no exit';
    case 30:
      return 'the port access would have reached the real port, with no exit';
    case 31:
      return 'the guest would have read the processor’s own MSR, with no exit';
    case 32:
      return 'the guest’s value would have gone into the processor’s own MSR, with no exit';
    case 48:
      return 'the access would have gone to memory, with no exit';
    default:
      return 'the instruction would have run in the guest, with no exit';
  }
}

/** With “acknowledge interrupt on exit” the processor has already asked the host's interrupt controller. */
function acknowledged(exit: VmExitInformation): readonly string[] {
  if ((exit.reason & 0xffff) !== 1 || exit.interruptionInformation === 0) return [];
  return [
    `The host’s own interrupt controller was asked for the vector, ${hex(exit.interruptionInformation & 0xff)}: it is in VM_EXIT_INTERRUPTION_INFORMATION.`,
  ];
}
