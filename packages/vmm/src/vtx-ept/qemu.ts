// QEMU's role: the process in ring 3 that owns the virtual machine's devices and calls KVM_RUN in a loop.
// Routine names: QEMU, accel/kvm/kvm-all.c, target/i386/kvm/kvm.c, hw/char/serial.c.

import {hex} from '@hyperscope/base';
import type {VmExit} from '../virtual-machine.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from './host-program.js';
import {callKernel} from './system-calls.js';
import type {Ioctl} from './system-calls.js';

/** A step that makes an ioctl and comes back to the next step. */
const ioctl =
  (name: Ioctl, say: string) =>
  (host: Host): StepResult => {
    callKernel(host, name, host.machine.registers.get('RIP') + 0x10n);
    return {say, go: 'processor'};
  };

/** kvm_run as a value: what the device board takes. */
function readKvmRun(host: Host): VmExit {
  const {vcpu} = host;
  switch (vcpu.exitReason) {
    case KVM_EXIT.IO: {
      const {direction, bytes, port} = vcpu.io;
      const data = new Uint8Array(4);
      new DataView(data.buffer).setUint32(0, Number(vcpu.ioData), true);
      return {
        reason: 'io',
        direction,
        port,
        width: bytes === 4 ? 32 : bytes === 2 ? 16 : 8,
        count: 1,
        data: data.subarray(0, bytes),
      };
    }
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

function readExit(host: Host): StepResult {
  const exit = readKvmRun(host);
  host.tell({kind: 'kvm-exit', exit});
  switch (exit.reason) {
    case 'io':
      return {
        say: `kvm_run.exit_reason: 2, KVM_EXIT_IO: ${exit.direction} of ${exit.width} bits at port ${hex(exit.port)}`,
        go: 'kvm_handle_io',
      };
    case 'hlt':
      return {say: 'kvm_run.exit_reason: 5, KVM_EXIT_HLT', go: 'qemu_wait_io_event'};
    case 'shutdown':
      return {say: 'kvm_run.exit_reason: 8, KVM_EXIT_SHUTDOWN: a triple fault', go: 'qemu_system_reset_request'};
    default:
      return {
        say: `kvm_run.exit_reason: ${host.vcpu.exitReason}: this virtual machine cannot go on`,
        go: 'kvm_cpu_exec+2',
      };
  }
}

function stop(host: Host): StepResult {
  const done = host.unsupported ?? host.board.handleExit(readKvmRun(host));
  if (done !== 'continue') host.finish(done);
  return {say: 'QEMU stops the virtual machine', go: 'kvm_cpu_exec+2'};
}

function handleIo(host: Host): StepResult {
  const exit = readKvmRun(host);
  if (exit.reason !== 'io') return {say: 'no I/O to do', go: 'kvm_cpu_exec'};
  const device = host.board.ports.deviceAt(exit.port);
  const value = Number(host.vcpu.ioData);
  const done = host.board.handleExit(exit);
  if (done !== 'continue') host.finish(done);
  const name =
    device === undefined
      ? 'nothing answers at this port'
      : `${device.name}_ioport_${exit.direction === 'out' ? 'write' : 'read'}`;
  if (exit.direction === 'out')
    return {
      say: `${name}: ${hex(value, exit.width / 4)}${printable(value)} to port ${hex(exit.port)}`,
      go: 'kvm_cpu_exec',
    };
  let read = 0n;
  for (const byte of [...exit.data].reverse()) read = (read << 8n) | BigInt(byte);
  host.vcpu.ioData = read;
  return {
    say: `${name}: port ${hex(exit.port)} gives ${hex(read, exit.width / 4)}, put into kvm_run for KVM to deliver`,
    go: 'kvm_cpu_exec',
  };
}

const printable = (value: number): string => (value >= 0x20 && value < 0x7f ? ` “${String.fromCharCode(value)}”` : '');

function waitForEvent(host: Host): StepResult {
  host.finish({kind: 'halted'});
  return {
    say: 'the guest has halted, and no device has an interrupt for it: the run is over',
    go: 'qemu_wait_io_event',
  };
}

function resetRequest(host: Host): StepResult {
  host.finish({kind: 'triple-fault', chain: host.lastFaultChain});
  return {
    say: 'a real machine would reset now; this one stops, so that the chain of faults can be read',
    go: 'qemu_system_reset_request',
  };
}

const user = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({name, actor: 'vmm', steps});

export const QEMU_ROUTINES: readonly HostRoutine<Host>[] = [
  user(
    'kvm_init',
    ioctl('KVM_CREATE_VM', 'open("/dev/kvm"), then ioctl(KVM_CREATE_VM): a new virtual machine'),
    () => ({say: 'the virtual machine has a file descriptor', go: 'kvm_set_user_memory_region'}),
  ),
  user(
    'kvm_set_user_memory_region',
    ioctl(
      'KVM_SET_USER_MEMORY_REGION',
      'ioctl(KVM_SET_USER_MEMORY_REGION): this process’s memory becomes the guest’s RAM',
    ),
    () => ({say: 'the guest has memory', go: 'kvm_init_vcpu'}),
  ),
  user('kvm_init_vcpu', ioctl('KVM_CREATE_VCPU', 'ioctl(KVM_CREATE_VCPU): one virtual processor'), () => ({
    say: 'kvm_run is mapped',
    go: 'kvm_arch_put_registers',
  })),
  user(
    'kvm_arch_put_registers',
    ioctl('KVM_SET_SREGS', 'ioctl(KVM_SET_SREGS): control registers and segments as the loader wants them'),
    ioctl('KVM_SET_REGS', 'ioctl(KVM_SET_REGS): general registers, RIP and RFLAGS'),
    () => ({say: 'the vCPU is ready to run', go: 'kvm_cpu_exec'}),
  ),
  user('kvm_cpu_exec', ioctl('KVM_RUN', 'ioctl(KVM_RUN): run the guest until this process is needed'), readExit, stop),
  user('kvm_handle_io', handleIo),
  user('qemu_wait_io_event', waitForEvent),
  user('qemu_system_reset_request', resetRequest),
];
