// What system instructions mean. SDM vol. 1, "System Instructions". In each: the privilege fault, then the VM exit, then
// whatever else can go wrong (SDM vol. 3C, "Relative Priority of Faults and VM Exits").

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {memoryOperand, operandAt, segmentNumber} from './operand-access.js';
import {forbidByUmip, requireCpl0, undefinedOpcode} from './privilege.js';

export const LGDT: Semantics = (i, m) => loadTable(i, m, 'LGDT', HELPERS.loadGdtr);
export const LIDT: Semantics = (i, m) => loadTable(i, m, 'LIDT', HELPERS.loadIdtr);
export const SGDT: Semantics = (i, m) => storeTable(i, m, 'SGDT', 'GDTR');
export const SIDT: Semantics = (i, m) => storeTable(i, m, 'SIDT', 'IDTR');

/** With a 16-bit operand size a base has 24 bits. */
const BASE24 = 0xff_ffffn;

function loadTable(i: Instruction, m: Microcode, intercept: Intercept, load: Helper): void {
  requireCpl0(m);
  m.intercept(intercept);
  const {segment, offset} = m.address(memoryOperand(i, 0));
  const limit = m.load({segment, offset}, 16);
  const base = m.load({segment, offset: offset.add(2n)}, i.codeSize === 64 ? 64 : 32).zeroExtend(64);
  m.invoke(load, limit, i.width === 16 ? base.and(BASE24) : base);
}

/** SGDT and SIDT: unprivileged unless CR4.UMIP, and they show where the real tables are. */
function storeTable(i: Instruction, m: Microcode, intercept: Intercept, table: 'GDTR' | 'IDTR'): void {
  forbidByUmip(m);
  m.intercept(intercept);
  const {segment, offset} = m.address(memoryOperand(i, 0));
  const limitAt = {segment, offset},
    baseAt = {segment, offset: offset.add(2n)};
  const width = i.codeSize === 64 ? 64 : 32;
  const base = m.state(`${table}.base`);
  m.probe(limitAt, 2);
  m.probe(baseAt, width / 8);
  m.store(limitAt, m.state(`${table}.limit`).truncate(16));
  m.store(baseAt, (i.width === 16 ? base.and(BASE24) : base).truncate(width));
}

export const LLDT: Semantics = (i, m) => loadSystemSegment(i, m, 'LLDT', HELPERS.loadLdtr);
export const LTR: Semantics = (i, m) => loadSystemSegment(i, m, 'LTR', HELPERS.loadTaskRegister);

function loadSystemSegment(i: Instruction, m: Microcode, intercept: Intercept, load: Helper): void {
  requireCpl0(m);
  m.intercept(intercept);
  m.invoke(load, m.read(operandAt(i, 0), 16));
}

export const SLDT: Semantics = (i, m) => storeSelector(i, m, 'SLDT', 'LDTR.selector');
export const STR: Semantics = (i, m) => storeSelector(i, m, 'STR', 'TR.selector');

function storeSelector(
  i: Instruction,
  m: Microcode,
  intercept: Intercept,
  state: 'LDTR.selector' | 'TR.selector',
): void {
  forbidByUmip(m);
  m.intercept(intercept);
  const to = operandAt(i, 0),
    selector = m.state(state, 16);
  m.write(to, to.kind === 'memory' ? selector : selector.zeroExtend(i.width));
}

/** LMSW: the old way to load CR0. It can set PE and cannot clear it. */
export const LMSW: Semantics = (i, m) => {
  requireCpl0(m);
  const from = operandAt(i, 0);
  const word = m.read(from, 16);
  // A VM exit tells where a source in memory lies.
  m.intercept('LMSW', word, ...(from.kind === 'memory' ? [linearAddress(i, m)] : []));
  m.invoke(HELPERS.loadMachineStatusWord, word);
};

/** SMSW: reads CR0 at any CPL. To memory it is always 16 bits. */
export const SMSW: Semantics = (i, m) => {
  forbidByUmip(m);
  m.intercept('SMSW');
  const to = operandAt(i, 0);
  m.write(to, m.call(HELPERS.readCr0).truncate(to.kind === 'memory' ? 16 : i.width));
};

export const CLTS: Semantics = (_, m) => {
  requireCpl0(m);
  m.intercept('CLTS');
  m.invoke(HELPERS.clearTaskSwitched);
};

export const INVD: Semantics = (_, m) => {
  requireCpl0(m);
  m.intercept('INVD');
  m.invoke(HELPERS.writeBackCaches);
};

export const WBINVD: Semantics = (_, m) => {
  requireCpl0(m);
  m.intercept('WBINVD');
  m.invoke(HELPERS.writeBackCaches);
};

/** Of the memory operand in the first place. */
function linearAddress(i: Instruction, m: Microcode): Value {
  const {segment, offset} = m.address(memoryOperand(i, 0));
  return m.call(HELPERS.linearAddress, segmentNumber(m, segment), offset);
}

export const INVLPG: Semantics = (i, m) => {
  requireCpl0(m);
  const linear = linearAddress(i, m);
  m.intercept('INVLPG', linear);
  m.invoke(HELPERS.invalidatePage, linear);
};

export const HLT: Semantics = (_, m) => {
  requireCpl0(m);
  m.intercept('HLT');
  m.invoke(HELPERS.halt);
};

export const RDMSR: Semantics = (_, m) => {
  requireCpl0(m);
  const number = m.gpr('RCX', 32);
  m.intercept('RDMSR', number);
  setPair(m, m.call(HELPERS.readMsr, number));
};

export const WRMSR: Semantics = (_, m) => {
  requireCpl0(m);
  const number = m.gpr('RCX', 32),
    value = m.concat(m.gpr('RDX', 32), m.gpr('RAX', 32));
  m.intercept('WRMSR', number, value);
  m.invoke(HELPERS.writeMsr, number, value);
};

/** RDTSC: CR4.TSD keeps it for CPL 0. */
export const RDTSC: Semantics = (_, m) => {
  m.faultIf(m.state('CR4').bit(2).and(m.cpl.isNot(0n)), '#GP', 0n);
  m.intercept('RDTSC');
  setPair(m, m.call(HELPERS.readTimeStampCounter));
};

/** EDX:EAX; in 64-bit mode the upper halves of both registers are cleared. */
export function setPair(m: Microcode, value: ReturnType<Microcode['constant']>): void {
  m.setGpr('RAX', value.truncate(32));
  m.setGpr('RDX', value.shiftRight(32n).truncate(32));
}

/** SYSCALL: #UD unless EFER.SCE; on Intel's processors also outside 64-bit mode. */
export const SYSCALL: Semantics = (i, m) => {
  if (i.codeSize !== 64) m.invoke(HELPERS.requireSystemCallMode);
  m.faultIf(m.state('EFER').bit(0).not(), '#UD');
  m.invoke(HELPERS.syscall);
};

/** SYSRET: in AMD's legacy mode it needs protection. */
export const SYSRET: Semantics = (i, m) => {
  if (i.codeSize !== 64) m.invoke(HELPERS.requireSystemCallMode);
  m.faultIf(m.state('EFER').bit(0).not(), '#UD');
  if (i.codeSize !== 64) m.faultIf(m.state('PE', 1).not(), '#GP', 0n);
  requireCpl0(m);
  m.invoke(HELPERS.sysret);
};

/** RSM: outside system-management mode, which this machine never enters, it is #UD. */
export const RSM: Semantics = (_, m) => {
  m.intercept('RSM');
  undefinedOpcode(m);
};

export const SWAPGS: Semantics = (_, m) => {
  requireCpl0(m);
  m.invoke(HELPERS.swapgs);
};
