// What instructions do to RFLAGS directly. SDM vol. 1, "Flag Control (EFLAG) Instructions".
// The virtual interrupt flag (CR4.VME, CR4.PVI) is not part of the project yet; CLI, STI, PUSHF and POPF are as without it.

import {FLAG_BITS} from '../microcode/microcode.js';
import type {Flag} from '../microcode/microcode.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Semantics} from '../opcodes/form.js';
import {requireIoPrivilege, requireIoplInVirtual8086} from './privilege.js';

const bits = (...flags: readonly Flag[]): bigint =>
  flags.reduce((mask, flag) => mask | (1n << BigInt(FLAG_BITS[flag])), 0n);

const STATUS = bits('CF', 'PF', 'AF', 'ZF', 'SF', 'OF');
const RF = bits('RF');
const VM = 1n << 17n;
const ID = 1n << 21n;
const IOPL = 3n << 12n;

export const CLC: Semantics = (_, m) => m.setFlag('CF', 0n);
export const STC: Semantics = (_, m) => m.setFlag('CF', 1n);
export const CMC: Semantics = (_, m) => m.setFlag('CF', m.flag('CF').not());
export const CLD: Semantics = (_, m) => m.setFlag('DF', 0n);
export const STD: Semantics = (_, m) => m.setFlag('DF', 1n);

/** LAHF: AH ← SF ZF 0 AF 0 PF 1 CF. */
export const LAHF: Semantics = (_, m) => {
  m.setGpr(
    'RAX',
    m
      .state('RFLAGS')
      .truncate(8)
      .and(STATUS & 0xffn)
      .or(2n),
    true,
  );
};

export const SAHF: Semantics = (_, m) =>
  m.writeFlags(m.gpr('RAX', 8, true).zeroExtend(64), m.constant(STATUS & 0xffn, 64));

/** PUSHF. The image shows VM and RF as 0, and IF and IOPL as they really are: it does not fault at any CPL. */
export const PUSHF: Semantics = (i, m) => {
  requireIoplInVirtual8086(m);
  m.intercept('PUSHF'); // SVM can; VT-x has no such exit
  const image = m.state('RFLAGS').and(BigInt.asUintN(64, ~(VM | RF)));
  m.push(i.width === 64 ? image : image.truncate(i.width));
};

/**
 * POPF. Above IOPL it does not fault: it silently keeps IF. That silence made x86 hard to virtualize.
 * IOPL changes at CPL 0 only; VM, VIF and VIP never change; the 32 and 64-bit forms clear RF.
 */
export const POPF: Semantics = (i, m) => {
  requireIoplInVirtual8086(m);
  m.intercept('POPF');
  const image = m.pop(i.width).zeroExtend(64);
  const always = STATUS | bits('TF', 'DF', 'NT') | (i.width === 16 ? 0n : bits('AC', 'RF') | ID);
  const iopl = m.cpl.is(0n).choose(IOPL, 0n);
  const interrupts = m.cpl.above(m.iopl).choose(0n, bits('IF'));
  m.writeFlags(image.and(BigInt.asUintN(64, ~RF)), iopl.or(interrupts).or(always));
};

/** CLI faults where POPF is silent. */
export const CLI: Semantics = (_, m) => {
  requireIoPrivilege(m);
  m.setFlag('IF', 0n);
};

export const STI: Semantics = (_, m) => {
  requireIoPrivilege(m);
  m.invoke(HELPERS.enableInterrupts);
};
