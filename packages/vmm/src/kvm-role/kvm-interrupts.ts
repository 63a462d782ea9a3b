// Interrupts for the guest. The host's timer interrupt takes the processor out of the guest; KVM runs its own timers; what
// an interrupt controller then asks for is injected at the next entry, or, where the guest cannot
// take it yet, KVM asks for an exit at the moment when it can.
// Linux, arch/x86/kvm/x86.c: kvm_check_and_inject_events, dm_request_for_irq_injection.

import {bit, hex} from '@hyperscope/base';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import {HOST_DEVICE_VECTOR} from './host-interrupt.js';
import {HOST_TIMER_VECTOR, RESCHEDULE_VECTOR} from './virtual-chipset.js';

const NMI_VECTOR = 2;
const IF = 9;
/** KVM_INTERRUPT keeps a vector with this bit. */
export const PENDING = 0x100n;

/** Whose ways of injecting an event will have to tell of. */
const hardwareOf = (host: Host): {readonly hardware?: 'SVM'} => (host.hardware.name === 'SVM' ? {hardware: 'SVM'} : {});

/** The interrupt that waits for the guest: from the controllers in the kernel, or handed over by KVM_INTERRUPT. */
function waiting(host: Host): number | undefined {
  if (host.devices.place === 'kernel') return host.devices.chipset.requested;
  const pending = host.vcpu.get('pending_interrupt');
  return pending === 0n ? undefined : Number(pending & 0xffn);
}

/** RFLAGS.IF = 1, and no blocking by STI or MOV SS. */
export function interruptAllowed(host: Host): boolean {
  if (!bit(host.hardware.get('RFLAGS'), IF)) return false;
  return host.hardware.get('INTERRUPT_SHADOW') === 0n;
}

function whyNot(host: Host): string {
  if (!bit(host.hardware.get('RFLAGS'), IF)) return 'the guest has RFLAGS.IF = 0';
  if (host.hardware.get('INTERRUPT_SHADOW') !== 0n) return 'STI or MOV SS still shields the next instruction';
  return 'another event is injected first';
}

/** Whether user space has to be told before the guest can go on: its timers, its lines, an interrupt it does not know of. */
export function whyUserSpace(host: Host): string | undefined {
  const {devices, vcpu} = host;
  if (devices.isUserTimerDue) return 'a timer of a device in user space is due';
  if (!devices.lines.isEmpty) return 'a device in user space has moved its interrupt line';
  if (devices.place === 'kernel' || vcpu.get('pending_interrupt') !== 0n) return undefined;
  if (devices.chipset.requested === undefined || vcpu.get('request_interrupt_window') !== 0n) return undefined;
  return 'the interrupt controller in user space has an interrupt for the guest';
}

/** KVM_RUN returns −EINTR: a signal is pending for the process. */
export function leaveForSignal(host: Host, why: string): StepResult {
  host.vcpu.exitReason = KVM_EXIT.INTR;
  return {say: `signal pending: ${why}, so KVM_RUN returns −EINTR`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

/** What has to happen before this VM entry, where something has; the entry follows when nothing is left. */
export function beforeEntry(host: Host): StepResult | undefined {
  const {devices, vcpu} = host;
  if (devices.isKernelTimerDue)
    return {say: 'the host’s timer interrupt has come while KVM ran: its handler first', go: 'hrtimer_interrupt'};
  const why = whyUserSpace(host);
  if (why !== undefined) return leaveForSignal(host, why);
  const wants = waiting(host) !== undefined || vcpu.get('request_interrupt_window') !== 0n;
  if (!wants && vcpu.get('nmi_pending') === 0n && vcpu.get('irq_window') === 0n) return undefined;
  return workLeft(host) ? {say: 'an event waits for the guest', go: 'kvm_check_and_inject_events'} : undefined;
}

function workLeft(host: Host): boolean {
  const {vcpu} = host;
  const isFree = host.hardware.pendingInjection() === undefined;
  if (vcpu.get('nmi_pending') !== 0n && ((isFree && nmiAllowed(host)) || vcpu.get('nmi_window') === 0n)) return true;
  if (isFree && waiting(host) !== undefined && interruptAllowed(host)) return true;
  return windowWanted(host) !== (vcpu.get('irq_window') !== 0n) || userWindowOpen(host);
}

const windowWanted = (host: Host): boolean =>
  waiting(host) !== undefined || host.vcpu.get('request_interrupt_window') !== 0n;

/** User space waits for a window, and it is open without leaving the guest first. */
function userWindowOpen(host: Host): boolean {
  if (host.vcpu.get('request_interrupt_window') === 0n || waiting(host) !== undefined) return false;
  return host.hardware.pendingInjection() === undefined && interruptAllowed(host);
}

export const nmiAllowed = (host: Host): boolean =>
  host.hardware.get('NMI_BLOCKING') === 0n && host.hardware.get('INTERRUPT_SHADOW') === 0n;

function checkAndInject(host: Host): StepResult {
  const said: string[] = [];
  if (userWindowOpen(host)) {
    host.vcpu.exitReason = KVM_EXIT.IRQ_WINDOW_OPEN;
    setWindow(host, 'off');
    return {
      say: 'user space waits for the moment when the guest can take an interrupt, and it can: KVM_EXIT_IRQ_WINDOW_OPEN',
      go: 'kvm_arch_vcpu_ioctl_run+1',
    };
  }
  const isFree = host.hardware.pendingInjection() === undefined;
  if (isFree && host.vcpu.get('nmi_pending') !== 0n && nmiAllowed(host)) {
    host.vcpu.set('nmi_pending', 0n);
    const written = host.hardware.inject({kind: 'nmi'});
    host.tell({
      kind: 'injection',
      ...hardwareOf(host),
      vector: NMI_VECTOR,
      decision: 'injected',
      why: 'nothing blocks NMIs',
    });
    said.push(`the NMI is injected: ${written}`);
  } else if (isFree && waiting(host) !== undefined && interruptAllowed(host)) said.push(injectInterrupt(host));
  if (host.vcpu.get('nmi_pending') !== 0n) said.push(...requestNmiWindow(host));
  said.push(...chooseWindow(host));
  return {say: said.join('; ') || 'nothing can be injected', go: 'vcpu_enter_guest'};
}

/** An NMI is still being handled, or an instruction is shielded: the guest is to exit when that is over. */
function requestNmiWindow(host: Host): readonly string[] {
  if (host.vcpu.get('nmi_window') !== 0n) return [];
  const written = host.hardware.setNmiWindow('on');
  host.vcpu.set('nmi_window', 1n);
  const why = 'NMIs are blocked until the guest’s handler executes IRET, or another event comes first';
  host.tell({kind: 'injection', ...hardwareOf(host), vector: NMI_VECTOR, decision: 'window-requested', why});
  return [`the NMI must wait: ${written}`];
}

function injectInterrupt(host: Host): string {
  const vector = waiting(host) ?? 0;
  const inKernel = host.devices.place === 'kernel';
  if (inKernel) host.devices.chipset.acknowledge();
  else host.vcpu.set('pending_interrupt', 0n);
  const written = host.hardware.inject({kind: 'interrupt', vector});
  const from = inKernel
    ? 'the in-kernel interrupt controller asks for it'
    : 'user space handed it over with KVM_INTERRUPT';
  host.tell({
    kind: 'injection',
    ...hardwareOf(host),
    vector,
    decision: 'injected',
    why: `${from}, the guest has RFLAGS.IF = 1 and nothing shields it`,
  });
  return `kvm_cpu_get_interrupt: ${hex(vector, 2)}; ${written}`;
}

function chooseWindow(host: Host): readonly string[] {
  const wanted = windowWanted(host);
  if (wanted === (host.vcpu.get('irq_window') !== 0n)) return [];
  const written = setWindow(host, wanted ? 'on' : 'off');
  if (!wanted) return [written];
  const vector = waiting(host) ?? host.devices.chipset.requested ?? 0;
  const why = whyNot(host);
  host.tell({kind: 'injection', ...hardwareOf(host), vector, decision: 'window-requested', why});
  return [`interrupt ${hex(vector, 2)} must wait (${why}): ${written}`];
}

function setWindow(host: Host, state: 'on' | 'off'): string {
  host.vcpu.set('irq_window', state === 'on' ? 1n : 0n);
  return host.hardware.setInterruptWindow(state);
}

const INTERRUPTERS: ReadonlyMap<number, string> = new Map([
  [HOST_TIMER_VECTOR, 'the host’s own timer'],
  [RESCHEDULE_VECTOR, 'a kick from another thread of QEMU'],
  [HOST_DEVICE_VECTOR, 'a network card of the host’s'],
]);

/** An interrupt of the host’s took the processor out of the guest; `read` says how the vendor half knows its vector. */
export function hostInterrupt(host: Host, vector: number, read: string): StepResult {
  const isTimer = vector === HOST_TIMER_VECTOR;
  const what = INTERRUPTERS.get(vector) ?? 'a device of the host’s';
  host.handled(
    'kvm',
    `vector ${hex(vector)} is the host’s, ${what}: it never reaches the guest, whose own interrupts are injected`,
  );
  return {
    say: `${read}, ${what}: call the host’s own handler`,
    go: isTimer && host.devices.isKernelTimerDue ? 'hrtimer_interrupt' : 'vcpu_enter_guest',
  };
}

/** The timers of the PIT and of the local APIC, which are KVM's. */
function runKernelTimers(host: Host): StepResult {
  const {chipset, kernelClock} = host.devices;
  const before = chipset.requested;
  kernelClock?.run();
  const after = chipset.requested;
  const effect =
    after === undefined
      ? 'no interrupt for the guest comes of it (masked, or one is in service)'
      : after === before
        ? `interrupt ${hex(after, 2)} was waiting already`
        : `the interrupt controller asks for vector ${hex(after, 2)}`;
  const halted = host.vcpu.get('mp_state') !== 0n;
  return {
    say: `the in-kernel timer that is due (PIT or local APIC) acts: ${effect}`,
    go: halted ? 'kvm_vcpu_halt' : 'vcpu_enter_guest',
  };
}

function handleInterruptWindow(host: Host): StepResult {
  const written = setWindow(host, 'off');
  if (host.vcpu.get('nmi_window') !== 0n) {
    host.vcpu.set('nmi_window', 0n);
    host.hardware.setNmiWindow('off');
  }
  host.handled(
    host.devices.place === 'kernel' ? 'kvm' : 'user-space',
    'the guest can take an interrupt now, which KVM had asked to be told',
  );
  return {
    say: `the window is open: ${written}, and what waited is looked at again`,
    go: 'vcpu_enter_guest',
  };
}

function handleNmiWindow(host: Host): StepResult {
  const written = host.hardware.setNmiWindow('off');
  host.vcpu.set('nmi_window', 0n);
  host.handled('kvm', 'NMIs are no longer blocked: the one that waited can be injected');
  return {say: `${written}; the NMI that waited is looked at again`, go: 'vcpu_enter_guest'};
}

const kernel = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

export const INTERRUPT_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel('hrtimer_interrupt', runKernelTimers),
  kernel('handle_interrupt_window', handleInterruptWindow),
  kernel('handle_nmi_window', handleNmiWindow),
  kernel('kvm_check_and_inject_events', checkAndInject),
];
