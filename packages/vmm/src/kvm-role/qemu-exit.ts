// What KVM_RUN came back with: kvm_run in memory as a value, which the device board takes.
// Documentation/virt/kvm/api.rst, "The kvm_run structure".

import {gpa} from '@hyperscope/base';
import type {VmExit} from '../virtual-machine.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';

/** The exit that KVM_RUN has just reported. An 'in', a 'read' or a hypercall has its data still to be filled. */
export function readKvmRun(host: Host): VmExit {
  const {vcpu} = host;
  switch (vcpu.exitReason) {
    case KVM_EXIT.IO: {
      const {direction, bytes, port, count} = vcpu.io;
      return {
        reason: 'io',
        direction,
        port,
        width: bytes === 4 ? 32 : bytes === 2 ? 16 : 8,
        count,
        data: vcpu.ioElements,
      };
    }
    case KVM_EXIT.MMIO: {
      const {direction, gpa: address, bytes, value} = vcpu.mmio;
      const data = new Uint8Array(8);
      new DataView(data.buffer).setBigUint64(0, value, true);
      return {reason: 'mmio', direction, gpa: gpa(address), data: data.subarray(0, bytes)};
    }
    case KVM_EXIT.HYPERCALL:
      return {reason: 'hypercall', ...vcpu.hypercall, data: new Uint8Array(8)};
    case KVM_EXIT.IRQ_WINDOW_OPEN:
      return {reason: 'irq-window-open'};
    case KVM_EXIT.SET_TPR:
      return {reason: 'set-tpr'};
    case KVM_EXIT.INTR:
      return {reason: 'interrupted'};
    case KVM_EXIT.DEBUG:
      return {reason: 'debug', ...vcpu.debug};
    case KVM_EXIT.HLT:
      return {reason: 'hlt'};
    case KVM_EXIT.SHUTDOWN:
      return {reason: 'shutdown'};
    case KVM_EXIT.FAIL_ENTRY:
      return {reason: 'fail-entry', hardwareReason: vcpu.unionWord};
    case KVM_EXIT.INTERNAL_ERROR:
      return {reason: 'internal-error', suberror: Number(vcpu.unionWord & 0xffff_ffffn), instruction: undefined};
    default:
      return {reason: 'unknown', code: vcpu.exitReason};
  }
}
