// What Xen keeps of the guest's only virtual processor: struct vcpu, eight bytes a field, and the trap table behind it. It is in host
// memory like everything else that a step changes, so stepping back goes over hypercalls.

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {VIRQS} from './xen-interface.js';
import {TRAP_TABLE, XEN_VCPU, inXen} from './xen-layout.js';

const FIELDS = [
  /** 1: the guest's kernel has the processor, or had it last; 0: a program. In hardware there is no difference. TF_kernel_mode. */
  'kernel_mode',
  /** Frames of the two roots: one for the kernel, one for programs, without the kernel in it. 0: none. */
  'guest_table',
  'guest_table_user',
  /** The stack on which a program's traps arrive. */
  'kernel_ss',
  'kernel_sp',
  /** Callbacks: 0 where none is registered. */
  'callback_event',
  'callback_failsafe',
  'callback_syscall',
  'syscall_masks_events',
  'gs_base_kernel',
  'gs_base_user',
  /** System time, in nanoseconds, for which VIRQ_TIMER is asked; 0: not at all. */
  'timer_deadline',
  /** 1: the virtual processor waits for an event. */
  'blocked',
  /** 1: the registers that count are those on Xen's stack, in struct cpu_user_regs. */
  'in_xen',
  /** 1: back by SYSRET, as it came by SYSCALL; RCX and R11 are lost. */
  'by_sysret',
  /** A hypercall under way: its number and how many of its requests are done. */
  'hypercall',
  'done',
  /** A trap on its way to the guest: address, and whether it has an error code and masks events. */
  'bounce_address',
  'bounce_error',
  'bounce_flags',
  /** Entries into Xen, for whoever counts. */
  'entries',
] as const;
export type XenVcpuField = (typeof FIELDS)[number];

const INDEX: ReadonlyMap<string, number> = new Map(FIELDS.map((field, index) => [field, index]));
/** Behind the fields: the port of each VIRQ. */
const VIRQ_PORTS = 64;
const TRAP_BYTES = 16;

/** An entry of the trap table. */
export interface GuestTrap {
  /** trap_info.flags. */
  readonly flags: number;
  readonly address: bigint;
}

export class XenVcpu {
  readonly #memory: PhysicalMemory;
  readonly #start: number;

  /** `start`: where Xen's window lies in `memory`, which need not be the machine's own. */
  constructor(memory: PhysicalMemory, start: number = inXen(0)) {
    this.#memory = memory;
    this.#start = start;
  }

  get(field: XenVcpuField): bigint {
    return this.#memory.read(this.#placeOf(INDEX.get(field) ?? 0), 8);
  }
  number(field: XenVcpuField): number {
    return Number(this.get(field));
  }
  set(field: XenVcpuField, value: bigint | number): void {
    this.#put(INDEX.get(field) ?? 0, BigInt(value));
  }
  get isKernel(): boolean {
    return this.get('kernel_mode') !== 0n;
  }

  /** The port that a VIRQ is bound to; 0: none. */
  portOfVirq(virq: number): number {
    return virq < VIRQS ? Number(this.#memory.read(this.#placeOf(VIRQ_PORTS + virq), 8)) : 0;
  }
  bindVirq(virq: number, port: number): void {
    this.#put(VIRQ_PORTS + virq, BigInt(port));
  }
  /** The VIRQ that a port is bound to. */
  virqOfPort(port: number): number | undefined {
    for (let virq = 0; virq < VIRQS; virq++) if (port !== 0 && this.portOfVirq(virq) === port) return virq;
    return undefined;
  }

  /** The guest's handler of a vector; undefined where it has registered none. */
  trap(vector: number): GuestTrap | undefined {
    const at = this.#trapAt(vector);
    const address = this.#memory.read(hpa(at + 8), 8);
    return address === 0n ? undefined : {address, flags: Number(this.#memory.read(hpa(at), 8))};
  }
  setTrap(vector: number, {flags, address}: GuestTrap): void {
    const at = this.#trapAt(vector);
    this.#memory.write(hpa(at), 8, BigInt(flags));
    this.#memory.write(hpa(at + 8), 8, address);
  }

  #trapAt(vector: number): number {
    return this.#start + TRAP_TABLE + vector * TRAP_BYTES;
  }
  /** Writes what changed, so that a record has no more than that. */
  #put(index: number, value: bigint): void {
    const at = this.#placeOf(index);
    if (this.#memory.read(at, 8) !== value) this.#memory.write(at, 8, BigInt.asUintN(64, value));
  }
  #placeOf(index: number): ReturnType<typeof hpa> {
    return hpa(this.#start + XEN_VCPU + 8 * index);
  }
}
