// What instructions do to RFLAGS directly. SDM vol. 1, "Flag Control (EFLAG) Instructions".

import {FLAG_BITS} from '../microcode/microcode.js';
import type {Flag} from '../microcode/microcode.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Semantics} from '../opcodes/form.js';
import {hasVirtualInterruptFlag, lacksIoplInVirtual8086, requireIoplInVirtual8086} from './privilege.js';

const bits = (...flags: readonly Flag[]): bigint =>
  flags.reduce((mask, flag) => mask | (1n << BigInt(FLAG_BITS[flag])), 0n);

const STATUS = bits('CF', 'PF', 'AF', 'ZF', 'SF', 'OF');
const RF = bits('RF');
const VM = 1n << 17n;
const ID = 1n << 21n;
const IOPL = 3n << 12n;
/** From bit 19 to bit 9. */
const VIF_ABOVE_IF = 10n;

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

/**
 * PUSHF. The image shows VM and RF as 0, and IF and IOPL as they really are: it does not fault at any CPL. Only to an 8086
 * program under CR4.VME it shows VIF as IF, and IOPL 3.
 */
export const PUSHF: Semantics = (i, m) => {
  const isSmall = i.width === 16 && i.codeSize !== 64;
  requireIoplInVirtual8086(m, isSmall ? 'unless VME' : 'always');
  m.intercept('PUSHF'); // SVM can; VT-x has no such exit
  const flags = m.state('RFLAGS');
  const image = flags.and(BigInt.asUintN(64, ~(VM | RF)));
  if (!isSmall) return m.push(i.width === 64 ? image : image.truncate(i.width));
  const shown = flags
    .and(BigInt.asUintN(64, ~bits('IF')))
    .or(flags.shiftRight(VIF_ABOVE_IF).and(bits('IF')))
    .or(IOPL);
  m.push(lacksIoplInVirtual8086(m).choose(shown, image).truncate(16));
};

/**
 * POPF. Above IOPL it does not fault: it silently keeps IF. That silence made x86 hard to virtualize.
 * IOPL changes at CPL 0 only; VM and VIP never change; the 32 and 64-bit forms clear RF. An 8086 program under CR4.VME changes
 * VIF where it means IF, and #GP(0) tells its monitor when that would let a pending interrupt (VIP) in, or set TF.
 */
export const POPF: Semantics = (i, m) => {
  const isSmall = i.width === 16 && i.codeSize !== 64;
  requireIoplInVirtual8086(m, isSmall ? 'unless VME' : 'always');
  m.intercept('POPF');
  const image = m.load(m.stackSlot(0n), i.width).zeroExtend(64);
  const isVirtual = isSmall ? lacksIoplInVirtual8086(m) : m.constant(0n, 1);
  if (isSmall) {
    const mustTell = image.bit(FLAG_BITS.IF).and(m.flag('VIP')).or(image.bit(FLAG_BITS.TF));
    m.faultIf(isVirtual.and(mustTell), '#GP', 0n);
  }
  m.moveStack(BigInt(i.width / 8));
  const always = STATUS | bits('TF', 'DF', 'NT') | (i.width === 16 ? 0n : bits('AC', 'RF') | ID);
  const iopl = m.cpl.is(0n).choose(IOPL, 0n);
  const interrupts = m.cpl.above(m.iopl).choose(0n, bits('IF'));
  m.writeFlags(image.and(BigInt.asUintN(64, ~RF)), iopl.or(interrupts).or(always));
  if (isSmall) m.setFlag('VIF', image.bit(FLAG_BITS.IF), isVirtual);
};

/** CLI faults where POPF is silent; with CR4.VME or CR4.PVI it clears VIF instead. */
export const CLI: Semantics = (_, m) => {
  const isVirtual = m.cpl.above(m.iopl);
  m.faultIf(isVirtual.and(hasVirtualInterruptFlag(m).not()), '#GP', 0n);
  m.setFlag('VIF', 0n, isVirtual);
  m.setFlag('IF', 0n, isVirtual.not());
};

/** STI. Setting VIF while an interrupt is pending (VIP) is #GP(0): the monitor delivers it then. */
export const STI: Semantics = (_, m) => {
  const isVirtual = m.cpl.above(m.iopl);
  m.faultIf(isVirtual.and(hasVirtualInterruptFlag(m).not().or(m.flag('VIP'))), '#GP', 0n);
  m.setFlag('VIF', 1n, isVirtual);
  m.finishIf(isVirtual);
  m.invoke(HELPERS.enableInterrupts);
};
