// Exit handlers that decode EXITCODE, EXITINFO1 and EXITINFO2, and then call the generic half.
// Linux, arch/x86/kvm/svm/svm.c: the functions of the same names.

import {bit, bits, hex} from '@hyperscope/base';
import {SVM_EXIT_BASE, exceptionAt, hasErrorCode} from '@hyperscope/isa';
import type {GeneralRegister} from '@hyperscope/isa';
import type {StepResult} from '../../host/host-program.js';
import {injectException, nameOf} from '../guest-registers.js';
import {readControlRegister, writeControlRegister} from '../kvm-cr.js';
import {readDebugRegister, writeDebugRegister} from '../kvm-dr.js';
import {invalidatePage} from '../kvm-exit-handlers.js';
import {hostInterrupt} from '../kvm-interrupts.js';
import {handleIo} from '../kvm-io.js';
import {nestedPageFault} from '../kvm-tdp.js';
import {decodeIntercepted, generalOperand, linearAddressOf, memoryOperand} from './decoded-instruction.js';
import type {SvmHardware} from './svm-hardware.js';

const UD = 6;
const PF = 14;
/** EXITINFO1 63: the instruction is a MOV, and bits 3:0 are its general register. */
const IS_MOV = 63;
const CR0_SEL_WRITE = 0x65;
const LONG = 13;
const EMULATE = 'x86_emulate_instruction';

/** A control register, and the general one that a MOV has beside it. */
interface Move {
  readonly general: GeneralRegister;
  readonly say: string;
}

/** Decode assists name the general register; without them, and for CLTS, LMSW and SMSW, the instruction itself has to. */
function moveOf(hardware: SvmHardware): Move | undefined {
  const info = hardware.vmcb.get('EXITINFO1');
  if (hardware.host.machine.processor.features.decodeAssists) {
    if (hardware.exitCode < SVM_EXIT_BASE.drRead && !bit(info, IS_MOV)) return undefined;
    return {general: nameOf(Number(bits(info, 3, 0))), say: `read EXITINFO1: ${hex(info)}`};
  }
  const decoded = decodeIntercepted(hardware);
  if (decoded === undefined || decoded.instruction.mnemonic !== 'MOV') return undefined;
  const general = generalOperand(decoded.instruction);
  return general === undefined ? undefined : {general, say: decoded.say};
}

const inSoftware = ({host}: SvmHardware): StepResult => ({
  say: `${host.hardware.exit().title}, and not by MOV: the instruction has to be carried out in software`,
  go: EMULATE,
});

/** Linux, emulate_on_interception. */
export const emulateOnInterception = ({host}: SvmHardware): StepResult => ({
  say: `${host.hardware.exit().title}: the instruction is carried out in software, on what the guest believes its registers to be`,
  go: EMULATE,
});

export function crInterception(hardware: SvmHardware): StepResult {
  const {host, exitCode} = hardware;
  const number = exitCode === CR0_SEL_WRITE ? 0 : exitCode & 0xf;
  const isRead = exitCode < SVM_EXIT_BASE.crWrite;
  const move = moveOf(hardware);
  if (move === undefined) return inSoftware(hardware);
  const {general, say} = move;
  if (isRead) return readControlRegister(host, number, general, `${say}: MOV from CR${number} to ${general}`);
  const value = BigInt.asUintN(bit(hardware.get('CS.attributes'), LONG) ? 64 : 32, hardware.get(general));
  return writeControlRegister(host, number, value, `${say}: MOV to CR${number} from ${general}`);
}

export function drInterception(hardware: SvmHardware): StepResult {
  const {host, exitCode} = hardware;
  const number = exitCode & 0xf;
  const move = moveOf(hardware);
  if (move === undefined) return inSoftware(hardware);
  return exitCode < SVM_EXIT_BASE.drWrite
    ? readDebugRegister(host, number, move.general)
    : writeDebugRegister(host, number, () => hardware.get(move.general));
}

/** EXITINFO1: 0 for RDMSR, 1 for WRMSR. */
export function msrInterception({vmcb}: SvmHardware): StepResult {
  const isWrite = vmcb.get('EXITINFO1') === 1n;
  return {
    say: `read EXITINFO1: ${isWrite ? 1 : 0}, ${isWrite ? 'WRMSR' : 'RDMSR'}`,
    go: isWrite ? 'kvm_emulate_wrmsr' : 'kvm_emulate_rdmsr',
  };
}

export function ioInterception({host, vmcb}: SvmHardware): StepResult {
  return handleIo(host, `read EXITINFO1: ${hex(vmcb.get('EXITINFO1'))}`);
}

export function npfInterception({host, vmcb}: SvmHardware): StepResult {
  const [info1, info2] = [vmcb.get('EXITINFO1'), vmcb.get('EXITINFO2')];
  return nestedPageFault(host, `read EXITINFO1: ${hex(info1)}, EXITINFO2: ${hex(info2)}`);
}

/** With shadow paging every #PF of the guest is KVM's first; EXITINFO1 is its error code, EXITINFO2 its address. */
export function pfInterception(hardware: SvmHardware): StepResult {
  if (hardware.mmu === 'nested') return exceptionInterception(hardware);
  const {linear, errorCode} = hardware.pageFault();
  return {say: `read EXITINFO1: ${hex(errorCode)}, EXITINFO2: ${hex(linear)}`, go: 'kvm_handle_page_fault'};
}

/** EXITINFO1 is the linear address, with decode assists. */
export function invlpgInterception(hardware: SvmHardware): StepResult {
  const {host, vmcb} = hardware;
  if (host.machine.processor.features.decodeAssists) return invalidatePage(host, vmcb.get('EXITINFO1'));
  const instruction = decodeIntercepted(hardware)?.instruction;
  const operand = instruction === undefined ? undefined : memoryOperand(instruction);
  if (instruction === undefined || operand === undefined) return inSoftware(hardware);
  return invalidatePage(host, linearAddressOf(hardware, instruction, operand));
}

/** SVM leaves the interrupt at the processor's pins: it is taken by the host once KVM lets interrupts in again. */
export function intrInterception({host}: SvmHardware): StepResult {
  const {pins} = host.machine;
  const vector = pins.requested ?? 0;
  pins.acknowledge();
  return hostInterrupt(host, vector, `local_irq_enable: the processor takes vector ${hex(vector)} now`);
}

export function nmiInterception({host}: SvmHardware): StepResult {
  host.handled('kvm', 'the NMI is the host’s: it never reaches the guest');
  return {say: 'an NMI of the host: its own handler has run at STGI', go: 'vcpu_enter_guest'};
}

/** An exception that was asked for: it goes back to the guest it came from. CR2 was not written. */
export function exceptionInterception({host, vmcb, exitCode}: SvmHardware): StepResult {
  const vector = exitCode - SVM_EXIT_BASE.exception;
  const info1 = vmcb.get('EXITINFO1');
  if (vector === PF) host.vcpu.set('cr2', vmcb.get('EXITINFO2'));
  injectException(host, vector, hasErrorCode(vector) ? Number(bits(info1, 31, 0)) : undefined);
  const name = exceptionAt(vector)?.name ?? `vector ${vector}`;
  host.handled('kvm', `${name} is the guest’s own: it is injected back`);
  return {say: `${name}, error code ${hex(info1)}: the next VMRUN injects it`, go: 'vcpu_enter_guest'};
}

export function svmInstructionInterception({host}: SvmHardware): StepResult {
  const why = 'this KVM does not offer SVM to its guests: #UD';
  injectException(host, UD);
  host.handled('kvm', why);
  return {say: `${host.hardware.exit().title}: ${why}`, go: 'vcpu_enter_guest'};
}
