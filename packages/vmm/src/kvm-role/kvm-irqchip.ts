// Interrupt controllers and PIT in the kernel, and the two ways in which user space brings an interrupt: a line of the
// in-kernel controllers, or a vector of its own. Linux, arch/x86/kvm/x86.c: kvm_arch_vm_ioctl, kvm_vcpu_ioctl_interrupt;
// arch/x86/kvm/i8254.c: kvm_create_pit.

import {hex} from '@hyperscope/base';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {PENDING} from './kvm-interrupts.js';
import {returnToUser} from './system-calls.js';
import type {Ioctl} from './system-calls.js';

function moveLine(host: Host): StepResult {
  const {lines, chipset} = host.devices;
  const before = chipset.requested;
  const change = lines.deliver();
  if (change === undefined) return {say: 'no line has moved'};
  const after = chipset.requested;
  const effect =
    after === before
      ? 'what they ask for does not change'
      : after === undefined
        ? 'they ask for nothing any more'
        : `they ask for vector ${hex(after, 2)}`;
  return {
    say: `IRQ ${change.irq} ← ${change.level} at the in-kernel PIC and IOAPIC: ${effect}`,
  };
}

function takeVector(host: Host): StepResult {
  const vector = host.vcpu.get('ioctl_argument');
  host.vcpu.set('pending_interrupt', vector | PENDING);
  host.vcpu.set('ready_for_interrupt_injection', 0n);
  return {say: `vector ${hex(vector, 2)} will be injected at the next VM entry`};
}

const done =
  (ioctl: Ioctl) =>
  (host: Host): StepResult => {
    returnToUser(host, ioctl, 0n, '0');
    return {say: 'returns 0', go: 'processor'};
  };

const kernel = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

export const IRQCHIP_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel(
    'kvm_vm_ioctl_create_irqchip',
    () => ({say: 'PIC, IOAPIC and a local APIC for the vCPU, inside KVM'}),
    done('KVM_CREATE_IRQCHIP'),
  ),
  kernel('kvm_create_pit', () => ({say: 'a PIT inside KVM, on a timer of the host'}), done('KVM_CREATE_PIT2')),
  kernel('kvm_vm_ioctl_irq_line', moveLine, done('KVM_IRQ_LINE')),
  kernel('kvm_vcpu_ioctl_interrupt', takeVector, done('KVM_INTERRUPT')),
];
