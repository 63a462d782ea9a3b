// An interrupt of a device of the host's, a network card that the guest knows nothing of, raised while a chosen one has the
// processor. Where it leads is up to where it finds the processor: out of the guest by a VM exit, or, where no guest runs, through
// the host's own IDT. SDM vol. 3C, "Other Causes of VM Exits"; vol. 3A, "Exception- or Interrupt-Handler Procedures".

import {bits, hex, hpa} from '@hyperscope/base';
import {enterUserMode} from '../host/host-environment.js';
import {DIRECT_MAP, HOST_IDT, KERNEL_CS} from '../host/host-layout.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import type {Actor} from '../virtual-machine.js';
import type {Host} from './host-context.js';

/** Whom a device of the host's can interrupt. */
export type InterruptedActor = Exclude<Actor, 'device'>;

/** Linux, arch/x86/include/asm/irq_vectors.h: devices have vectors from 0x20 on. */
export const HOST_DEVICE_VECTOR = 0x22;
/** In ring 0 KVM can be interrupted here: vcpu_enter_guest switches interrupts off only further down. */
const WHERE_KVM_IS_OPEN = 'vcpu_enter_guest';
const HANDLER = 'asm_common_interrupt';

/** What the slot `host_interrupt` says. */
const STANDING = {guestHasNotRun: 0n, guestHasRun: 1n, raised: 2n} as const;
/** 64-bit interrupt gate, present, DPL 0. */
const GATE_ATTRIBUTES = 0x8e00n;

/** The host's own gate for the card's vector, where there is a card. */
export function installHandler(host: Host): void {
  if (host.options.hostInterrupt === undefined) return;
  const target = host.addressOf(HANDLER);
  const low =
    bits(target, 15, 0) | (BigInt(KERNEL_CS) << 16n) | (GATE_ATTRIBUTES << 32n) | (bits(target, 31, 16) << 48n);
  const at = HOST_IDT + HOST_DEVICE_VECTOR * 16;
  host.machine.memory.write(hpa(at), 8, low);
  host.machine.memory.write(hpa(at + 8), 8, bits(target, 63, 32));
}

/** Whether the card has still to interrupt somebody. */
export const isWaiting = (host: Host): boolean =>
  host.options.hostInterrupt !== undefined && host.vcpu.get('host_interrupt') !== STANDING.raised;

/**
 * Raises the interrupt once, when the chosen one has the processor after the guest has run for the first time. Gives whether the
 * processor delivered it at once, which it does in root operation; in the guest it waits at the pins for the next boundary.
 */
export function interruptIfDue(host: Host, actor: Actor): 'delivered' | 'nothing' {
  if (!isWaiting(host)) return 'nothing';
  const {machine, vcpu} = host;
  const isGuest = actor === 'guest-kernel' || actor === 'guest-user';
  if (isGuest && vcpu.get('host_interrupt') === STANDING.guestHasNotRun)
    vcpu.set('host_interrupt', STANDING.guestHasRun);
  if (actor !== host.options.hostInterrupt || vcpu.get('host_interrupt') !== STANDING.guestHasRun) return 'nothing';
  const rip = machine.registers.get('RIP');
  if (actor === 'hypervisor' && rip !== host.addressOf(WHERE_KVM_IS_OPEN)) return 'nothing';
  vcpu.set('host_interrupt', STANDING.raised);
  if (isGuest) {
    machine.requestInterrupt(HOST_DEVICE_VECTOR);
    return 'nothing';
  }
  machine.deliverEvent({
    type: 'external-interrupt',
    vector: HOST_DEVICE_VECTOR,
    errorCode: undefined,
    returnRip: rip,
  });
  return 'delivered';
}

function handle(host: Host): StepResult {
  const from = Number(frame(host, 1) & 3n);
  return {
    say: `vector ${hex(HOST_DEVICE_VECTOR)} came through the host’s own IDT, out of root ring ${from}: the network card’s handler runs. No guest was running, so there was no VM exit`,
  };
}

/** The frame that the delivery pushed: RIP, CS, RFLAGS, RSP, SS. */
function frame({machine}: Host, slot: number): bigint {
  const at = machine.registers.get('RSP') + BigInt(8 * slot);
  return machine.memory.read(hpa(Number(at - DIRECT_MAP)), 8);
}

/** IRETQ. SDM vol. 2, "IRET/IRETD/IRETQ—Interrupt Return". */
function returnFromInterrupt(host: Host): StepResult {
  const {registers} = host.machine;
  const [rip, cs, rflags, rsp] = [frame(host, 0), frame(host, 1), frame(host, 2), frame(host, 3)];
  if ((cs & 3n) !== 0n) {
    enterUserMode(host.machine);
    host.machine.emit({kind: 'ring', how: 'IRET', from: 0, to: 3});
  }
  registers.set('RFLAGS', rflags);
  registers.set('RSP', rsp);
  registers.set('RIP', rip);
  return {say: `IRETQ: back to where the interrupt had come, RIP ${hex(rip)}`, go: 'processor'};
}

export const HOST_INTERRUPT_ROUTINES: readonly HostRoutine<Host>[] = [
  {name: HANDLER, actor: 'hypervisor', steps: [handle, returnFromInterrupt]},
];
