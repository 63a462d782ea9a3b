// QEMU's role: the process in ring 3 that owns the virtual machine's devices and calls KVM_RUN in a loop.
// Routine names: QEMU, accel/kvm/kvm-all.c, target/i386/kvm/kvm.c, hw/char/serial.c.

import {gpa, hex} from '@hyperscope/base';
import type {VmExit} from '../virtual-machine.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {QEMU_DEVICE_ROUTINES, beforeRun} from './qemu-devices.js';
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
    case KVM_EXIT.MMIO: {
      const {direction, gpa: address, bytes, value} = vcpu.mmio;
      const data = new Uint8Array(8);
      new DataView(data.buffer).setBigUint64(0, value, true);
      return {reason: 'mmio', direction, gpa: gpa(address), data: data.subarray(0, bytes)};
    }
    case KVM_EXIT.IRQ_WINDOW_OPEN:
      return {reason: 'irq-window-open'};
    case KVM_EXIT.SET_TPR:
      return {reason: 'set-tpr'};
    case KVM_EXIT.INTR:
      return {reason: 'interrupted'};
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
    case 'mmio':
      return {
        say: `kvm_run.exit_reason: 6, KVM_EXIT_MMIO: ${exit.direction} of ${exit.data.length} ${exit.data.length === 1 ? 'byte' : 'bytes'} at GPA ${hex(exit.gpa)}`,
        go: 'address_space_rw',
      };
    case 'irq-window-open':
    case 'set-tpr':
      return {
        say: `kvm_run.exit_reason: ${host.vcpu.exitReason}, ${exit.reason === 'set-tpr' ? 'KVM_EXIT_SET_TPR' : 'KVM_EXIT_IRQ_WINDOW_OPEN'}: an interrupt that waited may go now`,
        go: 'kvm_cpu_exec',
      };
    case 'interrupted':
      return {say: 'KVM_RUN returned −EINTR: something else has to be done first', go: 'kvm_cpu_exec'};
    case 'hlt':
      host.vcpu.set('cpu_halted', 1n);
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
  const reset = host.devices.chipset.outcome;
  if (reset !== undefined) host.finish(reset);
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

/** The device at a guest-physical address, through QEMU's memory regions. */
function accessMemory(host: Host): StepResult {
  const exit = readKvmRun(host);
  if (exit.reason !== 'mmio') return {say: 'no memory access to do', go: 'kvm_cpu_exec'};
  const region = host.board.regionAt(exit.gpa);
  const name = region?.name ?? (host.slotAt(exit.gpa) === undefined ? 'nothing answers there' : 'read-only memory');
  const done = host.board.handleExit(exit);
  if (done !== 'continue') host.finish(done);
  let value = 0n;
  for (const byte of exit.data.toReversed()) value = (value << 8n) | BigInt(byte);
  const digits = 2 * exit.data.length;
  if (exit.direction === 'write') {
    const lost = region === undefined ? ', and is lost' : '';
    return {say: `${name}: ${hex(value, digits)} is written to GPA ${hex(exit.gpa)}${lost}`, go: 'kvm_cpu_exec'};
  }
  host.vcpu.mmio = {...host.vcpu.mmio, value};
  return {say: `${name}: GPA ${hex(exit.gpa)} reads ${hex(value, digits)}, put into kvm_run`, go: 'kvm_cpu_exec'};
}

const printable = (value: number): string => (value >= 0x20 && value < 0x7f ? ` “${String.fromCharCode(value)}”` : '');

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
    host => ({
      say: 'the virtual machine has a file descriptor',
      go: host.devices.place === 'kernel' ? 'kvm_irqchip_create' : 'kvm_set_user_memory_region',
    }),
  ),
  user(
    'kvm_set_user_memory_region',
    ioctl(
      'KVM_SET_USER_MEMORY_REGION',
      'ioctl(KVM_SET_USER_MEMORY_REGION): this process’s memory becomes the guest’s RAM',
    ),
    () => ({say: 'the guest has memory', go: 'kvm_init_vcpu'}),
  ),
  user(
    'kvm_irqchip_create',
    ioctl('KVM_CREATE_IRQCHIP', 'ioctl(KVM_CREATE_IRQCHIP): PIC, IOAPIC and local APIC are to be KVM’s'),
    ioctl('KVM_CREATE_PIT2', 'ioctl(KVM_CREATE_PIT2): the PIT too, for its interrupts are the most frequent'),
    () => ({say: 'interrupts need not come here any more', go: 'kvm_set_user_memory_region'}),
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
  user(
    'kvm_cpu_exec',
    host => beforeRun(host) ?? ioctl('KVM_RUN', 'ioctl(KVM_RUN): run the guest until this process is needed')(host),
    readExit,
    stop,
  ),
  user('kvm_handle_io', handleIo),
  user('address_space_rw', accessMemory),
  ...QEMU_DEVICE_ROUTINES,
  user('qemu_system_reset_request', resetRequest),
];
