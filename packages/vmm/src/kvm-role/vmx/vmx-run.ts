// Into the guest and out of it with VMLAUNCH and VMRESUME. Linux, arch/x86/kvm/vmx/vmx.c: vmx_vcpu_run, vmx_handle_exit;
// arch/x86/kvm/vmx/vmenter.S: vmx_vmexit.

import {bits, hex} from '@hyperscope/base';
import {GENERAL_REGISTERS, exitReasonTitle} from '@hyperscope/isa';
import {vmInstructionErrorTitle} from '@hyperscope/machine';
import type {StepResult} from '../../host/host-program.js';
import {guestEventName} from '../guest-event-name.js';
import {KVM_EXIT} from '../kvm-exit-codes.js';
import {interruptAllowed} from '../kvm-interrupts.js';
import {EVENT_VALID, eventOf} from './event-information.js';
import {switchToHost} from './switched-msrs.js';
import {updateTprThreshold} from './tpr-shadow.js';
import type {VmxHardware} from './vmx-hardware.js';

const ENTRY_FAILURE = 1n << 31n;
const NMI_TYPE = 2n;
const BLOCKING_BY_NMI = 8n;

export function runGuest(hardware: VmxHardware): StepResult {
  const {host, vmx} = hardware;
  const {registers} = host.machine;
  const here = registers.get('RIP');
  const how = host.vcpu.get('launched') === 1n ? 'VMRESUME' : 'VMLAUNCH';
  const rip = vmx.vmread('GUEST_RIP');
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') registers.set(name, host.vcpu.register(name));
  registers.set('CR2', host.vcpu.get('cr2'));
  updateTprThreshold(hardware);
  const {wrongField} = host.options;
  if (wrongField !== undefined && how === 'VMLAUNCH') vmx.vmwrite(wrongField.field, wrongField.value);
  vmx.enter(how);
  if (registers.get('RIP') === here && registers.get('VMX_OPERATION') === 1n)
    return {say: `${how} failed: ${vmx.outcome}`, go: 'vmx_vcpu_run+1'};
  host.vcpu.set('launched', 1n);
  return {
    say: `the guest’s general registers into the processor, then ${how}: on to guest RIP ${hex(rip)}`,
    go: 'processor',
  };
}

export function failedEntry(hardware: VmxHardware): StepResult {
  const error = hardware.vmx.vmread('VM_INSTRUCTION_ERROR');
  switchToHost(hardware, 'keep the guest’s');
  failEntry(hardware, error);
  return {
    say: `read VM_INSTRUCTION_ERROR: ${error}, ${vmInstructionErrorTitle(Number(error))}`,
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

function failEntry({host}: VmxHardware, reason: bigint): void {
  host.vcpu.exitReason = KVM_EXIT.FAIL_ENTRY;
  host.vcpu.unionWord = reason;
}

export function saveGuest(hardware: VmxHardware): StepResult {
  const {vcpu, machine} = hardware.host;
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') vcpu.setRegister(name, machine.registers.get(name));
  vcpu.set('cr2', machine.registers.get('CR2'));
  switchToHost(hardware, 'take the guest’s');
  return {
    say: 'the processor is back at HOST_RIP, in ring 0; the guest’s general registers go to kvm_vcpu.regs',
    go: 'vmx_handle_exit',
  };
}

/** The handler for an exit reason, given its number. */
export const dispatch =
  (handlerOf: (reason: number) => string) =>
  (hardware: VmxHardware): StepResult => {
    const {host, vmx} = hardware;
    const reason = vmx.vmread('EXIT_REASON');
    host.vcpu.set('exit_reason', reason);
    if (hardware.mmu === 'shadow') forgetEmulation(hardware);
    const number = Number(bits(reason, 15, 0));
    if ((reason & ENTRY_FAILURE) !== 0n) {
      failEntry(hardware, reason);
      host.handled(
        'user-space',
        'a VM entry that failed on the guest’s state cannot be repaired here: KVM_EXIT_FAIL_ENTRY',
      );
      return {
        say: `read EXIT_REASON: ${hex(reason)}, bit 31 set: ${exitReasonTitle(number)}`,
        go: 'kvm_arch_vcpu_ioctl_run+1',
      };
    }
    const again = reinject(hardware);
    return {say: `read EXIT_REASON: ${number}, ${exitReasonTitle(number)}${again}`, go: handlerOf(number)};
  };

/**
 * What was left of an instruction that the emulator handed over; and blocking by NMI, of which without virtual NMIs only the
 * guest's next readiness for interrupts tells the end (Linux, soft_vnmi_blocked).
 */
function forgetEmulation({host}: VmxHardware): void {
  if (host.vcpu.get('emulated_length') !== 0n) host.vcpu.set('emulated_length', 0n);
  if (host.vcpu.get('nmi_masked') !== 0n && interruptAllowed(host)) host.vcpu.set('nmi_masked', 0n);
}

/** An exit in the middle of an event's delivery: the event has to be injected again (Linux, __vmx_complete_interrupts). */
function reinject({vmx, isInRealMode}: VmxHardware): string {
  const information = vmx.vmread('IDT_VECTORING_INFORMATION');
  if ((information & EVENT_VALID) === 0n) return '';
  // Other events of a guest in real mode KVM delivers itself; and an injected INT n would go through an IDT.
  if (isInRealMode) return '; it interrupted an INT n, at which RIP still is: the guest will execute it again';
  vmx.vmwrite('VM_ENTRY_INTERRUPTION_INFORMATION', information & ~(1n << 12n));
  // SDM vol. 3C, "Information for VM Exits During Event Delivery": an NMI that was not delivered must not block itself.
  if (bits(information, 10, 8) === NMI_TYPE) {
    const state = vmx.vmread('GUEST_INTERRUPTIBILITY_STATE');
    vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', state & ~BLOCKING_BY_NMI);
  }
  if ((information & (1n << 11n)) !== 0n)
    vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', vmx.vmread('IDT_VECTORING_ERROR_CODE'));
  vmx.vmwrite('VM_ENTRY_INSTRUCTION_LENGTH', vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH'));
  const event = eventOf(
    information,
    () => 0n,
    () => 0n,
  );
  const name = event === undefined ? '' : guestEventName(event);
  return `; it interrupted the delivery of ${name}, which the next VM entry will repeat`;
}
