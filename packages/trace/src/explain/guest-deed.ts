// What the guest did that made the processor leave it, with the values that it used: the first sentence about an exit.

import {GENERAL_REGISTERS, msrAt} from '@hyperscope/isa';
import {bit, bits, hex} from '@hyperscope/base';
import type {VmExitInformation} from '@hyperscope/machine';
import {cellOr0} from '../state/processor-view.js';
import {ioQualification} from './exit-qualification.js';
import type {IoQualification} from './exit-qualification.js';
import {portName} from './port-names.js';
import type {StepContext} from './step-context.js';
import {svmGuestDeed} from './svm-guest-deed.js';

const LOW_32 = 0xffff_ffffn;

/** The end of a sentence that begins with who ran: `executed out dx, al at 0x8006, to send 0x48 (“H”) to port 0x3f8`. */
export function guestDeed(exit: VmExitInformation, context: StepContext): string {
  if (exit.svm !== undefined) return svmGuestDeed(exit.svm, exit, context);
  const reason = exit.reason & 0xffff;
  const place = `${context.text} at ${hex(exit.guestRip)}`;
  if (reason === 48) return memoryDeed(exit, place);
  const purpose = context.before('RAX') === undefined ? undefined : purposeOf(reason, exit, context);
  return `executed ${place}${purpose === undefined ? '' : `, ${purpose}`}`;
}

function purposeOf(reason: number, exit: VmExitInformation, context: StepContext): string | undefined {
  const [rax, rcx, rdx] = [
    cellOr0(context.before, 'RAX'),
    cellOr0(context.before, 'RCX') & LOW_32,
    cellOr0(context.before, 'RDX') & LOW_32,
  ];
  switch (reason) {
    case 10:
      return `to ask what the processor is: leaf ${hex(rax & LOW_32)} in EAX`;
    case 12:
      return `to wait for an interrupt (IF is ${bit(cellOr0(context.before, 'RFLAGS'), 9) ? 1 : 0})`;
    case 28:
      return controlRegisterPurpose(exit, context);
    case 30:
      return ioPurpose(ioQualification(exit.qualification), rax);
    case 31:
      return `to read ${msrText(rcx)}, whose number is in ECX`;
    case 32:
      return `to write ${hex((rdx << 32n) | (rax & LOW_32))} (EDX:EAX) to ${msrText(rcx)}, whose number is in ECX`;
    default:
      return undefined;
  }
}

/** 3:0 register · 5:4 0 MOV to, 1 MOV from · 11:8 general register. SDM vol. 3C, "Exit Qualification for Control-Register Accesses". */
function controlRegisterPurpose({qualification}: VmExitInformation, {before}: StepContext): string | undefined {
  const register = `CR${bits(qualification, 3, 0)}`;
  const general = GENERAL_REGISTERS[Number(bits(qualification, 11, 8))];
  const type = bits(qualification, 5, 4);
  if (type === 0n && general !== undefined)
    return `to load ${register} with ${hex(before(general) ?? 0n)} from ${general}`;
  return type === 1n && general !== undefined ? `to read ${register} into ${general}` : undefined;
}

export function ioPurpose(io: Omit<IoQualification, 'immediate' | 'repeated'>, rax: bigint): string {
  const name = portName(io.port);
  const port = `port ${hex(io.port)}${name === undefined ? '' : `, ${name}`}`;
  if (io.string) return `to move a string ${io.direction === 'out' ? 'to' : 'from'} ${port}`;
  const value = BigInt.asUintN(io.bytes * 8, rax);
  const letter = io.bytes === 1 && value >= 0x20n && value < 0x7fn ? ` (“${String.fromCharCode(Number(value))}”)` : '';
  return io.direction === 'out'
    ? `to send ${hex(value, io.bytes * 2)}${letter} to ${port}`
    : `to read ${io.bytes} byte${io.bytes === 1 ? '' : 's'} from ${port}`;
}

export function msrText(index: bigint): string {
  const msr = msrAt(Number(index));
  return `MSR ${hex(index)}${msr === undefined ? '' : ` (${msr.name})`}`;
}

/** EPT violation: 0 read · 1 write · 2 fetch · 8 the translation itself, rather than a table entry on the way. */
function memoryDeed(exit: VmExitInformation, place: string): string {
  const address = hex(exit.guestPhysicalAddress);
  if (!bit(exit.qualification, 8))
    return `was about to run ${place}; on the way to linear address ${hex(exit.guestLinearAddress)} the processor had to read the guest’s page-table entry at guest-physical ${address}, and EPT does not map that page`;
  if (bit(exit.qualification, 2))
    return `was about to run ${place}, but its bytes lie at guest-physical ${address}, which EPT does not map`;
  return `ran ${place}, which ${bit(exit.qualification, 1) ? 'writes to' : 'reads'} guest-physical ${address}, and EPT does not map that page`;
}
