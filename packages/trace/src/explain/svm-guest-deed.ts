// What the guest did that made an SVM processor leave it, with the values that it used.

import {SVM_EXIT, SVM_EXIT_BASE, svmInterceptExit} from '@hyperscope/isa';
import {bit, bits, hex} from '@hyperscope/base';
import type {SvmExitInformation, VmExitInformation} from '@hyperscope/machine';
import {cellOr0} from '../state/processor-view.js';
import {ioPurpose, msrText} from './guest-deed.js';
import type {StepContext} from './step-context.js';

const LOW_32 = 0xffff_ffffn;
const PAGE_FAULT = SVM_EXIT_BASE.exception + 14;
const CPUID = svmInterceptExit('CPUID');
const HLT = svmInterceptExit('HLT');
const IOIO = svmInterceptExit('IOIO');
const MSR = svmInterceptExit('MSR');
const CR0_SEL_WRITE = svmInterceptExit('CR0_SEL_WRITE');
const IN_GUEST_TABLES = 33;

/** The end of a sentence that begins with who ran. */
export function svmGuestDeed(svm: SvmExitInformation, exit: VmExitInformation, context: StepContext): string {
  const place = `${context.text} at ${hex(exit.guestRip)}`;
  if (svm.code === SVM_EXIT.NPF) return nestedDeed(svm, exit, place);
  if (svm.code === PAGE_FAULT) return pageFaultDeed(svm, place);
  if (isBetween(svm.code) || svm.code < 0) return `was about to run ${place}`;
  const purpose = context.before('RAX') === undefined ? undefined : purposeOf(svm, context);
  return `executed ${place}${purpose === undefined ? '' : `, ${purpose}`}`;
}

/** INTR, NMI, SMI, INIT, VINTR: events from outside, between two instructions. */
export const isBetween = (code: number): boolean => code >= 0x60 && code <= 0x64;

function purposeOf(svm: SvmExitInformation, {before, instruction}: StepContext): string | undefined {
  const [rax, rcx, rdx] = [cellOr0(before, 'RAX'), cellOr0(before, 'RCX') & LOW_32, cellOr0(before, 'RDX') & LOW_32];
  if (svm.code < SVM_EXIT_BASE.drRead || svm.code === CR0_SEL_WRITE) {
    const register = `CR${svm.code === CR0_SEL_WRITE ? 0 : svm.code & 0xf}`;
    const general = instruction?.operands.find(operand => operand.kind === 'register');
    if (general === undefined || instruction?.mnemonic !== 'MOV') return undefined;
    return svm.code < SVM_EXIT_BASE.crWrite
      ? `to read ${register} into ${general.register}`
      : `to load ${register} with ${hex(before(general.register) ?? 0n)} from ${general.register}`;
  }
  switch (svm.code) {
    case CPUID:
      return `to ask what the processor is: leaf ${hex(rax & LOW_32)} in EAX`;
    case HLT:
      return `to wait for an interrupt (IF is ${bit(cellOr0(before, 'RFLAGS'), 9) ? 1 : 0})`;
    case IOIO:
      return ioPurpose(portAccess(svm.info1), rax);
    case MSR:
      return svm.info1 === 0n
        ? `to read ${msrText(rcx)}, whose number is in ECX`
        : `to write ${hex((rdx << 32n) | (rax & LOW_32))} (EDX:EAX) to ${msrText(rcx)}, whose number is in ECX`;
    default:
      return undefined;
  }
}

/** EXITINFO1 of IOIO: 0 IN · 2 string · 4 5 6: 8, 16, 32 bits · 31:16 port. */
function portAccess(info: bigint): {port: number; direction: 'in' | 'out'; bytes: number; string: boolean} {
  return {
    port: Number(bits(info, 31, 16)),
    direction: bit(info, 0) ? 'in' : 'out',
    bytes: bit(info, 4) ? 1 : bit(info, 5) ? 2 : 4,
    string: bit(info, 2),
  };
}

/** EXITINFO1: 1 write · 4 fetch · 33 on the way through the guest's tables; EXITINFO2: the guest-physical address. */
function nestedDeed({info1, info2}: SvmExitInformation, exit: VmExitInformation, place: string): string {
  const address = hex(info2);
  const lack = bit(info1, 0)
    ? 'which the nested page tables forbid'
    : 'and the nested page tables do not map that page';
  if (bit(info1, IN_GUEST_TABLES))
    return `was about to run ${place}; on the way to linear address ${hex(exit.guestLinearAddress)} the processor needed the guest’s page-table entry in the page at guest-physical ${address} (reading one counts as a write, because of its accessed bit), ${lack}`;
  if (bit(info1, 4)) return `was about to run ${place}, but its bytes lie at guest-physical ${address}, ${lack}`;
  return `ran ${place}, which ${bit(info1, 1) ? 'writes to' : 'reads'} guest-physical ${address}, ${lack}`;
}

/** EXITINFO1: the error code; EXITINFO2: the linear address. */
function pageFaultDeed({info1, info2}: SvmExitInformation, place: string): string {
  if (bit(info1, 4))
    return `was about to run ${place}, but the tables in use give no right to fetch from ${hex(info2)}`;
  const access = bit(info1, 1) ? 'writes to' : 'reads';
  return `ran ${place}, which ${access} linear address ${hex(info2)}, and the tables in use ${bit(info1, 0) ? 'forbid it' : 'do not map it'}`;
}
