// What the system instructions added since the Pentium II mean: fast system calls, counters, bases of FS and GS, SMAP, PCID.
// In each: the privilege fault, then the VM exit, then whatever else can go wrong. Only "not enabled for this guest" (VT-x)
// comes before all of them: SDM vol. 3C, "Changes to Instruction Behavior in VMX Non-Root Operation", INVPCID, RDTSCP.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import {memoryOperand, operandAt, registerWidth, segmentNumber} from './operand-access.js';
import {requireCpl0} from './privilege.js';
import {setPair} from './system.js';

/** SYSENTER: #GP(0) in real mode, and where IA32_SYSENTER_CS was never set. */
export const SYSENTER: Semantics = (_, m) => {
  m.invoke(HELPERS.requireSystemCallMode);
  m.faultIf(m.state('PE', 1).not(), '#GP', 0n);
  m.invoke(HELPERS.sysenter);
};

/** SYSEXIT: with REX.W to 64-bit mode. */
export const SYSEXIT: Semantics = (_, m) => {
  m.invoke(HELPERS.requireSystemCallMode);
  m.faultIf(m.state('PE', 1).not(), '#GP', 0n);
  requireCpl0(m);
  m.invoke(HELPERS.sysexit);
};

/** RDTSCP: RDTSC, and IA32_TSC_AUX (by convention the number of the processor) in ECX. */
export const RDTSCP: Semantics = (_, m) => {
  m.intercept('RDTSCP enabled');
  m.faultIf(m.state('CR4').bit(2).and(m.cpl.isNot(0n)), '#GP', 0n);
  m.intercept('RDTSCP');
  setPair(m, m.call(HELPERS.readTimeStampCounter));
  m.setGpr('RCX', m.state('TSC_AUX').truncate(32));
};

/** RDPID: IA32_TSC_AUX at every privilege level. */
export const RDPID: Semantics = (i, m) =>
  m.write(operandAt(i, 0), m.state('TSC_AUX').truncate(i.codeSize === 64 ? 64 : 32));

/** RDPMC: below ring 0 only with CR4.PCE. */
export const RDPMC: Semantics = (_, m) => {
  m.faultIf(m.state('CR4').bit(8).not().and(m.cpl.isNot(0n)), '#GP', 0n);
  m.intercept('RDPMC');
  setPair(m, m.call(HELPERS.readPerformanceCounter, m.gpr('RCX', 32)));
};

/**
 * MONITOR: #UD outside ring 0; ECX holds extensions, of which there are none. The address is checked like a load, and MWAIT
 * will watch the line that it lies in.
 */
export const MONITOR: Semantics = (i, m) => {
  m.faultIf(m.cpl.isNot(0n), '#UD');
  m.intercept('MONITOR');
  m.faultIf(m.gpr('RCX', 32).isNot(0n), '#GP', 0n);
  const offset = m.gpr('RAX', i.addressSize).zeroExtend(64);
  const segment = i.prefixes.segment ?? 'DS';
  m.load({segment, offset}, 8);
  m.invoke(HELPERS.armMonitor, m.call(HELPERS.linearAddress, segmentNumber(m, segment), offset));
};

/**
 * MWAIT: as HLT, unless what MONITOR watches has been written since, or nothing is watched. Bit 0 of ECX lets a masked
 * interrupt end the wait.
 */
export const MWAIT: Semantics = (_, m) => {
  m.faultIf(m.cpl.isNot(0n), '#UD');
  m.intercept('MWAIT');
  const extensions = m.gpr('RCX', 32);
  m.faultIf(extensions.above(1n), '#GP', 0n);
  m.invoke(HELPERS.monitorWait, extensions);
};

const requireOsxsave = (m: Microcode): void => m.faultIf(m.state('CR4').bit(18).not(), '#UD');

/** XGETBV: at every privilege level; only XCR0 exists. */
export const XGETBV: Semantics = (_, m) => {
  requireOsxsave(m);
  m.faultIf(m.gpr('RCX', 32).isNot(0n), '#GP', 0n);
  setPair(m, m.state('XCR0'));
};

export const XSETBV: Semantics = (_, m) => {
  requireOsxsave(m);
  requireCpl0(m);
  m.intercept('XSETBV');
  m.invoke(HELPERS.loadXcr, m.gpr('RCX', 32), m.concat(m.gpr('RDX', 32), m.gpr('RAX', 32)));
};

export const STAC: Semantics = (_, m) => setAlignmentCheck(m, 1n);
export const CLAC: Semantics = (_, m) => setAlignmentCheck(m, 0n);

/** RFLAGS.AC lifts SMAP. Outside ring 0 these are #UD, not #GP. */
function setAlignmentCheck(m: Microcode, value: bigint): void {
  m.faultIf(m.cpl.isNot(0n), '#UD');
  m.setFlag('AC', value);
}

/** INVPCID: the type in a register, PCID and linear address in memory. */
export const INVPCID: Semantics = (i, m) => {
  m.intercept('INVPCID enabled');
  requireCpl0(m);
  m.intercept('INVPCID');
  const type = m.read(operandAt(i, 0), i.codeSize === 64 ? 64 : 32).zeroExtend(64);
  const descriptor = m.load(m.address(memoryOperand(i, 1)), 128);
  m.invoke(HELPERS.invalidatePcid, type, descriptor.truncate(64), descriptor.shiftRight(64n).truncate(64));
};

export const RDFSBASE: Semantics = (i, m) => readBase(i, m, 'FS.base');
export const RDGSBASE: Semantics = (i, m) => readBase(i, m, 'GS.base');
export const WRFSBASE: Semantics = (i, m) => writeBase(i, m, 'FS');
export const WRGSBASE: Semantics = (i, m) => writeBase(i, m, 'GS');

/** #UD unless CR4.FSGSBASE: the kernel decides whether programs may move their own bases. */
const requireFsgsbase = (m: Microcode): void => m.faultIf(m.state('CR4').bit(16).not(), '#UD');

function readBase(i: Instruction, m: Microcode, state: 'FS.base' | 'GS.base'): void {
  requireFsgsbase(m);
  m.write(operandAt(i, 0), m.state(state).truncate(registerWidth(i)));
}

function writeBase(i: Instruction, m: Microcode, segment: 'FS' | 'GS'): void {
  requireFsgsbase(m);
  const base = m.read(operandAt(i, 0), registerWidth(i));
  m.invoke(HELPERS.loadSegmentBase, segmentNumber(m, segment), registerWidth(i) === 64 ? base : base.zeroExtend(64));
}
