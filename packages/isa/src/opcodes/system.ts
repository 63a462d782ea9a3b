// SDM vol. 1, "System Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {MOV_FROM_CONTROL, MOV_TO_CONTROL, MOV_FROM_DEBUG, MOV_TO_DEBUG} from '../semantics/control-registers.js';
import {
  LGDT,
  SGDT,
  LIDT,
  SIDT,
  LLDT,
  SLDT,
  LTR,
  STR,
  LMSW,
  SMSW,
  CLTS,
  INVD,
  WBINVD,
  INVLPG,
  HLT,
  RDMSR,
  WRMSR,
  RDTSC,
  SYSCALL,
  SYSRET,
  RSM,
  SWAPGS,
} from '../semantics/system.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const SYSTEM: readonly OpcodeForm[] = [
  op('0F 01 /2', 'LGDT m16&M', LGDT, 'f64'),
  op('0F 01 /0', 'SGDT m16&M', SGDT, 'f64'),
  op('0F 01 /3', 'LIDT m16&M', LIDT, 'f64'),
  op('0F 01 /1', 'SIDT m16&M', SIDT, 'f64'),
  op('0F 00 /2', 'LLDT r/m16', LLDT, 'protected'),
  op('0F 00 /0', 'SLDT rV/m16', SLDT, 'protected'),
  op('0F 00 /3', 'LTR r/m16', LTR, 'protected'),
  op('0F 00 /1', 'STR rV/m16', STR, 'protected'),
  op('0F 01 /6', 'LMSW r/m16', LMSW),
  op('0F 01 /4', 'SMSW rV/m16', SMSW),
  op('0F 06', 'CLTS', CLTS),
  op('0F 20 /r', 'MOV rmM, cr', MOV_FROM_CONTROL, 'f64'),
  op('0F 22 /r', 'MOV cr, rmM', MOV_TO_CONTROL, 'f64'),
  op('0F 21 /r', 'MOV rmM, dr', MOV_FROM_DEBUG, 'f64'),
  op('0F 23 /r', 'MOV dr, rmM', MOV_TO_DEBUG, 'f64'),
  op('0F 08', 'INVD', INVD, 'needs i486'),
  op('0F 09', 'WBINVD', WBINVD, 'needs i486'),
  op('0F 01 /7', 'INVLPG m', INVLPG, 'needs i486'),
  op('F4', 'HLT', HLT),
  op('0F 32', 'RDMSR', RDMSR, 'needs msr'),
  op('0F 30', 'WRMSR', WRMSR, 'needs msr'),
  op('0F 31', 'RDTSC', RDTSC, 'needs tsc'),
  op('0F 05', 'SYSCALL', SYSCALL, 'needs syscall'),
  op('0F 07', 'SYSRET', SYSRET, 'needs syscall'),
  op('0F AA', 'RSM', RSM),
  op('0F 01 F8', 'SWAPGS', SWAPGS, 'o64'),
];
