// SDM vol. 3C, "VMX Instruction Reference", as encodings.
// The grammar of these lines is in form.ts.

import {
  VMXON,
  VMXOFF,
  VMCLEAR,
  VMPTRLD,
  VMPTRST,
  VMREAD,
  VMWRITE,
  VMLAUNCH,
  VMRESUME,
  VMCALL,
  INVEPT,
  INVVPID,
} from '../semantics/vmx.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const VMX: readonly OpcodeForm[] = [
  op('F3 0F C7 /6', 'VMXON m64', VMXON, 'needs vmx'),
  op('NP 0F 01 C4', 'VMXOFF', VMXOFF, 'needs vmx'),
  op('66 0F C7 /6', 'VMCLEAR m64', VMCLEAR, 'needs vmx'),
  op('NP 0F C7 /6', 'VMPTRLD m64', VMPTRLD, 'needs vmx'),
  op('NP 0F C7 /7', 'VMPTRST m64', VMPTRST, 'needs vmx'),
  op('NP 0F 78 /r', 'VMREAD r/mM, rM', VMREAD, 'f64', 'needs vmx'),
  op('NP 0F 79 /r', 'VMWRITE rM, r/mM', VMWRITE, 'f64', 'needs vmx'),
  op('NP 0F 01 C2', 'VMLAUNCH', VMLAUNCH, 'needs vmx'),
  op('NP 0F 01 C3', 'VMRESUME', VMRESUME, 'needs vmx'),
  op('NP 0F 01 C1', 'VMCALL', VMCALL, 'needs vmx'),
  op('66 0F 38 80 /r', 'INVEPT rM, m128', INVEPT, 'f64', 'needs ept'),
  op('66 0F 38 81 /r', 'INVVPID rM, m128', INVVPID, 'f64', 'needs vpid'),
];
