// How the *engine* fared, as an exit status that scripts can use; what the guest proved is read from the result.

import {assertUnreachable} from '@hyperscope/base';
import type {ResultOutcome} from './run-result.js';

/** 0 a declared stop · 1 internal error · 2 bad usage or image (a UserError, not an outcome) · 3 triple fault · 4 a limit · 5 unsupported · 6 KVM failed. */
export function exitStatusOf(outcome: ResultOutcome): 0 | 1 | 3 | 4 | 5 | 6 {
  switch (outcome) {
    case 'halted':
    case 'debug-exit':
    case 'power-off':
    case 'stop-serial':
      return 0;
    case 'error':
      return 1;
    case 'triple-fault':
      return 3;
    case 'limit':
      return 4;
    case 'unsupported':
      return 5;
    case 'kvm-failure':
      return 6;
    default:
      return assertUnreachable(outcome);
  }
}
