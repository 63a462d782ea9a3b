// Which instructions leave the guest, and why: one rule for each intercept that VT-x knows.
// SDM vol. 3C, "Instructions That Cause VM Exits". Intercepts without a rule (POPF, PUSHF, IRET, SMSW …) exist for SVM:
// under VT-x they never exit.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {ExitReasonName, Instruction, Intercept} from '@hyperscope/isa';
import {check, fault} from '../cpu/faults.js';
import type {Fault} from '../cpu/trouble.js';
import type {VmExitInformation} from '../observer.js';
import type {PrimaryControl, SecondaryControl} from './control-bits.js';
import type {Controls} from './controls.js';
import {exitInformation} from './exit-information.js';
import {CONTROL_REGISTER_RULES} from './intercept-control-registers.js';
import {UNCONDITIONAL, primaryCheck, secondaryCheck} from './intercept-context.js';
import type {InterceptRule, Intercepted} from './intercept-context.js';
import {interceptIn, interceptIns, interceptOut, interceptOuts} from './intercept-io.js';
import {interceptRdmsr, interceptWrmsr} from './intercept-msrs.js';
import {interceptPause} from './pause-loop.js';
import {
  descriptorTableInformation,
  destinationInformation,
  displacementQualification,
  operandInformation,
  registerOperand,
} from './instruction-information.js';

const always =
  (reason: ExitReasonName): InterceptRule =>
  ({instruction}) => ({
    reason,
    checks: [check(`${instruction.mnemonic} always leaves VMX non-root operation`, true, [], UNCONDITIONAL)],
  });

/** A VMX instruction in the guest: it exits whatever the controls say, and tells where its operands are. */
const vmxInstruction =
  (reason: ExitReasonName): InterceptRule =>
  ({core, instruction}) => ({
    reason,
    checks: [check(`${instruction.mnemonic} always leaves VMX non-root operation`, true, [], UNCONDITIONAL)],
    details: {
      qualification: displacementQualification(core, instruction),
      instructionInformation: operandInformation(instruction),
    },
  });

const onPrimary =
  (reason: ExitReasonName, control: PrimaryControl): InterceptRule =>
  ({controls}) => {
    const asked = primaryCheck(controls, control);
    return asked.holds ? {reason, checks: [asked]} : undefined;
  };
const onSecondary =
  (reason: ExitReasonName, control: SecondaryControl): InterceptRule =>
  ({controls}) => {
    const asked = secondaryCheck(controls, control);
    return asked.holds ? {reason, checks: [asked]} : undefined;
  };

const descriptorTable =
  (reason: 'GDTR_IDTR_ACCESS' | 'LDTR_TR_ACCESS', which: 0 | 1 | 2 | 3): InterceptRule =>
  ({core, controls, instruction}) => {
    const asked = secondaryCheck(controls, 'descriptor-table exiting');
    if (!asked.holds) return undefined;
    const details = {
      qualification: displacementQualification(core, instruction),
      instructionInformation: descriptorTableInformation(
        instruction,
        reason === 'GDTR_IDTR_ACCESS' ? 'GDTR or IDTR' : 'LDTR or TR',
        which,
      ),
    };
    return {reason, checks: [asked], details};
  };

const interceptInvlpg: InterceptRule = ({controls, args}) => {
  const asked = primaryCheck(controls, 'INVLPG exiting');
  return asked.holds ? {reason: 'INVLPG', checks: [asked], details: {qualification: args[0] ?? 0n}} : undefined;
};

/** INVPCID has a memory operand, and the register that holds its type. */
const interceptInvpcid: InterceptRule = ({core, controls, instruction}) => {
  const asked = primaryCheck(controls, 'INVLPG exiting');
  if (!asked.holds) return undefined;
  const details = {
    qualification: displacementQualification(core, instruction),
    instructionInformation: operandInformation(instruction),
  };
  return {reason: 'INVPCID', checks: [asked], details};
};

/** Bit 0 of the qualification: MONITOR has something to watch. */
const interceptMwait: InterceptRule = ({core, controls}) => {
  const asked = primaryCheck(controls, 'MWAIT exiting');
  if (!asked.holds) return undefined;
  const qualification = core.registers.get('MONITORED_LINE') & 1n;
  return {reason: 'MWAIT', checks: [asked], details: {qualification}};
};

const randomNumber =
  (reason: 'RDRAND' | 'RDSEED', control: SecondaryControl): InterceptRule =>
  ({controls, instruction}) => {
    const asked = secondaryCheck(controls, control);
    if (!asked.holds) return undefined;
    return {reason, checks: [asked], details: {instructionInformation: destinationInformation(instruction)}};
  };

/** 2:0 debug register · 4 direction (1 = from it) · 11:8 general register. */
const interceptMovDr: InterceptRule = ({controls, instruction}) => {
  const asked = primaryCheck(controls, 'MOV-DR exiting');
  if (!asked.holds) return undefined;
  const [first, second] = instruction.operands;
  const debug = first?.kind === 'debug' ? first : second?.kind === 'debug' ? second : undefined;
  const general = registerOperand(instruction);
  const number = general === undefined ? 0 : GENERAL_REGISTERS.indexOf(general);
  const qualification = BigInt((debug?.number ?? 0) | (first?.kind === 'debug' ? 0 : 16) | (number << 8));
  return {reason: 'DR_ACCESS', checks: [asked], details: {qualification}};
};

const RULES: Partial<Readonly<Record<Intercept, InterceptRule>>> = {
  ...CONTROL_REGISTER_RULES,
  CPUID: always('CPUID'),
  INVD: always('INVD'),
  XSETBV: always('XSETBV'),
  GETSEC: always('GETSEC'),
  HLT: onPrimary('HLT', 'HLT exiting'),
  RDTSC: onPrimary('RDTSC', 'RDTSC exiting'),
  RDTSCP: onPrimary('RDTSCP', 'RDTSC exiting'),
  RDPMC: onPrimary('RDPMC', 'RDPMC exiting'),
  PAUSE: interceptPause,
  MONITOR: onPrimary('MONITOR', 'MONITOR exiting'),
  MWAIT: interceptMwait,
  INVLPG: interceptInvlpg,
  INVPCID: interceptInvpcid,
  WBINVD: onSecondary('WBINVD', 'WBINVD exiting'),
  RDRAND: randomNumber('RDRAND', 'RDRAND exiting'),
  RDSEED: randomNumber('RDSEED', 'RDSEED exiting'),
  IN: interceptIn,
  OUT: interceptOut,
  INS: interceptIns,
  OUTS: interceptOuts,
  RDMSR: interceptRdmsr,
  WRMSR: interceptWrmsr,
  'MOV DR': interceptMovDr,
  SGDT: descriptorTable('GDTR_IDTR_ACCESS', 0),
  SIDT: descriptorTable('GDTR_IDTR_ACCESS', 1),
  LGDT: descriptorTable('GDTR_IDTR_ACCESS', 2),
  LIDT: descriptorTable('GDTR_IDTR_ACCESS', 3),
  SLDT: descriptorTable('LDTR_TR_ACCESS', 0),
  STR: descriptorTable('LDTR_TR_ACCESS', 1),
  LLDT: descriptorTable('LDTR_TR_ACCESS', 2),
  LTR: descriptorTable('LDTR_TR_ACCESS', 3),
  VMCALL: always('VMCALL'),
  VMLAUNCH: always('VMLAUNCH'),
  VMRESUME: always('VMRESUME'),
  VMXOFF: always('VMXOFF'),
  VMCLEAR: vmxInstruction('VMCLEAR'),
  VMPTRLD: vmxInstruction('VMPTRLD'),
  VMPTRST: vmxInstruction('VMPTRST'),
  VMREAD: vmxInstruction('VMREAD'),
  VMWRITE: vmxInstruction('VMWRITE'),
  VMXON: vmxInstruction('VMXON'),
  INVEPT: vmxInstruction('INVEPT'),
  INVVPID: vmxInstruction('INVVPID'),
};

const NEEDS_CONTROL: Partial<Readonly<Record<Intercept, SecondaryControl>>> = {
  'RDTSCP enabled': 'enable RDTSCP',
  'INVPCID enabled': 'enable INVPCID',
};

/** #UD where the hypervisor has not enabled the instruction for its guest, whatever CPUID announces. */
export function absentInGuest(controls: Controls, instruction: Instruction, intercept: Intercept): Fault | undefined {
  const needed = NEEDS_CONTROL[intercept];
  if (needed === undefined) return undefined;
  const asked = secondaryCheck(controls, needed);
  return asked.holds ? undefined : fault('#UD', undefined, [{...asked, source: instruction.form.source}]);
}

/** The exit that an intercepted instruction causes, or undefined when it stays in the guest. */
export function interceptInstruction(intercepted: Intercepted, intercept: Intercept): VmExitInformation | undefined {
  const decision = RULES[intercept]?.(intercepted);
  if (decision === undefined) return undefined;
  const {core, instruction} = intercepted;
  return exitInformation(decision.reason, core.instructionRip, decision.checks, {
    instructionLength: instruction.bytes.length,
    ...decision.details,
  });
}
