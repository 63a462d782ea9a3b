// A virtual machine of a VMM without hardware: RAM and ROMs at a place of their own in host memory, a board with its devices, a
// virtual CPU, and the VMM's view of them. One machine can hold several: they share its processor and nothing else.

import {recordOf} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {ramOf} from '@hyperscope/machine';
import type {Bank, Machine, WillWrite} from '@hyperscope/machine';
import {GUEST_CELLS} from '../kvm-role/guest-view.js';
import type {RunObservation} from '../run-observer.js';
import {createShadowMmu} from '../shadow-paging/shadow-mmu.js';
import type {ShadowMmu} from '../shadow-paging/ports.js';
import type {GuestImage, PortOptions, TechniqueOptions} from '../technique.js';
import {DeviceBoard} from '../user-space/device-board.js';
import {FIRMWARE_PORT_WRITES} from '../user-space/firmware-code.js';
import {firmwareMemory} from '../user-space/firmware.js';
import {PcChipset} from '../user-space/pc-chipset.js';
import type {Actor, HypervisorEvent, RegisterValues} from '../virtual-machine.js';
import {guestCellsOf} from './guest-exit.js';
import {GuestPhysical} from './guest-physical.js';
import type {MemorySlot} from './guest-physical.js';
import {nativeFrame} from './guest-view.js';
import type {KernelCode} from './kernel-code.js';
import type {RingLayout} from './rings.js';
import {VirtualCpu} from './virtual-cpu.js';
import {VirtualProcessor} from './virtual-processor.js';
import {ONLY_PLACE, VIRTUAL_CPU, VMM_LINEAR, inWindow} from './vmm-layout.js';
import type {VmPlace} from './vmm-layout.js';
import {Vmm, shadowHostOf} from './vmm.js';

/** P, R/W, PS; supervisor. */
const WINDOW_FLAGS = 0x83n;
const CLOCKS: readonly Cell[] = ['CYCLES', 'TSC', 'INSTRUCTIONS'];

export interface VirtualPcOptions extends Pick<TechniqueOptions, 'faults' | 'leafTables' | 'undecoded'> {
  readonly machine: Machine;
  readonly observation: RunObservation;
  readonly image: GuestImage;
  readonly slots: readonly MemorySlot[];
  readonly ports: PortOptions;
  readonly disks?: readonly Uint8Array[] | undefined;
  readonly rings: RingLayout | undefined;
  /** That of the only virtual machine, where absent. */
  readonly place?: VmPlace | undefined;
  readonly createKernelCode?: ((vmm: Vmm) => KernelCode) | undefined;
  /** Its time-stamp counter, where the machine's can be another one's; the machine's where absent. */
  readonly timeStamp?: (() => bigint) | undefined;
}

export class VirtualPc {
  readonly machine: Machine;
  readonly board: DeviceBoard;
  readonly memory: GuestPhysical;
  readonly vcpu: VirtualCpu;
  readonly chipset: PcChipset;
  readonly vmm: Vmm;
  readonly place: VmPlace;
  readonly #observation: RunObservation;

  constructor(options: VirtualPcOptions) {
    const {machine, image, place = ONLY_PLACE} = options;
    this.machine = machine;
    this.place = place;
    this.#observation = options.observation;
    this.board = new DeviceBoard(
      options.ports,
      ramOf(machine.memory, (at, length, access) => this.memory.hostStretch(at, length, access)),
    );
    this.memory = new GuestPhysical(machine.memory, options.slots, this.board);
    this.vcpu = new VirtualCpu(machine.memory, inWindow(VIRTUAL_CPU, place));
    this.#startVirtualCpu(image.registers);
    this.chipset = this.#createChipset(options);
    this.vmm = this.#createVmm(options);
  }

  /** The guest's registers before its first instruction: the processor's reset state, with what the loader asked for. */
  #startVirtualCpu(loader: RegisterValues): void {
    for (const cell of CELLS) this.vcpu.set(cell, loader[cell] ?? this.machine.registers.get(cell));
  }

  #createChipset({image, disks, timeStamp}: VirtualPcOptions): PcChipset {
    const {machine, vcpu, board} = this;
    const chipset = new PcChipset({
      processor: {
        cycles: () => machine.cycles,
        hertz: machine.costModel.second.cycles,
        timeStamp: timeStamp ?? (() => machine.registers.get('TSC')),
        getTaskPriority: () => vcpu.number('CR8'),
        setTaskPriority: value => vcpu.set('CR8', BigInt(value)),
        apicBase: () => vcpu.get('APIC_BASE'),
        raiseNmi: () => vcpu.setSlot('nmi_pending', 1),
      },
      memoryBytes: image.memoryBytes,
      uart: board.uart,
      virtioConsole: board.virtioConsole,
      disks,
    });
    chipset.attach(board.ports);
    board.regions.push(...chipset.regions);
    return chipset;
  }

  #createVmm(options: VirtualPcOptions): Vmm {
    const {rings, createKernelCode, undecoded} = options;
    const {machine, vcpu, memory, board, chipset, place} = this;
    const tell = (event: HypervisorEvent): void => this.#observation.hypervisorEvent(event);
    const virtual = new VirtualProcessor({
      machine,
      vcpu,
      memory,
      board,
      apic: chipset.localApic,
      // The virtual machine is an ordinary x86, whatever the real one does with sensitive instructions.
      profile: {...machine.profile, strict: false},
      tell: event => this.#observation.event(event),
      undecoded,
    });
    const parts = {machine, vcpu, virtual, memory, board, chipset, rings, place, tell};
    return new Vmm({...parts, createMmu: vmm => this.#createMmu(vmm, options), createKernelCode});
  }

  #createMmu(vmm: Vmm, {leafTables, faults}: VirtualPcOptions): ShadowMmu {
    const {features, profile} = this.machine;
    return createShadowMmu({
      leafTables,
      faults,
      host: shadowHostOf(vmm),
      hardware: () => ({
        format: vmm.isGuestLong ? '4-level' : 'PAE',
        noExecute: features.nx ? 'on' : 'off',
        views: vmm.kernelRunsAsUser ? 2 : 1,
      }),
      features: {
        physicalAddressBits: profile.physicalAddressBits,
        gigabytePages: features.gigabytePages,
        pse36: features.pse36,
      },
      pool: this.place.pool,
      window: {linear: VMM_LINEAR, entry: BigInt(this.place.window) | WINDOW_FLAGS},
      isTracked: gfn => vmm.kernelCode?.isTracked(gfn) ?? false,
    });
  }

  /** The image, and what a firmware would have left, into memory and devices. */
  load({image, disks = []}: Pick<VirtualPcOptions, 'image' | 'disks'>): void {
    const {profile, memory} = this.machine;
    const firmware = image.startedBy === 'firmware' ? firmwareMemory(image.memoryBytes, profile, disks.length) : [];
    const segments = image.segments.map(segment => ({at: segment.gpa, bytes: segment.bytes}));
    for (const {at, bytes} of [...firmware, ...segments]) {
      const host = this.memory.hostAddress(at);
      if (host !== undefined) memory.load(host, bytes);
    }
    if (image.startedBy !== 'firmware') return;
    for (const [port, value] of FIRMWARE_PORT_WRITES) this.board.ports.write(port, 1, value);
  }

  /** The state of its devices. */
  get banks(): readonly Bank[] {
    return [...this.board.banks, ...this.chipset.banks];
  }
  /** Who hears of what its devices do; `name`: what the record calls a bank of theirs. */
  watch(name: (bank: string) => string = bank => bank): void {
    const {board, chipset} = this;
    const observation = this.#observation;
    const willWrite: WillWrite = (bank, offset, length) => observation.willWrite(name(bank), offset, length);
    board.observe(willWrite);
    chipset.observe(willWrite);
    board.listen((device, what, sentence) =>
      observation.hypervisorEvent({kind: 'device', name: device, what, sentence}),
    );
    board.uart.onOutput = byte => observation.hypervisorEvent({kind: 'serial', byte});
  }

  /** Whether a device has something for the guest, of which the VMM has not made a note yet. */
  get hasInterrupt(): boolean {
    const {vcpu, chipset} = this;
    if (vcpu.slot('nmi_pending') !== 0 && vcpu.get('NMI_BLOCKING') === 0n) return true;
    return chipset.requested !== undefined && vcpu.slot('interrupt_noted') === 0;
  }

  /** Who runs, while this virtual machine has the processor. Whoever is in ring 0 is the VMM; of the others the virtual CPL tells. */
  actor(ring: number): Actor {
    if (ring === 0) return 'hypervisor';
    if (this.vmm.layout === '0/1/3' && this.vmm.nativeMode !== 'virtual-8086')
      return ring === 3 ? 'guest-user' : 'guest-kernel';
    return this.vmm.virtualRing === 3 ? 'guest-user' : 'guest-kernel';
  }

  guestRegisters(): RegisterValues {
    const native = this.#nativeCells();
    return recordOf(GUEST_CELLS, cell =>
      CLOCKS.includes(cell) ? this.machine.registers.get(cell) : (native?.get(cell) ?? this.vcpu.get(cell)),
    );
  }

  /** What the guest has in the processor, or on the VMM's stack, and not yet in the virtual CPU. */
  #nativeCells(): ReadonlyMap<Cell, bigint> | undefined {
    const {vmm} = this;
    const frame = nativeFrame(vmm.cells, vmm.window, vmm.vcpu);
    return frame === undefined ? undefined : guestCellsOf(vmm, frame);
  }

  get readOnlyMemory(): readonly {readonly gpa: Gpa; readonly bytes: number}[] {
    return this.memory.readOnlyStretches();
  }
  guestToHost(address: Gpa): Hpa | undefined {
    return this.memory.hostAddress(address);
  }
}
