// Instructions about segments' rights, and the later system instructions, as encodings. SDM vol. 1, "System Instructions".
// The grammar of these lines is in form.ts.

import {ARPL, LAR, LSL, VERR, VERW} from '../semantics/protection.js';
import {
  CLAC,
  INVPCID,
  MONITOR,
  MWAIT,
  RDFSBASE,
  RDGSBASE,
  RDPID,
  RDPMC,
  RDTSCP,
  STAC,
  SYSENTER,
  SYSEXIT,
  WRFSBASE,
  WRGSBASE,
  XGETBV,
  XSETBV,
} from '../semantics/later-system.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const PROTECTION: readonly OpcodeForm[] = [
  op('63 /r', 'ARPL r/m16, r16', ARPL, 'i64', 'protected'),
  op('0F 02 /r', 'LAR rV, rV/m16', LAR, 'protected'),
  op('0F 03 /r', 'LSL rV, rV/m16', LSL, 'protected'),
  op('0F 00 /4', 'VERR r/m16', VERR, 'protected'),
  op('0F 00 /5', 'VERW r/m16', VERW, 'protected'),

  op('0F 34', 'SYSENTER', SYSENTER, 'needs sep'),
  op('0F 35', 'SYSEXIT', SYSEXIT, 'needs sep'),
  op('0F 01 F9', 'RDTSCP', RDTSCP, 'needs rdtscp'),
  op('0F 33', 'RDPMC', RDPMC, 'needs p6'),
  op('F3 0F C7 /7', 'RDPID regM', RDPID, 'needs rdpid'),
  // nasm takes a 32-bit name for it in 64-bit mode too.
  op('F3 0F C7 /7', 'RDPID reg32', RDPID, 'alias', 'needs rdpid'),
  op('NP 0F 01 C8', 'MONITOR', MONITOR, 'needs monitor'),
  op('NP 0F 01 C9', 'MWAIT', MWAIT, 'needs monitor'),
  op('NP 0F 01 D0', 'XGETBV', XGETBV, 'needs xsave'),
  op('NP 0F 01 D1', 'XSETBV', XSETBV, 'needs xsave'),
  op('NP 0F 01 CA', 'CLAC', CLAC, 'needs smap'),
  op('NP 0F 01 CB', 'STAC', STAC, 'needs smap'),
  op('66 0F 38 82 /r', 'INVPCID rM, m128', INVPCID, 'f64', 'needs invpcid'),
  op('F3 0F AE /0', 'RDFSBASE reg64', RDFSBASE, 'o64', 'os64', 'needs fsgsbase'),
  op('F3 0F AE /0', 'RDFSBASE reg32', RDFSBASE, 'o64', 'needs fsgsbase'),
  op('F3 0F AE /1', 'RDGSBASE reg64', RDGSBASE, 'o64', 'os64', 'needs fsgsbase'),
  op('F3 0F AE /1', 'RDGSBASE reg32', RDGSBASE, 'o64', 'needs fsgsbase'),
  op('F3 0F AE /2', 'WRFSBASE reg64', WRFSBASE, 'o64', 'os64', 'needs fsgsbase'),
  op('F3 0F AE /2', 'WRFSBASE reg32', WRFSBASE, 'o64', 'needs fsgsbase'),
  op('F3 0F AE /3', 'WRGSBASE reg64', WRGSBASE, 'o64', 'os64', 'needs fsgsbase'),
  op('F3 0F AE /3', 'WRGSBASE reg32', WRGSBASE, 'o64', 'needs fsgsbase'),
];
