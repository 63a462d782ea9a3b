// The PC around a guest of this hypervisor, and what moves its time. The interrupt controllers and the PIT are either in
// QEMU's process or in KVM; the other devices always are QEMU's. Their timers are the host's business: one host timer is
// armed for the earliest of them, and when it fires while the guest runs, the guest is left by an external interrupt.

import {DeviceClock} from '@hyperscope/machine';
import type {Bank, DeviceTimer, Machine, MmioRegion, PortDevice} from '@hyperscope/machine';
import {hpa} from '@hyperscope/base';
import type {DeviceBoard} from '../user-space/device-board.js';
import {PcChipset} from '../user-space/pc-chipset.js';
import {videoMemory} from '../user-space/video-memory.js';
import {GUEST_RAM} from '../host/host-layout.js';
import {IrqLineQueue} from './irq-line-queue.js';
import type {KvmVcpu} from './kvm-vcpu.js';

/** Where the interrupt controllers are: KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2, or QEMU's own. */
export type IrqchipPlace = 'kernel' | 'user';

/** Vectors of the host: Linux, arch/x86/include/asm/irq_vectors.h, LOCAL_TIMER_VECTOR and RESCHEDULE_VECTOR. */
export const HOST_TIMER_VECTOR = 0xec;
export const RESCHEDULE_VECTOR = 0xfd;

const NON_ROOT = 2n;
/** KVM_PIT_SPEAKER_DUMMY: the gate of the third counter is in the kernel too. */
const SPEAKER_PORT = 0x61;
/** The chipset’s regions that are interrupt controllers. */
const CONTROLLERS: readonly string[] = ['IOAPIC', 'local APIC'];

export interface VirtualChipsetParts {
  readonly machine: Machine;
  readonly vcpu: KvmVcpu;
  readonly board: DeviceBoard;
  readonly place: IrqchipPlace;
  readonly memoryBytes: number;
  readonly disks: readonly Uint8Array[];
}

export class VirtualChipset {
  readonly place: IrqchipPlace;
  readonly chipset: PcChipset;
  /** The timers of the PIT and the local APIC, where they are in the kernel. */
  readonly kernelClock: DeviceClock | undefined;
  /** The timers of QEMU's devices. */
  readonly userClock: DeviceClock;
  /** Changes of lines that QEMU has still to tell KVM of; stays empty where the controllers are in its own process. */
  readonly lines = new IrqLineQueue();
  readonly #machine: Machine;
  readonly #hostClock: DeviceClock;
  readonly #hostTimer: DeviceTimer;
  readonly #kernelPorts: ReadonlySet<PortDevice>;
  readonly #kernelRegions: readonly MmioRegion[];

  constructor({machine, vcpu, board, place, memoryBytes, disks}: VirtualChipsetParts) {
    this.#machine = machine;
    this.place = place;
    const hertz = machine.costModel.second.cycles;
    const cycles = (): number => machine.cycles;
    const userClock = place === 'kernel' ? new DeviceClock(cycles, hertz, 'user-space-clock') : undefined;
    this.chipset = new PcChipset({
      processor: {
        cycles,
        hertz,
        getTaskPriority: () => Number(vcpu.get('cr8')),
        setTaskPriority: value => vcpu.set('cr8', BigInt(value)),
        apicBase: () => vcpu.get('apic_base'),
        raiseNmi: () => vcpu.set('nmi_pending', 1n),
      },
      memoryBytes,
      uart: board.uart,
      virtioConsole: board.virtioConsole,
      disks,
      userClock,
      interruptWire: (irq, line) => {
        if (place === 'kernel') return this.lines.wire(irq, line, () => this.#kick());
        return {
          set: level => {
            line.set(level);
            this.#kick();
          },
          get isHeard() {
            return line.isHeard;
          },
        };
      },
    });
    this.userClock = userClock ?? this.chipset.clock;
    this.kernelClock = place === 'kernel' ? this.chipset.clock : undefined;
    this.chipset.attach(board.ports);
    const inKernel = (region: MmioRegion): boolean => place === 'kernel' && CONTROLLERS.includes(region.name);
    this.#kernelRegions = this.chipset.regions.filter(inKernel);
    board.regions.push(...this.chipset.regions.filter(region => !inKernel(region)));
    const video = videoMemory(memoryBytes, {
      read: (gpa, bytes) => machine.memory.read(hpa(GUEST_RAM + gpa), bytes),
      write: (gpa, bytes, value) => machine.memory.write(hpa(GUEST_RAM + gpa), bytes, value),
    });
    if (video !== undefined) board.regions.push(video);
    const speaker = board.ports.deviceAt(SPEAKER_PORT);
    const inKvm = [this.chipset.pic, this.chipset.pit, ...(speaker === undefined ? [] : [speaker])];
    this.#kernelPorts = new Set(place === 'kernel' ? inKvm : []);
    this.#hostClock = new DeviceClock(cycles, hertz, 'host-clock');
    this.#hostTimer = this.#hostClock.timer(
      () => machine.requestInterrupt(HOST_TIMER_VECTOR),
      () => true,
    );
    machine.deviceClock = this.#hostClock;
  }

  /** The state of what is not at a port; the board's port map knows the rest. */
  get banks(): readonly Bank[] {
    const own = [this.lines.bank, this.#hostClock.bank];
    return [...this.chipset.banks, ...own, ...(this.place === 'kernel' ? [this.userClock.bank] : [])];
  }
  observe(willWrite: (bank: string, offset: number, length: number) => void): void {
    this.chipset.observe(willWrite);
    this.lines.willWrite = willWrite;
    this.#hostClock.willWrite = willWrite;
    this.userClock.willWrite = willWrite;
  }

  /** The in-kernel device at a port; undefined where user space has to be asked. */
  kernelDeviceAt(board: DeviceBoard, port: number): PortDevice | undefined {
    const device = board.ports.deviceAt(port);
    return device !== undefined && this.#kernelPorts.has(device) ? device : undefined;
  }
  /** The in-kernel device at a guest-physical address. */
  kernelRegionAt(gpa: number): MmioRegion | undefined {
    return this.#kernelRegions.find(({start, length}) => gpa >= start && gpa < start + length);
  }

  /** Starts the host's timer for whatever comes first. What waits at the pins has been looked after. */
  armHostTimer(): void {
    if (this.#machine.pins.requested !== undefined) this.#machine.pins.acknowledge();
    this.#hostTimer.arm(Math.min(this.userClock.next, this.kernelClock?.next ?? Infinity));
  }
  get isKernelTimerDue(): boolean {
    return this.kernelClock !== undefined && this.kernelClock.next <= this.#machine.cycles;
  }
  get isUserTimerDue(): boolean {
    return this.userClock.next <= this.#machine.cycles;
  }
  /** The earliest moment at which a device may wake a halted guest; Infinity when none will. */
  get nextWake(): number {
    return Math.min(this.userClock.nextWake, this.kernelClock?.nextWake ?? Infinity);
  }
  /** Lets the host idle until `cycle`. */
  sleepUntil(cycle: number): void {
    this.#machine.processor.charge(Math.max(0, cycle - this.#machine.cycles));
  }

  /** A device of QEMU's has something for a guest that is running: the other threads of QEMU kick the vCPU out. */
  #kick(): void {
    if (this.#machine.registers.get('VMX_OPERATION') !== NON_ROOT) return;
    if (this.place === 'kernel' || this.chipset.requested !== undefined)
      this.#machine.requestInterrupt(RESCHEDULE_VECTOR);
  }
}
