// QEMU's devices between two calls of KVM_RUN: timers that are due, interrupt lines that have moved, interrupts that its own
// controllers have for the guest, and waiting while the guest is halted.
// QEMU, util/main-loop.c: main_loop_wait; accel/kvm/kvm-all.c: kvm_set_irq; target/i386/kvm/kvm.c: kvm_arch_pre_run;
// system/cpus.c: qemu_wait_io_event.

import {hex} from '@hyperscope/base';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {callKernel} from './system-calls.js';

const STEP = 0x10n;

/** Whether QEMU's own interrupt controller has something that the guest can be given now. */
const canInject = (host: Host): boolean =>
  host.devices.chipset.requested !== undefined && host.vcpu.get('ready_for_interrupt_injection') !== 0n;

function isWindowRequestStale(host: Host): boolean {
  const wanted = host.devices.chipset.requested !== undefined && !canInject(host);
  return wanted !== (host.vcpu.get('request_interrupt_window') !== 0n);
}

/** Another thread of the process wants this one's attention, once. QEMU, softmmu/cpus.c: cpus_kick_thread. */
export function kick({options, vcpu}: Host): StepResult | undefined {
  if (options.signal === undefined || vcpu.get('signal_sent') !== 0n) return undefined;
  vcpu.set('signal_sent', 1n);
  vcpu.set('signal_pending', 1n);
  return {
    say: 'another thread of QEMU kicks this one (pthread_kill, SIG_IPI): a signal is pending',
    go: 'kvm_cpu_exec',
  };
}

/** What QEMU has to do before it calls KVM_RUN again; undefined when nothing. */
export function beforeRun(host: Host): StepResult | undefined {
  const {devices} = host;
  if (devices.isUserTimerDue) return {say: 'a device’s timer is due: the main loop first', go: 'main_loop_wait'};
  if (!devices.lines.isEmpty) return {say: 'a device has moved its interrupt line', go: 'kvm_set_irq'};
  if (devices.place === 'user' && (canInject(host) || isWindowRequestStale(host)))
    return {say: 'QEMU’s interrupt controller has news for the guest', go: 'kvm_arch_pre_run'};
  return undefined;
}

function runTimers(host: Host): StepResult {
  const {devices} = host;
  const before = devices.chipset.requested;
  devices.userClock.run();
  const after = devices.chipset.requested;
  const change = devices.lines.first;
  const effect =
    change !== undefined
      ? `IRQ ${change.irq} ← ${change.level}`
      : after === undefined
        ? 'no interrupt for the guest comes of it'
        : after === before
          ? `interrupt ${hex(after, 2)} was waiting already`
          : `the interrupt controller asks for vector ${hex(after, 2)}`;
  return {
    say: `timerlist_run_timers: a device whose time is up acts: ${effect}`,
    go: host.vcpu.get('cpu_halted') !== 0n ? 'qemu_wait_io_event' : 'kvm_cpu_exec',
  };
}

function setIrq(host: Host): StepResult {
  const change = host.devices.lines.first;
  if (change === undefined) return {say: 'every line is as KVM knows it', go: 'kvm_cpu_exec'};
  callKernel(host, 'KVM_IRQ_LINE', host.machine.registers.get('RIP'));
  return {
    say: `ioctl(KVM_IRQ_LINE): IRQ ${change.irq} ← ${change.level}, for the controllers in the kernel`,
    go: 'processor',
  };
}

function preRun(host: Host): StepResult {
  const {chipset} = host.devices;
  const vector = chipset.requested;
  if (vector !== undefined && canInject(host)) {
    chipset.acknowledge();
    host.vcpu.set('ioctl_argument', BigInt(vector));
    host.vcpu.set('request_interrupt_window', 0n);
    callKernel(host, 'KVM_INTERRUPT', host.machine.registers.get('RIP') + STEP);
    return {
      say: `cpu_get_pic_interrupt: vector ${hex(vector, 2)}; the guest can take it now: ioctl(KVM_INTERRUPT)`,
      go: 'processor',
    };
  }
  host.vcpu.set('request_interrupt_window', vector === undefined ? 0n : 1n);
  return {
    say:
      vector === undefined
        ? 'kvm_run.request_interrupt_window ← 0: nothing waits any more'
        : `vector ${hex(vector, 2)} waits and the guest cannot take it: kvm_run.request_interrupt_window ← 1`,
    go: 'kvm_cpu_exec',
  };
}

/** Whether the guest is woken: an NMI, or an interrupt that RFLAGS.IF lets through. */
function waitForEvent(host: Host): StepResult {
  const {devices, vcpu} = host;
  const takes = devices.place === 'kernel' || vcpu.get('if_flag') !== 0n;
  if (devices.isUserTimerDue) return {say: 'a device’s timer is due', go: 'main_loop_wait'};
  if (vcpu.get('nmi_pending') !== 0n || (takes && devices.chipset.requested !== undefined)) {
    vcpu.set('cpu_halted', 0n);
    return {say: 'cpu_has_work: an event for the guest, which is halted no more', go: 'kvm_cpu_exec'};
  }
  const until = takes ? devices.nextWake : Infinity;
  if (until === Infinity) {
    host.finish({kind: 'halted'});
    return {
      say: 'the guest has halted, and no device has an interrupt for it: the run is over',
      go: 'qemu_wait_io_event',
    };
  }
  devices.sleepUntil(until);
  return {
    say: 'the vCPU thread sleeps (qemu_cond_wait) until a device’s time is up',
    go: 'qemu_wait_io_event',
  };
}

const user = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({name, actor: 'vmm', steps});

export const QEMU_DEVICE_ROUTINES: readonly HostRoutine<Host>[] = [
  user('main_loop_wait', runTimers),
  user('kvm_set_irq', setIrq),
  user('kvm_arch_pre_run', preRun, () => ({say: 'KVM has the vector', go: 'kvm_cpu_exec'})),
  user('qemu_wait_io_event', waitForEvent),
];
