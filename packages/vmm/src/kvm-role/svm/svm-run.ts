// Into the guest and out of it with VMRUN. The processor switches less than VT-x does: RAX and RSP by the VMCB, everything else
// that is general by software, FS to KernelGSBase and the SYSCALL MSRs by VMLOAD and VMSAVE. While GIF is 0 nothing interrupts.
// Linux, arch/x86/kvm/svm/svm.c: svm_vcpu_run, svm_handle_exit; arch/x86/kvm/svm/vmenter.S: __svm_vcpu_run.

import {bit, hex} from '@hyperscope/base';
import {GENERAL_REGISTERS, svmExitCode} from '@hyperscope/isa';
import type {Machine} from '@hyperscope/machine';
import {VMCB} from '../../host/host-layout.js';
import type {StepResult} from '../../host/host-program.js';
import {guestEventName} from '../guest-event-name.js';
import {KVM_EXIT} from '../kvm-exit-codes.js';
import {completeIret} from './nmi-window.js';
import type {SvmHardware} from './svm-hardware.js';
import {switchToHost} from './switched-registers.js';

const INVALID = -1;
const CR0_WRITE = 0;
const NO_FLUSH = 0n;
const V_TPR = 0xfn;
const IF = 1n << 9n;

/** What the VMCB holds and VMRUN loads; the rest the code before VMRUN loads itself. */
const BY_VMRUN = ['RAX', 'RSP'] as const;

export function prepareVmcb(hardware: SvmHardware): StepResult {
  const {host, vmcb, svm} = hardware;
  for (const name of BY_VMRUN) vmcb.set(name, host.vcpu.register(name));
  vmcb.set('CR2', host.vcpu.get('cr2'));
  syncTaskPriority(hardware);
  svm.setGlobalInterruptFlag('cleared');
  svm.vmload(VMCB);
  return {
    say: 'VMCB: RAX, RSP, CR2 ← kvm_vcpu; CLGI: nothing may interrupt now; VMLOAD: the guest’s FS, GS, LDTR, TR and SYSCALL MSRs',
  };
}

/** V_TPR is what the guest reads as CR8 (Linux, sync_lapic_to_cr8). */
function syncTaskPriority({host, vmcb}: SvmHardware): void {
  const before = vmcb.get('VIRTUAL_INTERRUPT');
  const after = (before & ~V_TPR) | (host.vcpu.get('cr8') & V_TPR);
  if (after !== before) vmcb.set('VIRTUAL_INTERRUPT', after);
}

export function runGuest({host, svm, vmcb}: SvmHardware): StepResult {
  const {registers} = host.machine;
  const rip = vmcb.get('RIP');
  for (const name of GENERAL_REGISTERS)
    if (name !== 'RAX' && name !== 'RSP') registers.set(name, host.vcpu.register(name));
  // With V_INTR_MASKING it is the host's IF that lets the host's interrupts out of the guest.
  setInterruptFlag(registers, 1n);
  // #VMEXIT comes back behind the VMRUN.
  registers.set('RIP', host.addressOf('svm_vcpu_run+2'));
  svm.vmrun(VMCB);
  return {
    say: `the guest’s general registers into the processor, STI (GIF = 0 still holds interrupts off, but the guest will not), then VMRUN with RAX = ${hex(VMCB)}: on to guest RIP ${hex(rip)}`,
    go: 'processor',
  };
}

function setInterruptFlag(registers: Machine['registers'], value: 0n | 1n): void {
  registers.set('RFLAGS', (registers.get('RFLAGS') & ~IF) | (value * IF));
}

export function saveGuest(hardware: SvmHardware): StepResult {
  const {host, vmcb, svm, state, mmu} = hardware;
  const {vcpu, machine} = host;
  setInterruptFlag(machine.registers, 0n);
  for (const name of GENERAL_REGISTERS)
    if (name !== 'RAX' && name !== 'RSP') vcpu.setRegister(name, machine.registers.get(name));
  for (const name of BY_VMRUN) vcpu.setRegister(name, vmcb.get(name));
  vcpu.set('cr2', vmcb.get('CR2'));
  svm.vmsave(VMCB);
  svm.vmload(hardware.hostSaveArea);
  switchToHost(hardware);
  // What the guest may change without an exit.
  if (mmu === 'nested') state.svm.set('cr3', vmcb.get('CR3'));
  if (mmu === 'nested' && !vmcb.bit('INTERCEPT_CR_WRITE', CR0_WRITE)) state.svm.set('cr0', vmcb.get('CR0'));
  if (vmcb.get('TLB_CONTROL') !== NO_FLUSH) vmcb.set('TLB_CONTROL', NO_FLUSH);
  svm.setGlobalInterruptFlag('set');
  return {
    say: 'behind VMRUN again, in ring 0, GIF = 0: CLI, the general registers go to kvm_vcpu.regs, VMSAVE for the guest, VMLOAD for the host, STGI',
    go: 'svm_handle_exit',
  };
}

/** The handler for an EXITCODE. */
export const dispatch =
  (handlerOf: (code: number) => string) =>
  (hardware: SvmHardware): StepResult => {
    const {host, exitCode} = hardware;
    const {name, title} = svmExitCode(exitCode);
    if (exitCode === INVALID) {
      host.vcpu.exitReason = KVM_EXIT.FAIL_ENTRY;
      host.vcpu.unionWord = BigInt(exitCode);
      host.handled('user-space', 'a VMCB that VMRUN refuses cannot be repaired here: KVM_EXIT_FAIL_ENTRY');
      return {say: `read EXITCODE: −1, ${name}: ${title}`, go: 'kvm_arch_vcpu_ioctl_run+1'};
    }
    const again = reinject(hardware);
    const iret = completeIret(hardware);
    return {say: `read EXITCODE: ${hex(exitCode)}, ${name}: ${title}${again}${iret}`, go: handlerOf(exitCode)};
  };

/** An exit in the middle of an event's delivery: the event has to be injected again (Linux, svm_complete_interrupts). */
function reinject(hardware: SvmHardware): string {
  if (!bit(hardware.vmcb.get('EXITINTINFO'), 31)) return '';
  const event = hardware.interruptedDelivery();
  if (event === undefined)
    return '; it interrupted INT n, INT3 or INTO in the guest, which will execute the instruction again';
  const written = hardware.inject(event);
  return `; read EXITINTINFO: it interrupted the delivery of ${guestEventName(event)}, which the next VMRUN will repeat (${written})`;
}
