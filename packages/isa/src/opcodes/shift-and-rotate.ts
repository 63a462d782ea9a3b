// SDM vol. 1, "Shift and Rotate Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD} from '../semantics/shift-and-rotate.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const SHIFT_AND_ROTATE: readonly OpcodeForm[] = [
  op('C0 /0 ib', 'ROL r/m8, imm8', ROL, 'byte'),
  op('C1 /0 ib', 'ROL r/mV, imm8', ROL),
  op('D0 /0', 'ROL r/m8, 1', ROL, 'byte'),
  op('D1 /0', 'ROL r/mV, 1', ROL),
  op('D2 /0', 'ROL r/m8, CL', ROL, 'byte'),
  op('D3 /0', 'ROL r/mV, CL', ROL),

  op('C0 /1 ib', 'ROR r/m8, imm8', ROR, 'byte'),
  op('C1 /1 ib', 'ROR r/mV, imm8', ROR),
  op('D0 /1', 'ROR r/m8, 1', ROR, 'byte'),
  op('D1 /1', 'ROR r/mV, 1', ROR),
  op('D2 /1', 'ROR r/m8, CL', ROR, 'byte'),
  op('D3 /1', 'ROR r/mV, CL', ROR),

  op('C0 /2 ib', 'RCL r/m8, imm8', RCL, 'byte'),
  op('C1 /2 ib', 'RCL r/mV, imm8', RCL),
  op('D0 /2', 'RCL r/m8, 1', RCL, 'byte'),
  op('D1 /2', 'RCL r/mV, 1', RCL),
  op('D2 /2', 'RCL r/m8, CL', RCL, 'byte'),
  op('D3 /2', 'RCL r/mV, CL', RCL),

  op('C0 /3 ib', 'RCR r/m8, imm8', RCR, 'byte'),
  op('C1 /3 ib', 'RCR r/mV, imm8', RCR),
  op('D0 /3', 'RCR r/m8, 1', RCR, 'byte'),
  op('D1 /3', 'RCR r/mV, 1', RCR),
  op('D2 /3', 'RCR r/m8, CL', RCR, 'byte'),
  op('D3 /3', 'RCR r/mV, CL', RCR),

  op('C0 /4 ib', 'SHL r/m8, imm8', SHL, 'byte'),
  op('C1 /4 ib', 'SHL r/mV, imm8', SHL),
  op('D0 /4', 'SHL r/m8, 1', SHL, 'byte'),
  op('D1 /4', 'SHL r/mV, 1', SHL),
  op('D2 /4', 'SHL r/m8, CL', SHL, 'byte'),
  op('D3 /4', 'SHL r/mV, CL', SHL),

  op('C0 /5 ib', 'SHR r/m8, imm8', SHR, 'byte'),
  op('C1 /5 ib', 'SHR r/mV, imm8', SHR),
  op('D0 /5', 'SHR r/m8, 1', SHR, 'byte'),
  op('D1 /5', 'SHR r/mV, 1', SHR),
  op('D2 /5', 'SHR r/m8, CL', SHR, 'byte'),
  op('D3 /5', 'SHR r/mV, CL', SHR),

  op('C0 /7 ib', 'SAR r/m8, imm8', SAR, 'byte'),
  op('C1 /7 ib', 'SAR r/mV, imm8', SAR),
  op('D0 /7', 'SAR r/m8, 1', SAR, 'byte'),
  op('D1 /7', 'SAR r/mV, 1', SAR),
  op('D2 /7', 'SAR r/m8, CL', SAR, 'byte'),
  op('D3 /7', 'SAR r/mV, CL', SAR),

  // Encodings that the manual leaves blank and every processor runs as SHL.
  op('C0 /6 ib', 'SAL r/m8, imm8', SHL, 'byte', 'redundant'),
  op('C1 /6 ib', 'SAL r/mV, imm8', SHL, 'redundant'),
  op('D0 /6', 'SAL r/m8, 1', SHL, 'byte', 'redundant'),
  op('D1 /6', 'SAL r/mV, 1', SHL, 'redundant'),
  op('D2 /6', 'SAL r/m8, CL', SHL, 'byte', 'redundant'),
  op('D3 /6', 'SAL r/mV, CL', SHL, 'redundant'),

  op('0F A4 /r ib', 'SHLD r/mV, rV, imm8', SHLD),
  op('0F A5 /r', 'SHLD r/mV, rV, CL', SHLD),
  op('0F AC /r ib', 'SHRD r/mV, rV, imm8', SHRD),
  op('0F AD /r', 'SHRD r/mV, rV, CL', SHRD),
];
