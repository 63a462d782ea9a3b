// Why an instruction that a hypervisor could have intercepted ran in the guest all the same: the control that was 0, the
// bit of the bitmap, or that VT-x has no such control. SDM vol. 3C, "Instructions That Cause VM Exits".

import {hex} from '@hyperscope/base';
import {recordMicrocode} from '@hyperscope/isa';
import type {Instruction, Intercept} from '@hyperscope/isa';
import {primaryControl, secondaryControl} from '@hyperscope/machine';
import type {Check, PrimaryControl, SecondaryControl, Vmcs} from '@hyperscope/machine';
import type {CellSource, StayedInGuest} from '@hyperscope/trace';

const CONDITIONAL = 'SDM vol. 3C, "Instructions That Cause VM Exits Conditionally"';
const ALL = 'SDM vol. 3C, "Instructions That Cause VM Exits"';

const BY_PRIMARY: Partial<Readonly<Record<Intercept, PrimaryControl>>> = {
  HLT: 'HLT exiting',
  INVLPG: 'INVLPG exiting',
  INVPCID: 'INVLPG exiting',
  MWAIT: 'MWAIT exiting',
  MONITOR: 'MONITOR exiting',
  PAUSE: 'PAUSE exiting',
  RDPMC: 'RDPMC exiting',
  RDTSC: 'RDTSC exiting',
  RDTSCP: 'RDTSC exiting',
  'MOV DR': 'MOV-DR exiting',
  'MOV to CR3': 'CR3-load exiting',
  'MOV from CR3': 'CR3-store exiting',
  'MOV to CR8': 'CR8-load exiting',
  'MOV from CR8': 'CR8-store exiting',
};
const BY_SECONDARY: Partial<Readonly<Record<Intercept, SecondaryControl>>> = {
  WBINVD: 'WBINVD exiting',
  RDRAND: 'RDRAND exiting',
  RDSEED: 'RDSEED exiting',
  LGDT: 'descriptor-table exiting',
  SGDT: 'descriptor-table exiting',
  LIDT: 'descriptor-table exiting',
  SIDT: 'descriptor-table exiting',
  LLDT: 'descriptor-table exiting',
  SLDT: 'descriptor-table exiting',
  LTR: 'descriptor-table exiting',
  STR: 'descriptor-table exiting',
};
/** SVM can intercept these; VT-x has no control for them. */
const SVM_ONLY: ReadonlySet<Intercept> = new Set<Intercept>(['POPF', 'PUSHF', 'IRET', 'INTn', 'SMSW']);
/** Changes of ring that need no hypervisor: that is what hardware virtualization is for. */
const RING_CHANGES = /^(SYSCALL|SYSRET|SYSENTER|SYSEXIT|IRET)/;

/** Undefined where nobody could have asked for an exit. `vmcs` is the current one; `cells` are the processor's before the step. */
export function stayedInGuest(instruction: Instruction, vmcs: Vmcs, cells: CellSource): StayedInGuest | undefined {
  const {mnemonic} = instruction;
  const intercept = recordMicrocode(instruction).operations.find(operation => operation.op === 'intercept')?.intercept;
  if (RING_CHANGES.test(mnemonic))
    return {
      sentence: `It did not leave the guest, and no setting could make it: VT-x has no exit for ${mnemonic}. The guest’s kernel and its programs change rings by themselves, at full speed.`,
      checks: [{rule: `VT-x has no control that makes ${mnemonic} exit`, holds: true, values: [], source: ALL}],
      otherwise:
        'A hypervisor without VT-x would have had to take part in this: with the guest’s kernel out of ring 0, every such change of ring is its business.',
    };
  if (intercept === undefined) return undefined;
  if (SVM_ONLY.has(intercept))
    return {
      sentence: `It did not leave the guest: VT-x has no exit for ${mnemonic}, and needs none, because the flags and rings that it works on are the guest’s own.`,
      checks: [{rule: `VT-x has no control that makes ${mnemonic} exit`, holds: true, values: [], source: ALL}],
      otherwise: undefined,
    };
  const check = decidingCheck(intercept, vmcs, cells);
  if (check === undefined) return undefined;
  return {
    sentence: `It did not leave the guest: ${check.rule}, so the hypervisor had not asked for it.${intercept === 'MOV to CR3' || intercept === 'MOV from CR3' ? EPT_NOTE : ''}`,
    checks: [check],
    otherwise: `Had “${check.rule}” not held, ${intercept} would have left the guest.`,
  };
}

const EPT_NOTE =
  ' Under EPT it need not: the guest’s CR3 names only the guest’s own tables, and the hypervisor’s tables stand behind them.';

function decidingCheck(intercept: Intercept, vmcs: Vmcs, cells: CellSource): Check | undefined {
  const primary = BY_PRIMARY[intercept];
  const secondary = BY_SECONDARY[intercept];
  if (primary !== undefined)
    return controlCheck(
      primary,
      primaryControl(primary),
      'primary processor-based controls',
      vmcs.get('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS'),
    );
  if (secondary !== undefined)
    return controlCheck(
      secondary,
      secondaryControl(secondary),
      'secondary processor-based controls',
      vmcs.get('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS'),
    );
  switch (intercept) {
    case 'MOV to CR0':
    case 'LMSW':
    case 'CLTS':
      return maskCheck('CR0', vmcs);
    case 'MOV to CR4':
      return maskCheck('CR4', vmcs);
    case 'RDMSR':
    case 'WRMSR':
      return msrCheck(intercept, cells);
    case 'IN':
    case 'OUT':
    case 'INS':
    case 'OUTS':
      return bitmapCheck('the port’s bit of the I/O bitmaps = 0', 'port', hex((cells('RDX') ?? 0n) & 0xffffn));
    default:
      return undefined;
  }
}

/** The instruction ran in the guest, so the control was 0; should the VMCS say otherwise, nothing is claimed. */
function controlCheck(name: string, index: number, word: string, value: bigint): Check | undefined {
  if (((value >> BigInt(index)) & 1n) !== 0n) return undefined;
  return {
    rule: `${name} = 0`,
    holds: true,
    values: [
      [word, hex(value)],
      ['bit', String(index)],
    ],
    source: CONDITIONAL,
  };
}

function maskCheck(register: 'CR0' | 'CR4', vmcs: Vmcs): Check {
  return {
    rule: `no bit that the host owns differs from the ${register} read shadow`,
    holds: true,
    values: [
      [`${register} guest/host mask`, hex(vmcs.get(`${register}_GUEST_HOST_MASK`))],
      [`${register} read shadow`, hex(vmcs.get(`${register}_READ_SHADOW`))],
    ],
    source: CONDITIONAL,
  };
}

const msrCheck = (intercept: 'RDMSR' | 'WRMSR', cells: CellSource): Check =>
  bitmapCheck(
    `the MSR’s bit of the ${intercept === 'RDMSR' ? 'read' : 'write'} bitmap = 0`,
    'MSR',
    hex((cells('RCX') ?? 0n) & 0xffff_ffffn),
  );

const bitmapCheck = (rule: string, name: string, value: string): Check => ({
  rule,
  holds: true,
  values: [[name, value]],
  source: CONDITIONAL,
});
