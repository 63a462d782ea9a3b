// Every basic exit reason that one core can show: a guest that causes it, what the VMCS tells of it, and, where a control decides,
// that nothing of it happens without that control. SDM vol. 3C, "Basic Exit Reasons", "Exit Qualification", "Format of the VM-Exit
// Instruction-Information Field".

import {EXIT_REASONS} from '@hyperscope/isa';
import type {ExitReasonName} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {MODERN_INTEL} from '../cpu/profiles-intel64.js';
import {exitOf} from './testing/exits.js';
import {HLT} from './testing/exit-case.js';
import type {ExitCase} from './testing/exit-case.js';
import {EVENTS, MEMORY} from './testing/exit-cases-events.js';
import {INSTRUCTIONS, VMX_INSTRUCTIONS} from './testing/exit-cases-instructions.js';
import {REGISTERS} from './testing/exit-cases-registers.js';
import {GUEST_CODE, machineWithGuest, machineWithLongGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const START = BigInt(GUEST_CODE);
const CASES = [...EVENTS, ...INSTRUCTIONS, ...REGISTERS, ...MEMORY, ...VMX_INSTRUCTIONS];

function made(each: ExitCase): VmxMachine {
  const code = [...each.code, HLT];
  const built = each.mode === 'long' ? machineWithLongGuest(code, MODERN_INTEL) : machineWithGuest(code);
  each.prepares?.(built);
  return built;
}
const numberOf = (name: ExitReasonName): number => EXIT_REASONS.find(each => each.name === name)?.number ?? -1;

describe('asked for', () => {
  test.each(CASES.map(each => [`${each.reason} ${each.what}`, each] as const))('%s', (_, each) => {
    const built = made(each);
    each.asks?.(built);
    const exit = exitOf(built);
    const {vmcs} = built;
    const {told} = each;
    expect(exit?.reason).toBe(numberOf(each.reason));
    expect({
      reason: vmcs.get('EXIT_REASON'),
      qualification: vmcs.get('EXIT_QUALIFICATION'),
      length: Number(vmcs.get('VM_EXIT_INSTRUCTION_LENGTH')),
      interruption: Number(vmcs.get('VM_EXIT_INTERRUPTION_INFORMATION')),
      errorCode: Number(vmcs.get('VM_EXIT_INTERRUPTION_ERROR_CODE')),
      linear: vmcs.get('GUEST_LINEAR_ADDRESS'),
      rip: vmcs.get('GUEST_RIP'),
    }).toEqual({
      reason: BigInt(numberOf(each.reason)),
      qualification: told.qualification ?? 0n,
      length: told.length ?? 0,
      interruption: told.interruption ?? 0,
      errorCode: told.errorCode ?? 0,
      linear: told.linear ?? (each.reason === 'EPT_MISCONFIGURATION' ? vmcs.get('GUEST_LINEAR_ADDRESS') : 0n),
      rip: told.rip ?? START,
    });
    if (told.information !== undefined)
      expect(Number(vmcs.get('VM_EXIT_INSTRUCTION_INFORMATION'))).toBe(told.information >>> 0);
    if (told.physical !== undefined) expect(vmcs.get('GUEST_PHYSICAL_ADDRESS')).toBe(told.physical);
    // Whatever the exit is, it has reasons that can be read.
    expect(exit?.checks.length).toBeGreaterThan(0);
  });
});

describe('not asked for', () => {
  const conditional = CASES.filter(({asks}) => asks !== undefined);
  test.each(conditional.map(each => [`${each.reason} ${each.what}`, each] as const))('%s', (_, each) => {
    expect(exitOf(made(each), 100)?.reason).toBe(numberOf(each.otherwise ?? 'HLT'));
  });
});

/** Reasons that have no case here, with why, or with the test that has it. */
const ELSEWHERE: Partial<Readonly<Record<ExitReasonName, string>>> = {
  INIT: 'no other processor sends INIT, and the local APIC does not send it to itself',
  SIPI: 'no other processor sends one',
  IO_SMI: 'there is no SMM',
  SMI: 'there is no SMM',
  RSM: 'it exits in SMM only; elsewhere it is #UD',
  GETSEC: 'no profile has SMX, so it is #UD',
  TASK_SWITCH: 'guest-events.test.ts, by JMP, CALL, IRET, INT n and exception',
  VMENTRY_FAILURE_GUEST_STATE: 'entry-checks.test.ts',
  VMENTRY_FAILURE_MSR: 'msr-lists.test.ts',
  VMENTRY_FAILURE_MCA: 'no machine check strikes',
  TPR_THRESHOLD: 'virtual-apic.test.ts',
  APIC_ACCESS: 'not announced',
  VIRTUALIZED_EOI: 'not announced',
  APIC_WRITE: 'not announced',
  VMFUNC: 'not announced',
  ENCLS: 'not announced',
  PML_LOGFULL: 'not announced',
  XSAVES: 'not announced',
  XRSTORS: 'not announced',
  PCONFIG: 'not announced',
  SPP: 'not announced',
  UMWAIT: 'not announced',
  TPAUSE: 'not announced',
  LOADIWKEY: 'not announced',
  ENCLV: 'not announced',
  ENQCMD_PASID: 'not announced',
  ENQCMDS_PASID: 'not announced',
  BUS_LOCK: 'not announced',
  INSTRUCTION_TIMEOUT: 'not announced',
  SEAMCALL: 'not announced',
  TDCALL: 'not announced',
  RDMSRLIST: 'not announced',
  WRMSRLIST: 'not announced',
};

test('every basic exit reason has a case, or a reason why it has none', () => {
  const shown = new Set(CASES.map(({reason}) => reason));
  const silent = EXIT_REASONS.filter(({name}) => !shown.has(name) && ELSEWHERE[name] === undefined);
  expect(silent.map(({name}) => name)).toEqual([]);
  expect(EXIT_REASONS.filter(({name}) => shown.has(name) && ELSEWHERE[name] !== undefined)).toEqual([]);
});
