// An exception that VMRUN injects, and another fault while it is delivered: an intercept is asked about that fault itself before
// the two may become #DF. Shadow paging depends on it: the fault that is injected and the hidden one of its stack are both #PF.

import {SVM_EXIT_BASE, svmExitCode} from '@hyperscope/isa';
import {expect, test} from 'vitest';
import {svmMachine} from './testing/svm-machine.js';

const GP = 13n;
const DF = 8n;
const INJECT_GP = (1n << 31n) | (3n << 8n) | GP;

test('the second fault leaves the guest where its vector is intercepted, with the first in EXITINTINFO', () => {
  const {vmcb, run} = svmMachine();
  vmcb.set('INTERCEPT_EXCEPTION', (1n << GP) | (1n << DF));
  vmcb.set('IDTR_LIMIT', 0n);
  vmcb.set('EVENTINJ', INJECT_GP);
  run();
  expect(Number(vmcb.get('EXITCODE'))).toBe(SVM_EXIT_BASE.exception + Number(GP));
  expect(vmcb.get('EXITINTINFO')).toBe(INJECT_GP);
});

test('where only #DF is intercepted, the two become one', () => {
  const {vmcb, run} = svmMachine();
  vmcb.set('INTERCEPT_EXCEPTION', 1n << DF);
  vmcb.set('IDTR_LIMIT', 0n);
  vmcb.set('EVENTINJ', INJECT_GP);
  run();
  expect(svmExitCode(Number(vmcb.get('EXITCODE'))).name).toBe('VMEXIT_EXCP8');
});
