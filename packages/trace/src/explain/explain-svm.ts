// #VMEXIT and VMRUN in sentences: what SVM tells in EXITCODE and EXITINFO, and where host and guest are kept.

import {exitNumber, exitTitle, svmExitCode} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {SvmExitInformation, VmExitInformation} from '@hyperscope/machine';
import type {Actor} from '../record-format.js';
import type {Explanation} from '../session-view.js';
import {ACTOR_NAMES} from '../record/actors.js';
import {becauseSentence, capital, explanation} from './explanation.js';
import {meaningOf} from './instruction-story.js';
import type {StepContext} from './step-context.js';
import {describeSvmExit} from './svm-exit-words.js';

const NESTED_PAGE_FAULT = 0x400;
const FIRST_EXCEPTION = 0x40;
const LAST_EXCEPTION = 0x5f;
/** Exits that an event from outside causes, not the instruction at RIP: INTR, NMI, SMI, INIT, VINTR. */
const isEvent = (code: number): boolean => code >= 0x60 && code <= 0x64;
const isInstruction = (code: number): boolean =>
  !isEvent(code) && code !== NESTED_PAGE_FAULT && code >= 0 && !(code >= FIRST_EXCEPTION && code <= LAST_EXCEPTION);

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
    title: caused ? `${context.text} left the guest` : `#VMEXIT: ${exitTitle(exit)}`,
    sentences: [
      context.text === '' || svm.code < 0
        ? ''
        : `${capital(ACTOR_NAMES[who])} was at ${context.text}, address ${hex(exit.guestRip)}.`,
      `#VMEXIT, exit code ${exitNumber(exit)} (${svmExitCode(svm.code).name}): ${exitTitle(exit)}${detail === undefined ? '' : ` — ${detail}`}.`,
      becauseSentence(exit.checks) ?? '',
      savedSentence(exit, svm, context),
      'Interrupts are held off (GIF = 0) until the host executes STGI.',
    ].filter(text => text !== ''),
    checks: exit.checks,
    sources: ['APM vol. 2, "#VMEXIT"', 'APM vol. 2, appendix C, "SVM Intercept Exit Codes"'],
    meaning: meaningOf(context.instruction),
  });
}

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
