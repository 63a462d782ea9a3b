// KVM_EXIT_* in words: what ioctl(KVM_RUN) came back with, and what user space now has to do.
// Documentation/virt/kvm/api.rst, "The kvm_run structure".

import {assertUnreachable, hex, hexBytes} from '@hyperscope/base';
import type {VmExit} from '@hyperscope/vmm';
import {portName} from './port-names.js';

/** The constant of linux/kvm.h; KVM_RUN's EINTR has none. */
export function kvmExitName(exit: VmExit): string {
  switch (exit.reason) {
    case 'io':
      return 'KVM_EXIT_IO';
    case 'mmio':
      return 'KVM_EXIT_MMIO';
    case 'hlt':
      return 'KVM_EXIT_HLT';
    case 'hypercall':
      return 'KVM_EXIT_HYPERCALL';
    case 'shutdown':
      return 'KVM_EXIT_SHUTDOWN';
    case 'debug':
      return 'KVM_EXIT_DEBUG';
    case 'irq-window-open':
      return 'KVM_EXIT_IRQ_WINDOW_OPEN';
    case 'set-tpr':
      return 'KVM_EXIT_SET_TPR';
    case 'rdmsr':
      return 'KVM_EXIT_X86_RDMSR';
    case 'wrmsr':
      return 'KVM_EXIT_X86_WRMSR';
    case 'fail-entry':
      return 'KVM_EXIT_FAIL_ENTRY';
    case 'internal-error':
      return 'KVM_EXIT_INTERNAL_ERROR';
    case 'interrupted':
      return 'EINTR';
    case 'unknown':
      return `KVM exit ${exit.code}`;
    default:
      return assertUnreachable(exit);
  }
}

/** What it was about: 'out 0x48 to port 0x3f8, 1 byte'. */
export function kvmExitDetail(exit: VmExit): string {
  switch (exit.reason) {
    case 'io': {
      const owner = portName(exit.port);
      const data = exit.direction === 'out' ? ` ${dataText(exit.data)}` : '';
      return `${exit.direction}${data}, port ${hex(exit.port)}${owner === undefined ? '' : ` (${owner})`}, ${exit.count} × ${exit.width} bits`;
    }
    case 'mmio':
      return `${exit.direction} of ${exit.data.length} bytes at guest-physical ${hex(exit.gpa)}${exit.direction === 'write' ? `: ${bytesText(exit.data)}` : ''}`;
    case 'debug':
      return `exception ${exit.exception} at ${hex(exit.pc)}, DR6 ${hex(exit.dr6)}`;
    case 'rdmsr':
      return `MSR ${hex(exit.index)} (${exit.cause})`;
    case 'wrmsr':
      return `MSR ${hex(exit.index)} ← ${hex(exit.value)} (${exit.cause})`;
    case 'fail-entry':
      return `hardware entry-failure reason ${hex(exit.hardwareReason)}`;
    case 'internal-error':
      return `suberror ${exit.suberror}${exit.instruction === undefined ? '' : `, instruction bytes ${bytesText(exit.instruction)}`}`;
    case 'hlt':
      return 'the guest halted';
    case 'hypercall':
      return `hypercall ${hex(exit.number)} with ${exit.args.map(value => hex(value)).join(', ')}`;
    case 'shutdown':
      return 'a triple fault';
    case 'irq-window-open':
      return 'the guest can take an interrupt now';
    case 'set-tpr':
      return 'the guest lowered its task priority (CR8)';
    case 'interrupted':
      return 'KVM_RUN was kicked';
    case 'unknown':
      return `a reason that this program does not know: ${exit.code}`;
    default:
      return assertUnreachable(exit);
  }
}

/** What user space does about it. */
export function kvmExitDuty(exit: VmExit): string {
  switch (exit.reason) {
    case 'io':
      return exit.direction === 'out'
        ? 'The user-space VMM gives the bytes to the device at that port and calls KVM_RUN again.'
        : 'The user-space VMM asks the device at that port, puts its answer into kvm_run and calls KVM_RUN again.';
    case 'mmio':
      return exit.direction === 'read'
        ? 'No memory slot covers the address, so the user-space VMM plays the device there: its answer goes into kvm_run, and KVM finishes the instruction with it.'
        : 'No writable memory slot covers the address, so the user-space VMM plays the device there; a write to read-only memory is lost.';
    case 'hlt':
      return 'KVM has no interrupt controller that could wake the guest, so the user-space VMM decides what to wait for.';
    case 'hypercall':
      return 'The user-space VMM does what the guest asks for, puts the result into kvm_run and calls KVM_RUN again.';
    case 'shutdown':
      return 'The guest cannot go on: the user-space VMM resets or ends it.';
    case 'debug':
      return 'The user-space VMM asked for this stop with KVM_SET_GUEST_DEBUG.';
    case 'irq-window-open':
      return 'The user-space VMM asked to be told, and may inject its interrupt.';
    case 'set-tpr':
      return 'The local APIC is in user space, so the user-space VMM looks whether an interrupt that waited may go now.';
    case 'rdmsr':
    case 'wrmsr':
      return 'The user-space VMM asked to answer for this MSR.';
    case 'fail-entry':
      return 'The processor refused the VM entry; the user-space VMM cannot repair that.';
    case 'internal-error':
      return 'KVM could not emulate the instruction; the user-space VMM usually gives up here.';
    case 'interrupted':
      return 'KVM_RUN was left so that the user-space VMM can do something else first: a signal, a timer of its own, or a limit.';
    case 'unknown':
      return 'The user-space VMM has no rule for it.';
    default:
      return assertUnreachable(exit);
  }
}

/** One byte as a number and a letter, more as bytes: `0x48 (“H”)`. */
function dataText(data: Uint8Array): string {
  const [byte = 0] = data;
  if (data.length !== 1) return bytesText(data);
  return `${hex(byte, 2)}${byte >= 0x20 && byte < 0x7f ? ` (“${String.fromCharCode(byte)}”)` : ''}`;
}

/** `48 65`; long data is cut. */
export function bytesText(bytes: Uint8Array): string {
  const shown = hexBytes(bytes.subarray(0, 16));
  return bytes.length > 16 ? `${shown} …` : shown;
}
