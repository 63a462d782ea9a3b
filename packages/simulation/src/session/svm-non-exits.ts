// Why an instruction that SVM could have intercepted ran in the guest all the same: the intercept bit that was 0, or the bit of a
// permissions map. SVM can ask for nearly every sensitive instruction, PUSHF, POPF, IRET and SIDT included; most hypervisors ask
// for few. APM vol. 2, "Instruction Intercepts".

import {hex} from '@hyperscope/base';
import {recordMicrocode, svmInterceptBit, vmcbField} from '@hyperscope/isa';
import type {Instruction, Intercept, SvmInterceptName, VmcbFieldName} from '@hyperscope/isa';
import type {Check} from '@hyperscope/machine';
import type {StayedInGuest} from '@hyperscope/trace';

const SOURCE = 'APM vol. 2, "Instruction Intercepts"';

const BY_BIT: Partial<Readonly<Record<Intercept, SvmInterceptName>>> = {
  CPUID: 'CPUID',
  HLT: 'HLT',
  INVD: 'INVD',
  INVLPG: 'INVLPG',
  WBINVD: 'WBINVD',
  RDTSC: 'RDTSC',
  RDTSCP: 'RDTSCP',
  RDPMC: 'RDPMC',
  PAUSE: 'PAUSE',
  MONITOR: 'MONITOR',
  MWAIT: 'MWAIT',
  XSETBV: 'XSETBV',
  LGDT: 'GDTR_WRITE',
  SGDT: 'GDTR_READ',
  LIDT: 'IDTR_WRITE',
  SIDT: 'IDTR_READ',
  LLDT: 'LDTR_WRITE',
  SLDT: 'LDTR_READ',
  LTR: 'TR_WRITE',
  STR: 'TR_READ',
  PUSHF: 'PUSHF',
  POPF: 'POPF',
  IRET: 'IRET',
  INTn: 'SWINT',
};
const BY_CR: Partial<Readonly<Record<Intercept, readonly ['read' | 'write', number]>>> = {
  'MOV from CR0': ['read', 0],
  'MOV from CR3': ['read', 3],
  'MOV from CR4': ['read', 4],
  'MOV to CR0': ['write', 0],
  'MOV to CR3': ['write', 3],
  'MOV to CR4': ['write', 4],
  CLTS: ['write', 0],
  LMSW: ['write', 0],
  SMSW: ['read', 0],
};
const WORDS: Readonly<Record<3 | 4 | 5, VmcbFieldName>> = {
  3: 'INTERCEPT_WORD_3',
  4: 'INTERCEPT_WORD_4',
  5: 'INTERCEPT_WORD_5',
};
/** Changes of ring that no intercept reaches. */
const RING_CHANGES = /^(SYSCALL|SYSRET|SYSENTER|SYSEXIT)/;

/** Undefined where nobody could have asked for an exit. `page`: the VMCB of the guest. */
export function stayedInSvmGuest(instruction: Instruction, page: Uint8Array): StayedInGuest | undefined {
  const {mnemonic} = instruction;
  if (RING_CHANGES.test(mnemonic))
    return {
      sentence: `It did not leave the guest, and no setting could make it: SVM has no intercept for ${mnemonic}. The guest’s kernel and its programs change rings by themselves, at full speed.`,
      checks: [{rule: `SVM has no intercept for ${mnemonic}`, holds: true, values: [], source: SOURCE}],
      otherwise: undefined,
    };
  const asked = recordMicrocode(instruction).operations.find(operation => operation.op === 'intercept')?.intercept;
  const check = asked === undefined ? undefined : decidingCheck(asked, page);
  if (asked === undefined || check === undefined) return undefined;
  const paging = asked === 'MOV to CR3' || asked === 'MOV from CR3' ? NPT_NOTE : '';
  return {
    sentence: `It did not leave the guest: ${check.rule}, so the hypervisor had not asked for it.${paging}`,
    checks: [check],
    otherwise: `Had “${check.rule}” not held, ${asked} would have left the guest.`,
  };
}

const NPT_NOTE =
  ' With nested paging it need not: the guest’s CR3 names only the guest’s own tables, and the hypervisor’s tables stand behind them.';

/** The instruction ran in the guest, so the bit was 0; should the VMCB say otherwise, nothing is claimed. */
function decidingCheck(intercept: Intercept, page: Uint8Array): Check | undefined {
  const name = BY_BIT[intercept];
  if (name !== undefined) {
    const {word, bit} = svmInterceptBit(name);
    return bitCheck(`the ${name} intercept = 0`, `intercept word ${word}`, read(page, WORDS[word]), bit);
  }
  const register = BY_CR[intercept];
  if (register === undefined) return undefined;
  const [access, number] = register;
  const field = access === 'read' ? 'INTERCEPT_CR_READ' : 'INTERCEPT_CR_WRITE';
  return bitCheck(`the CR${number} ${access} intercept = 0`, `CR ${access} intercepts`, read(page, field), number);
}

function bitCheck(rule: string, word: string, value: number, bit: number): Check | undefined {
  if (((value >>> bit) & 1) !== 0) return undefined;
  return {
    rule,
    holds: true,
    values: [
      [word, hex(value)],
      ['bit', String(bit)],
    ],
    source: SOURCE,
  };
}

/** A field of 2 or 4 bytes. */
function read(page: Uint8Array, name: VmcbFieldName): number {
  const {offset, bytes} = vmcbField(name);
  const view = new DataView(page.buffer, page.byteOffset + offset, bytes);
  return bytes === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
}
