// What Xen's routines share: the machine, the domain with its memory and its registers, and ways to tell of what is done. There is
// no state here that a step changes, apart from the outcome that ends the run: everything else is in memory.

import {hex} from '@hyperscope/base';
import {APIC} from '@hyperscope/machine';
import type {Machine} from '@hyperscope/machine';
import type {HostRoutine, HostStep, StepResult} from '../host/host-program.js';
import {GUEST_RAM} from '../host/host-layout.js';
import type {RunOutcome} from '../technique.js';
import type {DeviceBoard} from '../user-space/device-board.js';
import type {PcChipset} from '../user-space/pc-chipset.js';
import type {HypervisorEvent} from '../virtual-machine.js';
import {DirectPaging} from './direct-paging.js';
import {FrameTable} from './frame-table.js';
import {GuestAccess} from './guest-access.js';
import {SharedInfo} from './shared-info.js';
import {UserRegisters} from './user-registers.js';
import {FLAT_RING3_CS64, VIRQ_TIMER} from './xen-interface.js';
import {XenVcpu} from './xen-vcpu.js';

/** The domain's number: 0 would be the one that drives the hardware. */
export const DOMAIN = 1;
/** The first frame of the domain's memory; its pseudo-physical frame 0. */
export const FIRST_MFN = GUEST_RAM / 4096;
const NANOSECONDS = 1_000_000_000n;
const MOST_COUNT = 0xffff_ffffn;

export interface XenParts {
  readonly machine: Machine;
  readonly board: DeviceBoard;
  readonly chipset: PcChipset;
  /** Of the domain's memory. */
  readonly memoryBytes: number;
  /** Where the image's bytes begin and end, and its first instruction; pseudo-physical. */
  readonly image: {readonly end: number; readonly entry: bigint};
  tell(event: HypervisorEvent): void;
}

export class Xen {
  readonly machine: Machine;
  readonly board: DeviceBoard;
  readonly chipset: PcChipset;
  readonly memoryBytes: number;
  readonly image: XenParts['image'];
  readonly tell: (event: HypervisorEvent) => void;
  readonly vcpu: XenVcpu;
  readonly regs: UserRegisters;
  readonly shared: SharedInfo;
  readonly paging: DirectPaging;
  /** The guest's memory by its linear addresses. */
  readonly guest: GuestAccess;
  /** Set once, by the step that ends the run. */
  outcome: RunOutcome | undefined;

  constructor(parts: XenParts) {
    const {machine} = parts;
    const {memory} = machine;
    this.machine = machine;
    this.board = parts.board;
    this.chipset = parts.chipset;
    this.memoryBytes = parts.memoryBytes;
    this.image = parts.image;
    this.tell = event => parts.tell(event);
    this.vcpu = new XenVcpu(memory);
    this.regs = new UserRegisters(memory);
    this.shared = new SharedInfo(memory);
    this.guest = new GuestAccess(memory, () => machine.registers.get('CR3'));
    this.paging = new DirectPaging({
      memory,
      frames: new FrameTable(memory),
      domain: DOMAIN,
      flushTlb: () => machine.tlb.flushAll(),
      looked: entries => machine.processor.charge(entries * machine.costModel.hostStep.cycles),
    });
  }

  finish(outcome: RunOutcome): void {
    this.outcome ??= outcome;
  }
  /** domain_crash: the guest cannot go on, and it is its own fault. */
  crash(why: string): StepResult {
    this.finish({kind: 'error', message: `Xen crashed the domain: ${why}.`});
    return {say: `domain_crash: ${why}`, go: 'restore_all_guest'};
  }

  /** Kernel and programs are both in ring 3; what differs is the root, and the base of GS. Xen, "toggle_guest_mode". */
  toggleGuestMode(): void {
    const {vcpu, machine} = this;
    const {registers} = machine;
    vcpu.set(vcpu.isKernel ? 'gs_base_kernel' : 'gs_base_user', registers.get('GS.base'));
    vcpu.set('kernel_mode', vcpu.isKernel ? 0 : 1);
    registers.set('GS.base', vcpu.get(vcpu.isKernel ? 'gs_base_kernel' : 'gs_base_user'));
    registers.set('CR3', vcpu.get(vcpu.isKernel ? 'guest_table' : 'guest_table_user') << 12n);
    machine.tlb.flushNonGlobal();
  }

  /** Nanoseconds since the machine's RESET. */
  get systemTime(): bigint {
    const {machine} = this;
    return (BigInt(machine.cycles) * NANOSECONDS) / BigInt(machine.costModel.second.cycles);
  }
  updateTime(): void {
    const {registers, costModel} = this.machine;
    this.shared.setTime(registers.get('TSC'), this.systemTime, costModel.second.cycles);
  }

  /** Asks the local APIC for an interrupt when the guest's timer is due; 0: for none. */
  setTimer(deadline: bigint): void {
    this.vcpu.set('timer_deadline', deadline);
    const left = deadline - this.systemTime;
    const count = deadline === 0n ? 0n : left < 1n ? 1n : left > MOST_COUNT ? MOST_COUNT : left;
    // Its clock runs at 1 GHz: a count is a nanosecond.
    this.chipset.localApic.writeRegister(APIC.initialCount, Number(count));
  }
  /** The APIC's timer has run down. Gives what that meant for the guest, in words. */
  timerInterrupt(): string {
    this.chipset.localApic.writeRegister(APIC.endOfInterrupt, 0);
    const deadline = this.vcpu.get('timer_deadline');
    if (deadline === 0n) return 'no timer of the guest’s runs';
    if (deadline > this.systemTime) {
      this.setTimer(deadline);
      return 'the guest’s time is not up yet';
    }
    this.vcpu.set('timer_deadline', 0);
    return this.raiseVirq(VIRQ_TIMER);
  }

  raiseVirq(virq: number): string {
    const port = this.vcpu.portOfVirq(virq);
    if (port === 0) return 'VIRQ_TIMER is bound to no port: lost';
    const told = this.shared.setPending(port);
    if (told === 'was pending') return `VIRQ_TIMER: port ${port} was pending already`;
    return told === 'masked'
      ? `VIRQ_TIMER: port ${port} is pending, and masked`
      : `VIRQ_TIMER: port ${port} is pending, its bit in the selector and evtchn_upcall_pending are set`;
  }
}

export type XenRoutine = HostRoutine<Xen>;
export const routine = (name: string, ...steps: HostStep<Xen>[]): XenRoutine => ({name, actor: 'hypervisor', steps});

/** 'the kernel at 0x8000' */
export function placeOf({regs, vcpu}: Xen): string {
  return `${vcpu.isKernel ? 'the kernel' : 'the program'} at ${hex(regs.get('RIP'))}`;
}

export const FLAT_CODE = BigInt(FLAT_RING3_CS64);
