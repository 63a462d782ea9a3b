// APM vol. 3, "System Instruction Reference", the SVM instructions, as encodings.
// The grammar of these lines is in form.ts.

import {VMRUN, VMLOAD, VMSAVE, VMMCALL, STGI, CLGI, SKINIT, INVLPGA} from '../semantics/svm.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const SVM: readonly OpcodeForm[] = [
  op('0F 01 D8', 'VMRUN', VMRUN, 'needs svm'),
  op('0F 01 D9', 'VMMCALL', VMMCALL, 'needs svm'),
  op('0F 01 DA', 'VMLOAD', VMLOAD, 'needs svm'),
  op('0F 01 DB', 'VMSAVE', VMSAVE, 'needs svm'),
  op('0F 01 DC', 'STGI', STGI, 'needs svm'),
  op('0F 01 DD', 'CLGI', CLGI, 'needs svm'),
  op('0F 01 DE', 'SKINIT', SKINIT, 'needs svm'),
  op('0F 01 DF', 'INVLPGA', INVLPGA, 'needs svm'),
];
