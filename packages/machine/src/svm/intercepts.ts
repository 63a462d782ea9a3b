// Which instructions leave the guest: one rule for each. SVM can ask for nearly all of the sensitive ones, PUSHF, POPF, IRET
// and SIDT included, which VT-x cannot. APM vol. 2, "Instruction Intercepts".

import {GENERAL_REGISTERS, SVM_EXIT_BASE, svmInterceptExit} from '@hyperscope/isa';
import type {Instruction, Intercept} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import {check} from '../cpu/faults.js';
import type {VmExitInformation} from '../observer.js';
import {svmExit} from './exit.js';
import {INTERCEPT_SOURCE, interceptCheck, onBit} from './intercept-context.js';
import type {SvmIntercepted, SvmRule} from './intercept-context.js';
import {interceptMsr, interceptPort} from './intercept-io.js';
import {interceptPause} from './pause-filter.js';

const MOV_CR = 1n << 63n;
/** TS and MP: what a "selective" write of CR0 may change without being intercepted. */
const CR0_UNSELECTED = 0xan;

/** Decode assists: bit 63 for MOV (not LMSW, CLTS), and the general register in bits 3:0. */
function movInformation({core, instruction}: SvmIntercepted): bigint {
  if (!core.features.decodeAssists || instruction.mnemonic !== 'MOV') return 0n;
  return MOV_CR | BigInt(generalRegister(instruction));
}
function generalRegister(instruction: Instruction): number {
  for (const operand of instruction.operands)
    if (operand.kind === 'register') return GENERAL_REGISTERS.indexOf(operand.register);
  return 0;
}

const controlRegister =
  (access: 'read' | 'write', number: number): SvmRule =>
  intercepted => {
    const {controls} = intercepted;
    const word = access === 'read' ? controls.crRead : controls.crWrite;
    if (((word >>> number) & 1) === 0) return undefined;
    const rule = `the CR${number} ${access} intercept = 1`;
    const base = access === 'read' ? SVM_EXIT_BASE.crRead : SVM_EXIT_BASE.crWrite;
    return {
      code: base + number,
      checks: [check(rule, true, [[`CR ${access} intercepts`, hex(word)]], INTERCEPT_SOURCE)],
      info1: movInformation(intercepted),
    };
  };

/** A write of CR0: the selective intercept is only for changes of more than TS and MP, and comes first. */
const writeCr0 =
  (value: (intercepted: SvmIntercepted) => bigint): SvmRule =>
  intercepted => {
    const {core, controls} = intercepted;
    const old = core.registers.get('CR0');
    const changed = (old ^ value(intercepted)) & ~CR0_UNSELECTED;
    const selective = interceptCheck(controls, 'CR0_SEL_WRITE');
    if (selective.holds && changed !== 0n) {
      const bits = check(
        'the write changes more of CR0 than TS and MP',
        true,
        [['changed bits', hex(changed)]],
        INTERCEPT_SOURCE,
      );
      return {code: svmInterceptExit('CR0_SEL_WRITE'), checks: [selective, bits], info1: movInformation(intercepted)};
    }
    return controlRegister('write', 0)(intercepted);
  };

/** LMSW can set PE but not clear it, and reaches bits 3:0 only. */
const lmswValue = ({core, args}: SvmIntercepted): bigint => {
  const old = core.registers.get('CR0');
  const word = (args[0] ?? 0n) & 0xfn;
  return (old & ~0xen) | (word & 0xen) | (old & 1n) | (word & 1n);
};

const debugRegister: SvmRule = ({core, controls, instruction}) => {
  const [first, second] = instruction.operands;
  const debug = first?.kind === 'debug' ? first : second?.kind === 'debug' ? second : undefined;
  const number = debug?.number ?? 0;
  const access = first?.kind === 'debug' ? 'write' : 'read';
  const word = access === 'read' ? controls.drRead : controls.drWrite;
  if (((word >>> number) & 1) === 0) return undefined;
  const base = access === 'read' ? SVM_EXIT_BASE.drRead : SVM_EXIT_BASE.drWrite;
  return {
    code: base + number,
    checks: [
      check(
        `the DR${number} ${access} intercept = 1`,
        true,
        [[`DR ${access} intercepts`, hex(word)]],
        INTERCEPT_SOURCE,
      ),
    ],
    info1: core.features.decodeAssists ? BigInt(generalRegister(instruction)) : 0n,
  };
};

const softwareInterrupt: SvmRule = intercepted => {
  const decision = onBit('SWINT')(intercepted);
  const assists = intercepted.core.features.decodeAssists;
  return decision === undefined ? undefined : {...decision, info1: assists ? (intercepted.args[0] ?? 0n) : 0n};
};
const invalidatePage: SvmRule = intercepted => {
  const decision = onBit('INVLPG')(intercepted);
  const assists = intercepted.core.features.decodeAssists;
  return decision === undefined ? undefined : {...decision, info1: assists ? (intercepted.args[0] ?? 0n) : 0n};
};

/** MWAIT_COND is for an MWAIT that would wait: MONITOR has something to watch. */
const monitorWait: SvmRule = intercepted => {
  const conditional = intercepted.core.registers.get('MONITORED_LINE') === 0n ? undefined : onBit('MWAIT_COND');
  return conditional?.(intercepted) ?? onBit('MWAIT')(intercepted);
};

const RULES: Partial<Readonly<Record<Intercept, SvmRule>>> = {
  CPUID: onBit('CPUID'),
  HLT: onBit('HLT'),
  INVD: onBit('INVD'),
  WBINVD: onBit('WBINVD'),
  INVLPG: invalidatePage,
  INVPCID: onBit('INVPCID'),
  RDTSC: onBit('RDTSC'),
  RDTSCP: onBit('RDTSCP'),
  RDPMC: onBit('RDPMC'),
  PAUSE: interceptPause,
  MONITOR: onBit('MONITOR'),
  MWAIT: monitorWait,
  XSETBV: onBit('XSETBV'),
  RSM: onBit('RSM'),
  IN: interceptPort('in'),
  INS: interceptPort('in'),
  OUT: interceptPort('out'),
  OUTS: interceptPort('out'),
  RDMSR: interceptMsr('read'),
  WRMSR: interceptMsr('write'),
  'MOV from CR0': controlRegister('read', 0),
  'MOV from CR2': controlRegister('read', 2),
  'MOV from CR3': controlRegister('read', 3),
  'MOV from CR4': controlRegister('read', 4),
  'MOV from CR8': controlRegister('read', 8),
  'MOV to CR0': writeCr0(({args}) => args[0] ?? 0n),
  'MOV to CR2': controlRegister('write', 2),
  'MOV to CR3': controlRegister('write', 3),
  'MOV to CR4': controlRegister('write', 4),
  'MOV to CR8': controlRegister('write', 8),
  CLTS: controlRegister('write', 0),
  LMSW: writeCr0(lmswValue),
  SMSW: controlRegister('read', 0),
  'MOV DR': debugRegister,
  LGDT: onBit('GDTR_WRITE'),
  SGDT: onBit('GDTR_READ'),
  LIDT: onBit('IDTR_WRITE'),
  SIDT: onBit('IDTR_READ'),
  LLDT: onBit('LDTR_WRITE'),
  SLDT: onBit('LDTR_READ'),
  LTR: onBit('TR_WRITE'),
  STR: onBit('TR_READ'),
  PUSHF: onBit('PUSHF'),
  POPF: onBit('POPF'),
  IRET: onBit('IRET'),
  INTn: softwareInterrupt,
  INT1: onBit('ICEBP'),
  VMRUN: onBit('VMRUN'),
  VMMCALL: onBit('VMMCALL'),
  VMLOAD: onBit('VMLOAD'),
  VMSAVE: onBit('VMSAVE'),
  STGI: onBit('STGI'),
  CLGI: onBit('CLGI'),
  SKINIT: onBit('SKINIT'),
  INVLPGA: onBit('INVLPGA'),
};

/** The exit that an intercepted instruction causes, or undefined when it stays in the guest. */
export function interceptInstruction(intercepted: SvmIntercepted, intercept: Intercept): VmExitInformation | undefined {
  const decision = RULES[intercept]?.(intercepted);
  if (decision === undefined) return undefined;
  const {core, instruction} = intercepted;
  return svmExit(decision.code, core.instructionRip, decision.checks, {
    instructionLength: instruction.bytes.length,
    info1: decision.info1 ?? 0n,
    info2: decision.info2 ?? 0n,
  });
}
