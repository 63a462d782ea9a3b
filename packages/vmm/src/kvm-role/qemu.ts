// QEMU's role: the process in ring 3 that owns the virtual machine's devices and calls KVM_RUN in a loop.
// Routine names: QEMU, accel/kvm/kvm-all.c, target/i386/kvm/kvm.c, hw/char/serial.c.

import {hex} from '@hyperscope/base';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {isSingleStepping} from './guest-debug.js';
import {QEMU_DEVICE_ROUTINES, beforeRun, kick} from './qemu-devices.js';
import {readKvmRun} from './qemu-exit.js';
import {ioctl} from './qemu-ioctl.js';
import {QEMU_MEMORY_ROUTINES} from './qemu-memory.js';

function readExit(host: Host): StepResult {
  if (host.vcpu.get('run_error') !== 0n) {
    host.finish({
      kind: 'error',
      message: 'KVM_RUN failed with ENOSPC: without a memory slot KVM makes no shadow page.',
    });
    return {say: 'error: kvm run failed: No space left on device', go: 'kvm_cpu_exec+2'};
  }
  const noted = host.coalescedWrites.count;
  if (noted > 0)
    return {
      say: `KVM has noted down ${noted} ${noted === 1 ? 'write' : 'writes'} in the third page of kvm_run: they came first`,
      go: 'kvm_flush_coalesced_mmio_buffer',
    };
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
    case 'hypercall':
      return {
        say: `kvm_run.exit_reason: 3, KVM_EXIT_HYPERCALL: number ${hex(exit.number)}`,
        go: 'kvm_handle_hypercall',
      };
    case 'irq-window-open':
    case 'set-tpr':
      return {
        say: `kvm_run.exit_reason: ${host.vcpu.exitReason}, ${exit.reason === 'set-tpr' ? 'KVM_EXIT_SET_TPR' : 'KVM_EXIT_IRQ_WINDOW_OPEN'}: an interrupt that waited may go now`,
        go: 'kvm_cpu_exec',
      };
    case 'debug':
      return {say: `kvm_run.exit_reason: 4, KVM_EXIT_DEBUG: one instruction was executed`, go: 'gdb_handlesig'};
    case 'interrupted':
      host.vcpu.set('signal_pending', 0n);
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
  host.vcpu.ioElements = exit.data;
  const gave =
    exit.count > 1 ? `${exit.count} elements` : hex(BigInt.asUintN(exit.width, host.vcpu.ioData), exit.width / 4);
  return {
    say: `${name}: port ${hex(exit.port)} gives ${gave}, put into kvm_run for KVM to deliver`,
    go: 'kvm_cpu_exec',
  };
}

/** The consoles that the guest asks by a hypercall: the bytes are read out of its memory, which is this process's own. */
function handleHypercall(host: Host): StepResult {
  const exit = readKvmRun(host);
  if (exit.reason !== 'hypercall') return {say: 'no hypercall to answer', go: 'kvm_cpu_exec'};
  const done = host.board.handleExit(exit);
  if (done !== 'continue') host.finish(done);
  const result = new DataView(exit.data.buffer).getBigInt64(0, true);
  host.vcpu.hypercallResult = BigInt.asUintN(64, result);
  return {
    say: `paravirtual-console: ${exit.args[1] ?? 0n} bytes at GPA ${hex(exit.args[0] ?? 0n)}: kvm_run.hypercall.ret ← ${result}`,
    go: 'kvm_cpu_exec',
  };
}

const printable = (value: number): string => (value >= 0x20 && value < 0x7f ? ` “${String.fromCharCode(value)}”` : '');

function resetRequest(host: Host): StepResult {
  host.finish({kind: 'triple-fault', chain: host.lastFaultChain});
  return {
    say: 'a real machine would reset now; this one stops, so that the chain of faults can be read',
    go: 'qemu_system_reset_request',
  };
}

const afterMemory = (host: Host): string =>
  host.coalescedZone === undefined ? 'kvm_init_vcpu' : 'kvm_coalesce_mmio_region';
/** Memory for the guest, unless it is to be forgotten. */
const memoryRegion = (host: Host): string =>
  host.options.faults.has('no-memory-region') ? afterMemory(host) : 'kvm_set_user_memory_region';
const firstRun = (host: Host): string => (isSingleStepping(host) ? 'kvm_update_guest_debug' : 'kvm_cpu_exec');

const user = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({name, actor: 'vmm', steps});

export const QEMU_ROUTINES: readonly HostRoutine<Host>[] = [
  user(
    'kvm_init',
    ioctl('KVM_CREATE_VM', 'open("/dev/kvm"), then ioctl(KVM_CREATE_VM): a new virtual machine'),
    host => ({
      say: 'the virtual machine has a file descriptor',
      go: host.devices.place === 'kernel' ? 'kvm_irqchip_create' : memoryRegion(host),
    }),
  ),
  user(
    'kvm_set_user_memory_region',
    ioctl(
      'KVM_SET_USER_MEMORY_REGION',
      'ioctl(KVM_SET_USER_MEMORY_REGION): this process’s memory becomes the guest’s RAM',
    ),
    host => ({
      say: 'the guest has memory',
      go: afterMemory(host),
    }),
  ),
  user(
    'kvm_irqchip_create',
    ioctl('KVM_CREATE_IRQCHIP', 'ioctl(KVM_CREATE_IRQCHIP): PIC, IOAPIC and local APIC are to be KVM’s'),
    ioctl('KVM_CREATE_PIT2', 'ioctl(KVM_CREATE_PIT2): the PIT too, for its interrupts are the most frequent'),
    host => ({say: 'interrupts need not come here any more', go: memoryRegion(host)}),
  ),
  user('kvm_init_vcpu', ioctl('KVM_CREATE_VCPU', 'ioctl(KVM_CREATE_VCPU): one virtual processor'), host => ({
    say: 'kvm_run is mapped',
    go: host.options.faults.has('no-registers') ? firstRun(host) : 'kvm_arch_put_registers',
  })),
  user(
    'kvm_arch_put_registers',
    ioctl('KVM_SET_SREGS', 'ioctl(KVM_SET_SREGS): control registers and segments as the loader wants them'),
    ioctl('KVM_SET_REGS', 'ioctl(KVM_SET_REGS): general registers, RIP and RFLAGS'),
    host => ({say: 'the vCPU is ready to run', go: firstRun(host)}),
  ),
  user(
    'kvm_cpu_exec',
    host =>
      kick(host) ??
      beforeRun(host) ??
      ioctl('KVM_RUN', 'ioctl(KVM_RUN): run the guest until this process is needed')(host),
    readExit,
    stop,
  ),
  user('kvm_handle_io', handleIo),
  ...QEMU_MEMORY_ROUTINES,
  user('kvm_handle_hypercall', handleHypercall),
  ...QEMU_DEVICE_ROUTINES,
  user('qemu_system_reset_request', resetRequest),
];
