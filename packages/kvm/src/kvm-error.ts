// What a refused ioctl means, in words and with what to do. The addon throws {code, errno, syscall}; here it becomes a
// UserError. The causes are those of Documentation/virt/kvm/api.rst and of what hosts were seen to answer.

import {UserError} from '@hyperscope/base';
import type {NativeError} from '@hyperscope/native';

/** Whether an exception came from a system call of the addon. */
export function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'code' in error && 'errno' in error && 'syscall' in error;
}

const CAUSES: Readonly<Record<string, string>> = {
  'KVM_SET_USER_MEMORY_REGION EEXIST': 'the region overlaps another slot: delete that one first',
  'KVM_SET_USER_MEMORY_REGION EINVAL':
    'address and size must be multiples of 4096, and a live slot can only be deleted or moved',
  'KVM_SET_SREGS EINVAL':
    'the control registers contradict each other: PG needs PE, long mode needs PAE, LME with PG needs LMA, reserved bits must be 0',
  'KVM_SET_SREGS2 EINVAL': 'the control registers contradict each other, or a flag is set that this KVM does not know',
  'KVM_SET_MP_STATE EINVAL': 'the state is none, or needs an interrupt controller in the kernel',
  'KVM_X86_SET_MSR_FILTER EINVAL': 'a range is too long, has no access to filter, or would filter the x2APIC’s MSRs',
  'KVM_REGISTER_COALESCED_MMIO ENOSPC': 'this KVM keeps no more stretches apart',
  'KVM_UNREGISTER_COALESCED_MMIO EINVAL': 'the space is neither memory nor ports',
  'KVM_IOEVENTFD EEXIST': 'there already is an eventfd for this address and value',
  'KVM_IOEVENTFD EINVAL': 'the length must be 1, 2, 4 or 8 bytes, or 0 for any',
  'perf_event_open EACCES':
    'tracing is for root or CAP_PERFMON: start as root, or lower /proc/sys/kernel/perf_event_paranoid to -1',
  'perf_event_open EPERM':
    'tracing is for root or CAP_PERFMON: start as root, or lower /proc/sys/kernel/perf_event_paranoid to -1',
  'perf_event_open EINVAL': 'there is no tracepoint with this number',
  'KVM_CREATE_VM EINVAL': 'this KVM does not have virtual machines of this type: 0 is the ordinary one',
  'KVM_SET_IDENTITY_MAP_ADDR EINVAL': 'the page must be chosen before the first vCPU, and there is one already',
  'KVM_SET_XSAVE EINVAL': 'a component is marked as present that this processor, or XCR0, does not have',
  'KVM_SET_VCPU_EVENTS EINVAL': 'an exception is a number from 0 to 31, and not the NMI',
  'KVM_GET_MSRS E2BIG': 'KVM takes 255 MSRs at a time',
  'KVM_SET_MSRS E2BIG': 'KVM takes 255 MSRs at a time',
  'an ioeventfd that is not assigned ENOENT':
    'there is no ioeventfd with this number: it was never assigned, or is no longer',
  'KVM_SET_CPUID2 EINVAL': 'CPUID cannot change once the vCPU has run',
  'KVM_SET_CPUID2 E2BIG': 'there are too many CPUID entries: KVM takes 256',
  'KVM_SET_XCRS EINVAL': 'XCR0 bit 0 must be set, and the others must exist on this processor',
  'KVM_SET_DEBUGREGS EINVAL': 'the upper halves of DR6 and DR7 must be 0',
  'KVM_SET_TSS_ADDR EINVAL': 'the address must leave room for three pages below 4 GiB',
  'KVM_CREATE_VCPU EEXIST': 'there already is a vCPU with this number',
  'KVM_CREATE_VCPU EINVAL': 'the number is too high for this KVM',
  'KVM_GET_DIRTY_LOG ENOENT': 'the slot does not exist or has no KVM_MEM_LOG_DIRTY_PAGES',
  'KVM_ENABLE_CAP EINVAL': 'this KVM does not have the capability, or not with this argument',
  'KVM_IRQ_LINE ENXIO': 'the VM has no interrupt controller: create one first',
  'KVM_CREATE_IRQCHIP EEXIST': 'the VM already has an interrupt controller',
  'KVM_CREATE_IRQCHIP EINVAL': 'the interrupt controller must be created before the first vCPU',
  'KVM_CREATE_PIT2 EEXIST': 'the VM already has a timer',
  'KVM_CREATE_PIT2 ENOENT': 'the timer needs an interrupt controller: create one first',
  'KVM_INTERRUPT EINVAL': 'a vector is a number from 0 to 255',
  'KVM_INTERRUPT ENXIO': 'the VM has an interrupt controller of its own: use its lines',
  'KVM_INTERRUPT EEXIST': 'an interrupt is already waiting to be injected',
  'KVM_RUN EFAULT': 'the guest touched memory that is given to it but not mapped in this process',
  'KVM_RUN EINVAL': 'the guest state or kvm_run is not valid',
  'KVM_CREATE_VM ENOMEM': 'the machine is out of memory: close other virtual machines',
  'mmap ENOMEM': "there is no room for the guest's memory: choose less with --memory",
};

const GENERAL: Readonly<Record<string, string>> = {
  EIO: 'the VM belongs to another process: a forked child must make its own',
  EBUSY: 'the vCPU is running: wait for its exit or kick it',
  EBADF: 'it was closed',
  EMFILE: 'this process has too many open files: raise the limit with ulimit -n',
  ENFILE: 'the machine has too many open files',
  ENOMEM: 'the machine is out of memory',
  ENOTTY: 'this KVM does not know the call',
};

/** A refused system call as a UserError with the errno's name as its code; any other exception as it is. */
export function explainKvmError(error: unknown): unknown {
  if (!isNativeError(error)) return error;
  const cause = CAUSES[`${error.syscall} ${error.code}`] ?? GENERAL[error.code] ?? error.message;
  const explained = new UserError(error.code, `${error.syscall} failed (${error.code}): ${cause}.`);
  explained.cause = error;
  return explained;
}

/** Runs `call`, turning what the addon throws into a UserError. */
export function explained<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw explainKvmError(error);
  }
}
