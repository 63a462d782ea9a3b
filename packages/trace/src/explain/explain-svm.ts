// #VMEXIT in sentences: what SVM tells in EXITCODE and EXITINFO, where host and guest are kept, and who answered.

import {
  SVM_EXIT,
  SVM_EXIT_BASE,
  exceptionAt,
  exitNumber,
  exitTitle,
  svmExitCode,
  svmInterceptExit,
} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {SvmExitInformation, VmExitInformation} from '@hyperscope/machine';
import type {Actor} from '../record-format.js';
import type {Explanation} from '../session-view.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {REPEATED, answerSentence, betweenSentence, skipSentence, vectoring} from './exit-endings.js';
import {becauseSentence, capital, decisiveCheck, explanation, otherwiseSentence} from './explanation.js';
import {meaningOf} from './instruction-story.js';
import type {StepContext} from './step-context.js';
import {describeSvmExit} from './svm-exit-words.js';
import {isBetween, svmGuestDeed} from './svm-guest-deed.js';

const isException = (code: number): boolean => code >= SVM_EXIT_BASE.exception && code < SVM_EXIT_BASE.word3;
/** Exits that name something the running instruction did, rather than an event or a fault of memory. */
const isInstruction = (code: number): boolean =>
  code >= 0 && !isBetween(code) && code !== SVM_EXIT.NPF && !isException(code);

/** Why SVM left the guest. `who` ran when it happened. */
export function explainSvmExit(
  exit: VmExitInformation,
  svm: SvmExitInformation,
  context: StepContext,
  who: Actor,
): Explanation {
  const caused = context.text !== '' && isInstruction(svm.code);
  const detail = describeSvmExit(svm);
  return explanation({
    title: caused ? `${context.text} left the guest` : `#VMEXIT: ${exitTitle(exit)}${placeOf(svm)}`,
    sentences: [
      context.text === '' || svm.code < 0 ? '' : `${capital(ACTOR_NAMES[who])} ${svmGuestDeed(svm, exit, context)}.`,
      `#VMEXIT, exit code ${exitNumber(exit)} (${svmExitCode(svm.code).name}): ${exitTitle(exit)}${detail === undefined ? '' : ` — ${detail}`}.`,
      becauseSentence(exit.checks) ?? '',
      savedSentence(exit, svm, context),
      endingOf(exit, svm, caused),
      'Interrupts are held off (GIF = 0) until the host executes STGI.',
      ...vectoring(exit),
      answerSentence(exit, context),
    ].filter(text => text !== ''),
    checks: exit.checks,
    sources: ['APM vol. 2, "#VMEXIT"', 'APM vol. 2, appendix C, "SVM Intercept Exit Codes"'],
    otherwise: otherwiseOf(exit, svm),
    meaning: meaningOf(context.instruction),
  });
}

const placeOf = (svm: SvmExitInformation): string => (svm.code === SVM_EXIT.NPF ? ` at GPA ${hex(svm.info2)}` : '');

function savedSentence(exit: VmExitInformation, svm: SvmExitInformation, context: StepContext): string {
  const [vmcb, rip] = [context.after('CURRENT_VMCB'), context.after('RIP')];
  const where = vmcb === undefined ? '' : ` at ${hex(vmcb)}`;
  const back = `loaded the host’s from the page that VM_HSAVE_PA names${rip === undefined ? '' : `: it goes on behind its VMRUN, at ${hex(rip)}`}`;
  if (svm.code < 0) return `The VMCB${where} was refused, so nothing of the guest was saved; the processor ${back}.`;
  return (
    `The processor wrote EXITCODE, EXITINFO1 = ${hex(svm.info1)} and EXITINFO2 = ${hex(svm.info2)} into the VMCB${where}, ` +
    `saved the guest’s state there (RIP = ${hex(exit.guestRip)}), and ${back}.`
  );
}

function endingOf(exit: VmExitInformation, svm: SvmExitInformation, caused: boolean): string {
  if (caused) return skipSentence(exit);
  if (isBetween(svm.code)) return betweenSentence(hex(exit.guestRip));
  // An exception may be the guest's own: then it is its handler that goes on.
  return svm.code === SVM_EXIT.NPF
    ? REPEATED
    : isException(svm.code)
      ? 'The instruction has had no effect so far.'
      : '';
}

function otherwiseOf(exit: VmExitInformation, svm: SvmExitInformation): string | undefined {
  return svm.code < 0 || decisiveCheck(exit.checks) === undefined
    ? undefined
    : otherwiseSentence(exit.checks, consequence(svm.code));
}

const CONSEQUENCES: ReadonlyMap<number, string> = new Map<number, string>([
  [SVM_EXIT.NPF, 'the access would have gone to memory, with no exit'],
  [svmInterceptExit('INTR'), 'the interrupt would have gone to the guest’s own handler'],
  [svmInterceptExit('VINTR'), 'the guest would have taken the virtual interrupt through its own IDT'],
  [svmInterceptExit('HLT'), 'the processor itself would have slept inside the guest'],
  [svmInterceptExit('IOIO'), 'the port access would have reached the real port, with no exit'],
  [svmInterceptExit('MSR'), 'the guest would have used the processor’s own MSR, with no exit'],
  [svmInterceptExit('SHUTDOWN'), 'the triple fault would have shut the processor down, guest and host'],
]);

function consequence(code: number): string {
  const own = CONSEQUENCES.get(code);
  if (own !== undefined) return own;
  if (isException(code)) {
    const name = exceptionAt(code - SVM_EXIT_BASE.exception)?.name ?? 'the exception';
    return `${name} would have been delivered through the guest’s own IDT, and the hypervisor would not have known`;
  }
  return code < SVM_EXIT_BASE.drRead
    ? 'the guest’s own value would have gone into or come out of the register, with no exit'
    : 'the instruction would have run in the guest, with no exit';
}
